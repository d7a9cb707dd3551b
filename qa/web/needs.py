"""List training needs for a page, of everybody or of a team, from the cache where it may be."""

from sqlalchemy.orm import Session

from qa.forms import service as forms
from qa.months import Month
from qa.result_cache.types import CachedResult
from qa.training import service
from qa.training.types import NeedList
from qa.web.context import keep_result, now, person, wiring

WORTH_KEEPING = 5_000  # pairs of agent and criterion


def needs_of(
    session: Session, month: Month, team_id: int | None, *, force_refresh: bool = False
) -> tuple[NeedList, CachedResult | None]:
    """Return the needs of a month with the cached result they come from.

    Counted now for who does not see all projects. Raises MonthRefused.
    """
    titles, topics = forms.vocabulary(session)
    zone, counted = wiring().settings.zone, None
    if person().sees_all_projects:
        needs, counted = service.counted_needs(
            session,
            month=month,
            zone=zone,
            titles=titles,
            topics=topics,
            at=now(),
            allow_stale=True,
            force_refresh=force_refresh,
        )
    else:
        needs = service.need_list(session, month=month, zone=zone, titles=titles, topics=topics)
    return service.of_team(session, needs, team_id) if team_id is not None else needs, counted


def keep_needs(needs: NeedList, counted: CachedResult | None) -> None:
    """Keep a list that took long until something changes."""
    if needs.pairs_looked_at >= WORTH_KEEPING:
        keep_result(counted)
