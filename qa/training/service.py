"""Make the training-need list of a month."""

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.calendar import month_before, month_bounds
from qa.training import store
from qa.training.rules import ACT_AT, FALSE_DISCOVERY_RATE, MIN_CARDS, MONTHS, TARGET, WATCH_AT, discoveries, probabilities_under
from qa.training.types import Counts, Need, NeedList, Urgency


def need_list(
    session: Session, *, month: str, zone: ZoneInfo, titles: Mapping[str, dict[str, str]], topics: Mapping[str, str], team_id: int | None = None
) -> NeedList:
    """Agent and criterion pairs whose true rate is probably under the target, over three months ending with `month`.

    "Act" is cut at the false-discovery rate and needs a probability of at least 0.8; "watch" is what is more likely than not.
    Raises MonthRefused.
    """
    end = month_bounds(month, zone)[1]
    begin = month_bounds(month_before(month, MONTHS - 1), zone)[0]
    everyone = store.counts(session, begin=begin, end=end, team_id=None)
    by_criterion: dict[str, list[Counts]] = {}
    for c in everyone:
        by_criterion.setdefault(c.criterion, []).append(c)
    needs = [
        _need(c, p, titles, topics)
        for criterion, rows in by_criterion.items()
        for c, p in zip(rows, probabilities_under(rows), strict=True)
        if c.of >= MIN_CARDS and p > WATCH_AT
    ]
    needs.sort(key=lambda n: (-n.probability, n.agent, n.criterion))
    acting = discoveries([n.probability for n in needs])
    needs = [replace(n, urgency=Urgency.ACT) if i < acting and n.probability >= ACT_AT else n for i, n in enumerate(needs)]
    if team_id is not None:
        own = {c.agent_id for c in store.counts(session, begin=begin, end=end, team_id=team_id)}
        needs = [n for n in needs if n.agent_id in own]
    shown = store.evidence(session, [(n.agent_id, n.criterion) for n in needs], begin=begin, end=end) if needs else {}
    with_calls = tuple(replace(n, evidence=tuple(shown.get((n.agent_id, n.criterion), ()))) for n in needs)
    return NeedList(month, MONTHS, TARGET, FALSE_DISCOVERY_RATE, with_calls, len(everyone))


def _need(c: Counts, probability: float, titles: Mapping[str, dict[str, str]], topics: Mapping[str, str]) -> Need:
    topic = topics.get(c.criterion, c.criterion.split(".")[0])
    title = titles.get(c.criterion, {"en": c.criterion})
    return Need(c.agent_id, c.agent, c.team, c.criterion, topic, title, probability, c.kept / c.of, c.of, Urgency.WATCH)
