"""Which calls a plan can draw: the frame, as it was at a time."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    Text,
    case,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session

from qa.sampling.rules import field, has_value
from qa.sampling.types import FrameCell, PlanRule
from qa.states import CaseKind, Direction
from qa.tables.calls import CallRow
from qa.tables.cases import CaseRow
from qa.tables.people import AgentRow, ProjectRow
from qa.tables.sampling import DrawnCallRow, DrawRow
from qa.tables.spans import started_between

CHUNK = 5000  # ids in one query


def frame(
    session: Session,
    rule: PlanRule,
    *,
    begin: datetime,
    end: datetime,
    received_until: datetime,
    new_hire_days: int,
    was_new: Mapping[int, bool] = MappingProxyType({}),
) -> dict[FrameCell, list[str]]:
    """The calls that began in [begin, end), had arrived by `received_until`, and pass the plan's
    filters.

    Only those with something to look at in their data, a case or a flag are looked at one by one.
    `was_new` says of agents whether they counted as new hires when a draw was made, whatever is
    known of them today.
    """
    if (rule.first_day and begin.date() < rule.first_day) or (
        rule.last_day and begin.date() > rule.last_day
    ):
        return {}
    is_special = _named(session, _fields(rule))
    if rule.take_all:
        is_special |= CallRow.id.in_(
            _cases_of(begin=begin, end=end, until=received_until).with_only_columns(CaseRow.call_id)
        )
    if rule.verify_critical:
        is_special |= CallRow.is_flagged
    new_since = begin.date() - timedelta(days=new_hire_days)
    new = set(session.scalars(select(AgentRow.id).where(AgentRow.hired_on > new_since)))
    within = (
        *started_between(session, begin, end),
        CallRow.received_at <= received_until,
        *_filters(rule),
    )
    ids, *columns = _columns(
        session,
        within,
        CallRow.external_id,
        CallRow.agent_id,
        _part(rule),
        _is_long(rule),
        is_special,
    )
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for external_id, key in zip(ids, zip(*columns, strict=True), strict=True):
        alike[key].append(external_id)
    cells: dict[FrameCell, list[str]] = {}
    special: dict[str, FrameCell] = {}
    for (agent, part, is_long, looked_at), external_ids_alike in alike.items():
        kind = FrameCell(agent, was_new.get(agent, agent in new), part, bool(is_long))
        if rule.only_new_hires and not kind.is_new_hire:
            continue
        if looked_at:
            special |= dict.fromkeys(external_ids_alike, kind)
        elif not rule.has:
            cells.setdefault(kind, []).extend(external_ids_alike)
    cases = (
        {
            (call_id, kind.value)
            for call_id, kind in session.execute(
                _cases_of(begin=begin, end=end, until=received_until)
            )
        }
        if rule.take_all
        else set()
    )
    for external_id, kind in _looked_at(session, rule, special, cases):
        cells.setdefault(kind, []).append(external_id)
    return cells


def _columns(
    session: Session, within: Sequence[ColumnElement[bool]], *columns: Any
) -> list[list[Any]]:
    """Columns of these calls, each as one list that the database has put together: a million rows
    one by one take three times as long.
    """
    as_list: Any = (
        func.json_group_array if session.get_bind().dialect.name == "sqlite" else func.json_agg
    )
    lists = session.execute(
        select(*(as_list(each, type_=JSON) for each in columns)).where(*within)
    ).one()
    return [column or [] for column in lists]  # without a call PostgreSQL has no list


def _looked_at(
    session: Session,
    rule: PlanRule,
    calls: Mapping[str, FrameCell],
    cases: Set[tuple[int | None, str]],
) -> Iterator[tuple[str, FrameCell]]:
    """Classify calls by their data, cases and flags.

    Those without a field that the plan asks for are left out.
    """
    field_names, names = _fields(rule), list(calls)
    for start in range(0, len(names), CHUNK):
        query = select(CallRow.id, CallRow.external_id, CallRow.is_flagged, CallRow.details).where(
            CallRow.external_id.in_(names[start : start + CHUNK])
        )
        for call_id, external_id, is_flagged, details in session.execute(query):
            present = {name for name in field_names if has_value(field(details, name))}
            if rule.has and rule.has not in present:
                continue
            certainty_reason = next(
                (name for name in rule.take_all if name in present or (call_id, name) in cases),
                "critical" if is_flagged and rule.verify_critical else "",
            )
            yield (
                external_id,
                calls[external_id]._replace(
                    certainty_reason=certainty_reason,
                    is_risky=calls[external_id].is_risky
                    or bool(rule.risk and rule.risk.has in present),
                ),
            )


def _fields(rule: PlanRule) -> list[str]:
    """The fields of the call data that a plan asks for."""
    return sorted(
        {
            *rule.take_all,
            *([rule.has] if rule.has else []),
            *([rule.risk.has] if rule.risk and rule.risk.has else []),
        }
    )


def _named(session: Session, fields: Sequence[str]) -> ColumnElement[bool]:
    """Whether the call data as text name one of these fields, in either way of writing JSON:
    looking for that first spares unpacking a million documents.
    """
    place: Any = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    written = {
        json.dumps(name.rpartition(".")[2], ensure_ascii=escaped)
        for name in fields
        for escaped in (True, False)
    }
    return or_(false(), *(place(CallRow.details.cast(Text), name) > 0 for name in sorted(written)))


def _part(rule: PlanRule) -> ColumnElement[str]:
    """The value by which a plan stratifies a call; durations in three bands."""
    band = case(
        (CallRow.duration_seconds < 120, "short"),
        (CallRow.duration_seconds < 600, "middle"),
        else_="long",
    )
    language = func.coalesce(CallRow.language, "?")
    parts: dict[str, Any] = {
        "queue": CallRow.queue,
        "direction": CallRow.direction.cast(Text),
        "language": language,
        "duration": band,
    }
    return cast("ColumnElement[str]", parts.get(rule.stratify_by, literal("")))


def _is_long(rule: PlanRule) -> ColumnElement[bool]:
    long = rule.risk.min_duration_seconds if rule.risk else None
    return false() if long is None else CallRow.duration_seconds >= long


def _filters(rule: PlanRule) -> list[ColumnElement[bool]]:
    # the sign keeps planners from the index on lengths: most calls pass
    seconds = literal_column("+call.duration_seconds", CallRow.duration_seconds.type)
    conditions = [seconds >= rule.min_duration_seconds]
    if rule.max_duration_seconds is not None:
        conditions.append(seconds <= rule.max_duration_seconds)
    if rule.project:
        conditions.append(
            CallRow.project_id.in_(select(ProjectRow.id).where(ProjectRow.code == rule.project))
        )
    if rule.queue:
        conditions.append(CallRow.queue == rule.queue)
    if rule.direction:
        conditions.append(CallRow.direction == Direction(rule.direction))
    if rule.language:
        conditions.append(CallRow.language == rule.language)
    return conditions


def _cases_of(*, begin: datetime, end: datetime, until: datetime) -> Select[int | None, CaseKind]:
    """Which calls of [begin, end) somebody praised or complained of, as it was known at a time."""
    return (
        select(CaseRow.call_id, CaseRow.kind)
        .join(CallRow, CallRow.id == CaseRow.call_id)
        .where(CallRow.started_at >= begin, CallRow.started_at < end, CaseRow.written_at <= until)
        .where(CaseRow.kind.in_((CaseKind.PRAISE, CaseKind.COMPLAINT)))
    )


def late_cases(
    session: Session, plan_id: int, rule: PlanRule, *, begin: datetime, end: datetime
) -> dict[str, str]:
    """Earlier calls that somebody praised or complained of in [begin, end), each with which, and
    that this plan has not drawn: they are drawn now.
    """
    drawn = (
        select(DrawnCallRow.id)
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .where(
            DrawRow.plan_id == plan_id,
            DrawRow.day < begin.date(),
            DrawnCallRow.call_id == CallRow.id,
        )
        .exists()
    )
    kinds = [k for k in (CaseKind.PRAISE, CaseKind.COMPLAINT) if k.value in rule.take_all]
    query = (
        select(CallRow.external_id, CaseRow.kind)
        .join(CaseRow, CaseRow.call_id == CallRow.id)
        .where(CaseRow.kind.in_(kinds), CaseRow.written_at >= begin, CaseRow.written_at < end)
        .where(CallRow.started_at < begin, ~drawn, *_filters(rule))
        .order_by(CallRow.external_id, CaseRow.id)
    )
    return {x: kind.value for x, kind in session.execute(query)}


def calls_by_agent(
    session: Session, rule: PlanRule, *, begin: datetime, end: datetime, new_hire_days: int
) -> dict[int, tuple[int, bool]]:
    """How many calls in [begin, end) pass the plan's filters, per agent, and whether the agent is
    new at the end of it.
    """
    query = (
        select(CallRow.agent_id, AgentRow.hired_on, func.count())
        .join(AgentRow, AgentRow.id == CallRow.agent_id)
        .where(CallRow.started_at >= begin, CallRow.started_at < end, *_filters(rule))
        .group_by(CallRow.agent_id, AgentRow.hired_on)
    )
    new_since = end.date() - timedelta(days=new_hire_days)
    found = {a: (n, bool(hired and hired > new_since)) for a, hired, n in session.execute(query)}
    return {a: f for a, f in found.items() if f[1] or not rule.only_new_hires}
