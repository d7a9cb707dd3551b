"""Templates, style sheets and scripts can be read: no line is longer than a person looks."""

import pytest

from qa.settings import PROJECT_ROOT

WEB = PROJECT_ROOT / "qa" / "web"
TEMPLATES = sorted(
    path
    for folder in (WEB, PROJECT_ROOT / "qa" / "publishing")
    for path in (folder / "templates").rglob("*.html")
)
SCRIPTS_AND_STYLES = [
    path
    for path in sorted((WEB / "static").rglob("*"))
    if path.suffix in (".js", ".css") and "vendor" not in path.parts
]


def lines_over(path, width):
    return [
        f"{path.relative_to(PROJECT_ROOT)}:{number} ({len(line)})"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > width
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_line_is_longer_than_160_characters(path):
    assert not lines_over(path, 160)


@pytest.mark.parametrize("path", SCRIPTS_AND_STYLES, ids=lambda path: path.name)
def test_no_line_of_css_or_javascript_is_longer_than_120_characters(path):
    assert not lines_over(path, 120)


def test_scripts_stand_in_files_that_the_content_policy_lets_in():
    """No inline script and no handler in an attribute: the policy would stop them unseen."""
    for path in TEMPLATES:
        text = path.read_text()
        for tag in text.split("<script")[1:]:
            head = tag.split(">")[0]
            assert "src=" in head or "application/json" in head, path
        assert " onclick=" not in text and " onchange=" not in text, path
