"""Queries on calls and on what intake was given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from qa.intake.types import CallFacts, CallOrder, FileOutcome, Reason
from qa.states import ImportOutcome
from qa.tables.calls import CallRow, ImportRow, RatingRow
from qa.tables.pages import in_order
from qa.tables.people import AgentRow, ProjectRow, TeamRow

_ORDERS: dict[CallOrder, Any] = {
    CallOrder.ARRIVED: CallRow.id,
    CallOrder.BEGAN: CallRow.started_at,
    CallOrder.LENGTH: CallRow.duration_seconds,
}


def _facts_query() -> Any:
    return (
        select(CallRow, ProjectRow, AgentRow, TeamRow)
        .join(ProjectRow, ProjectRow.id == CallRow.project_id)
        .join(AgentRow, AgentRow.id == CallRow.agent_id)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
    )


def _facts(call: CallRow, project: ProjectRow, agent: AgentRow, team: TeamRow) -> CallFacts:
    return CallFacts(
        id=call.id,
        external_id=call.external_id,
        content_sha256=call.content_sha256,
        project_id=project.id,
        project=project.name,
        project_code=project.code,
        agent_id=agent.id,
        agent=agent.name,
        agent_code=agent.code,
        team_id=team.id,
        team=team.name,
        queue=call.queue,
        direction=call.direction,
        language=call.language,
        customer=call.customer,
        started_at=call.started_at,
        duration_seconds=call.duration_seconds,
        channels=call.channels,
        lost_seconds=call.lost_seconds,
        source_name=call.source_name,
        media_type=call.media_type,
        details=call.details,
        is_simulated=call.is_simulated,
        variables=project.variables,
        keeps_originals=project.keeps_originals,
    )


def call(session: Session, call_id: int) -> CallFacts | None:
    row = session.execute(_facts_query().where(CallRow.id == call_id)).first()
    return _facts(*row) if row else None


def call_id_by_hash(session: Session, sha256: str) -> int | None:
    return session.scalar(select(CallRow.id).where(CallRow.content_sha256 == sha256))


def call_id_by_external(session: Session, external_id: str) -> int | None:
    return session.scalar(select(CallRow.id).where(CallRow.external_id == external_id))


def add_call(session: Session, **fields: Any) -> int:
    row = CallRow(**fields)
    session.add(row)
    session.flush()
    return row.id


def record_file(session: Session, *, batch: str, outcome: FileOutcome, at: datetime) -> None:
    session.add(
        ImportRow(
            batch=batch,
            name=outcome.name[:300],
            outcome=outcome.outcome,
            reason=outcome.reason.value if outcome.reason else "",
            detail=outcome.detail[:500],
            call_id=outcome.call_id,
            at=at,
        )
    )


def recent_files(session: Session, *, limit: int = 200) -> list[tuple[datetime, FileOutcome]]:
    rows = session.scalars(select(ImportRow).order_by(ImportRow.id.desc()).limit(limit))
    return [
        (
            r.at,
            FileOutcome(
                r.name,
                ImportOutcome(r.outcome),
                Reason(r.reason) if r.reason else None,
                r.detail,
                r.call_id,
            ),
        )
        for r in rows
    ]


def calls(
    session: Session,
    *,
    agent_ids: Sequence[int] | None = None,
    among: Sequence[Select[Any]] = (),
    team_id: int | None = None,
    project_code: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    by: CallOrder = CallOrder.ARRIVED,
    descending: bool = True,
    after_id: int | None = None,
    limit: int = 50,
) -> list[CallFacts]:
    """Calls, newest arrival first, a page at a time: `after_id` is the last id of the page before.

    `among`: queries of ids that a call must be in.
    """
    query = in_order(
        _facts_query(), by=_ORDERS[by], row_id=CallRow.id, descending=descending, after_id=after_id
    ).limit(limit)
    for ids in among:
        query = query.where(CallRow.id.in_(ids))
    conditions = (
        (CallRow.agent_id.in_(agent_ids) if agent_ids is not None else None),
        (AgentRow.team_id == team_id if team_id is not None else None),
        (ProjectRow.code == project_code if project_code else None),
        (CallRow.language == language if language else None),
        (CallRow.started_at >= since if since else None),
        (CallRow.started_at < until if until else None),
    )
    return [
        _facts(*row)
        for row in session.execute(query.where(*[c for c in conditions if c is not None]))
    ]


def set_language(session: Session, call_id: int, language: str) -> None:
    session.get_one(CallRow, call_id).language = language


def set_media_type(session: Session, call_id: int, media_type: str) -> None:
    """Set the media type of the playback copy."""
    session.get_one(CallRow, call_id).media_type = media_type


def days_with_calls(session: Session) -> tuple[datetime, datetime] | None:
    """When the first and the last call started."""
    first, last = session.execute(
        select(func.min(CallRow.started_at), func.max(CallRow.started_at))
    ).one()
    return (first, last) if first else None


def call_combinations(
    session: Session, *, newest: int = 5000
) -> list[tuple[str, str, str, str, str | None]]:
    """Count project (name, code), queue, direction and language combined, of the newest calls."""
    recent = select(CallRow.id).order_by(CallRow.id.desc()).limit(newest)
    query = select(
        ProjectRow.name, ProjectRow.code, CallRow.queue, CallRow.direction, CallRow.language
    ).join(ProjectRow, ProjectRow.id == CallRow.project_id)
    rows = session.execute(
        query.where(CallRow.id.in_(recent))
        .distinct()
        .order_by(ProjectRow.name, CallRow.queue)
        .limit(100)
    )
    return [
        (name, code, queue, direction.value, language)
        for name, code, queue, direction, language in rows
    ]


def ids_of(session: Session, external_ids: Sequence[str]) -> dict[str, int]:
    """The calls of some external ids, by these."""
    found: dict[str, int] = {}
    for k in range(0, len(external_ids), 500):
        query = select(CallRow.external_id, CallRow.id).where(
            CallRow.external_id.in_(external_ids[k : k + 500])
        )
        found |= dict(session.execute(query).all())
    return found


def save_rating(
    session: Session, call_id: int, *, value: float, given: str, source: str, at: datetime
) -> None:
    session.merge(
        RatingRow(call_id=call_id, value=value, given=given, source=source, received_at=at)
    )
    session.flush()


def rating_of(session: Session, call_id: int) -> tuple[float, str, str] | None:
    """Load the customer's rating of a call: 0–100, as it was given, where it came from."""
    row = session.get(RatingRow, call_id)
    return (row.value, row.given, row.source) if row else None
