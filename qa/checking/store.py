"""Queries on check results."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from qa.checking.types import Finding, Findings
from qa.tables.calls import CallRow
from qa.tables.results import CheckResultRow, VerdictRow


def result(session: Session, call_id: int, form_version_id: int) -> Findings | None:
    row = session.scalar(
        select(CheckResultRow).where(
            CheckResultRow.call_id == call_id, CheckResultRow.form_version_id == form_version_id
        )
    )
    return _findings(row) if row else None


def latest_form_version(session: Session, call_id: int) -> int | None:
    """Load the form version that a call was last checked with."""
    return session.scalar(
        select(CheckResultRow.form_version_id)
        .where(CheckResultRow.call_id == call_id)
        .order_by(CheckResultRow.id.desc())
        .limit(1)
    )


def save_result(
    session: Session,
    *,
    call_id: int,
    form_version_id: int,
    findings: Findings,
    is_flagged: bool = False,
    at: datetime,
) -> None:
    """Save the newest findings of a call.

    Its score and its critical flag are copied to the call, where months are counted.
    """
    row = session.scalar(
        select(CheckResultRow).where(
            CheckResultRow.call_id == call_id, CheckResultRow.form_version_id == form_version_id
        )
    )
    middle = (
        (findings.low + findings.high) / 2
        if findings.low is not None and findings.high is not None
        else None
    )
    fields: dict[str, Any] = {
        "score": middle,
        "low": findings.low,
        "high": findings.high,
        "findings": [f.document() for f in findings.findings],
        "rules_version": findings.rules_version,
        "created_at": at,
    }
    if row is None:
        session.add(CheckResultRow(call_id=call_id, form_version_id=form_version_id, **fields))
    else:
        for name, value in fields.items():
            setattr(row, name, value)
    session.execute(
        update(CallRow)
        .where(CallRow.id == call_id)
        .values(automatic_score=middle, is_flagged=is_flagged)
    )
    session.execute(delete(VerdictRow).where(VerdictRow.call_id == call_id))
    session.add_all(
        VerdictRow(call_id=call_id, criterion=f.criterion, verdict=f.verdict.value)
        for f in findings.findings
    )
    session.flush()


def calls_with_verdict(criterion: str, verdict: str) -> Select[int]:
    """Select the ids of the calls of which the newest check said this."""
    return select(VerdictRow.call_id).where(
        VerdictRow.criterion == criterion, VerdictRow.verdict == verdict
    )


def _findings(row: CheckResultRow) -> Findings:
    return Findings(
        "", 0, tuple(map(Finding.from_document, row.findings)), row.low, row.high, row.rules_version
    )
