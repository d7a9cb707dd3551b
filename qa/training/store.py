"""Queries for training needs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qa.tables.people import AgentRow, TeamRow
from qa.tables.scoring import AnswerRow, ScorecardRow, ScorecardState
from qa.training.types import Counts, Evidence


def counts(session: Session, *, begin: datetime, end: datetime, team_id: int | None) -> list[Counts]:
    """Per agent and criterion: the points kept and the cards, over [begin, end)."""
    query = (
        select(AgentRow.id, AgentRow.name, TeamRow.name, AnswerRow.criterion, func.sum(AnswerRow.share_of_points), func.count(AnswerRow.share_of_points))
        .join(AgentRow, AgentRow.id == AnswerRow.agent_id)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .where(AnswerRow.called_at >= begin, AnswerRow.called_at < end, AnswerRow.share_of_points.is_not(None))
        .group_by(AgentRow.id, AgentRow.name, TeamRow.name, AnswerRow.criterion)
        .order_by(AnswerRow.criterion, AgentRow.id)
    )
    if team_id is not None:
        query = query.where(AgentRow.team_id == team_id)
    return [Counts(a, n, t, c, float(k or 0), of) for a, n, t, c, k, of in session.execute(query)]


def evidence(session: Session, pairs: Sequence[tuple[int, str]], *, begin: datetime, end: datetime, each: int = 3) -> dict[tuple[int, str], list[Evidence]]:
    """For agent and criterion: the newest released cards on which it was lost. One query for all pairs."""
    agents, criteria = {a for a, _ in pairs}, {c for _, c in pairs}
    query = (
        select(AnswerRow.agent_id, AnswerRow.criterion, ScorecardRow.id, ScorecardRow.call_id)
        .join(ScorecardRow, ScorecardRow.id == AnswerRow.scorecard_id)
        .where(AnswerRow.called_at >= begin, AnswerRow.called_at < end, AnswerRow.share_of_points < 1)
        .where(AnswerRow.agent_id.in_(agents), AnswerRow.criterion.in_(criteria))
        .where(ScorecardRow.state.in_((ScorecardState.RELEASED, ScorecardState.ACKNOWLEDGED)))
        .order_by(ScorecardRow.id.desc())
    )
    found: dict[tuple[int, str], list[Evidence]] = {}
    for agent_id, criterion, card_id, call_id in session.execute(query):
        rows = found.setdefault((agent_id, criterion), [])
        if len(rows) < each:
            rows.append(Evidence(card_id, call_id))
    return found
