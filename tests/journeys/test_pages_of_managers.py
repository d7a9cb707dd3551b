"""The inventory's pages of the QA manager."""

import pytest

from tests.journeys.inventory import dresses, look_at_every_page


@pytest.mark.slow
@dresses
@pytest.mark.parametrize("role", ["manager"])
def test_every_page_of_every_role_is_clean_readable_and_within_its_width_in_all_twelve_dresses(
    enter, site, role, language, width
):
    look_at_every_page(enter, site, role, language, width)
