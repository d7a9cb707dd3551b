"""Notices to users, and where users want them."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class NoticeKind(enum.Enum):
    CARD_RELEASED = "card_released"
    CARD_REVISED = "card_revised"
    CARD_VOIDED = "card_voided"
    CARD_SENT_BACK = "card_sent_back"
    CARD_ACKNOWLEDGED = "card_acknowledged"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_DECIDED = "dispute_decided"
    CALL_ASSIGNED = "call_assigned"
    CALLS_DEALT = "calls_dealt"
    CALL_OVERDUE = "call_overdue"
    QUEUE_OVERDUE = "queue_overdue"
    CALIBRATION_INVITED = "calibration_invited"
    CALIBRATION_REVIEW = "calibration_review"
    GUIDE_NOTE = "guide_note"
    DIFFICULT_CASE_ESCALATED = "difficult_case_escalated"
    DIFFICULT_CASE_REPLY_DUE = "difficult_case_reply_due"
    CASE_DECIDED = "case_decided"
    TRAINING_PLANNED = "training_planned"
    REPORT_READY = "report_ready"


@dataclass(frozen=True)
class Notice:
    """A notice to one user. `facts` are the names and figures of its message."""

    id: int
    kind: NoticeKind
    subject: str
    subject_id: int
    facts: dict[str, Any]
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True)
class NoticeChoice:
    """The places where a user wants notices of a kind."""

    in_page: bool = True
    by_mail: bool = True


@dataclass(frozen=True)
class QueuedMail:
    """A notice on its way to a mailbox."""

    notice: Notice
    address: str
    name: str
    language: str
    attempts: int
