"""The sentence of each notice, and where it leads.

Pure; the reader's language comes in from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qa.notices.types import Kind

PATHS = {
    "scorecard": "/cards/{}",
    "dispute": "/disputes/{}",
    "assignment": "/workbench/{}",
    "queue": "/queue",
    "overdue": "/queue/overview?overdue=1",
    "calibration": "/calibration/{}",
    "case": "/cases/{}",
    "training": "/training/plans/{}",
    "report": "/reports/scheduled/{}",
}


@dataclass(frozen=True)
class Tongue:
    """A reader's language: how texts, times and numbers are said in it."""

    text: Callable[[str], str]
    moment: Callable[[datetime], str]
    number: Callable[[float], str]


def path(subject: str, subject_id: int) -> str:
    return PATHS[subject].format(subject_id)


def sentence(kind: Kind, facts: dict[str, Any], tongue: Tongue) -> str:
    """What a reader is told.

    A fact that is missing shows as a dash: a notice of an older version is still readable.
    """
    _ = tongue.text
    words = {
        Kind.CARD_RELEASED: _("A scorecard of yours can be read: call of %(when)s."),
        Kind.CARD_REVISED: _(
            "A scorecard of yours was revised: call of %(when)s, now %(score)s instead of %(was)s."
        ),
        Kind.CARD_VOIDED: _(
            "A scorecard of yours was taken back and counts nowhere: call of %(when)s."
        ),
        Kind.CARD_SENT_BACK: _("The second reader sent a scorecard back to you: %(remark)s"),
        Kind.CARD_ACKNOWLEDGED: _("%(name)s has read the scorecard of the call of %(when)s."),
        Kind.DISPUTE_OPENED: _("%(name)s disputes an answer. Please decide by %(until)s."),
        Kind.DISPUTE_DECIDED: _("A dispute was decided: the answer was changed.")
        if facts.get("upheld")
        else _("A dispute was decided: the answer stays."),
        Kind.CALL_ASSIGNED: _("A call was put on your list."),
        Kind.CALLS_DEALT: _("Calls were put on your list."),
        Kind.CALL_OVERDUE: _(
            "A call on your list is overdue. Score it, or give it back so that somebody else can."
        ),
        Kind.QUEUE_OVERDUE: _("%(count)s overdue calls are on nobody's list."),
        Kind.CALIBRATION_INVITED: _(
            "You are invited to the calibration session “%(title)s”. Please score by %(until)s."
        ),
        Kind.CALIBRATION_REVIEW: _("The calibration session “%(title)s” can be discussed now."),
        Kind.GUIDE_NOTE: _("%(name)s wrote you a guide note."),
        Kind.SLIP_PASSED: _(
            "A difficult case was passed to you. A reply is promised by %(until)s."
        ),
        Kind.SLIP_DUE: _("The reply promised in a difficult case is due: %(until)s."),
        Kind.CASE_DECIDED: _("It was decided about: %(content)s"),
        Kind.TRAINING_PLANNED: _("A training is planned for you: %(title)s"),
        Kind.REPORT_READY: _("The report “%(name)s” of %(month)s is ready."),
    }
    return words[kind] % _Said({name: _said(name, value, tongue) for name, value in facts.items()})


def _said(name: str, value: Any, tongue: Tongue) -> str:
    if name in ("when", "until") and isinstance(value, str):
        return tongue.moment(datetime.fromisoformat(value))
    return tongue.number(value) if isinstance(value, float) else str(value)


def kind_name(kind: Kind, _: Callable[[str], str]) -> str:
    """What the page of choices calls a kind."""
    words = {
        Kind.CARD_RELEASED: _("A scorecard of mine can be read"),
        Kind.CARD_REVISED: _("A scorecard of mine was revised"),
        Kind.CARD_VOIDED: _("A scorecard of mine was taken back"),
        Kind.CARD_SENT_BACK: _("A second reader sent a card back"),
        Kind.CARD_ACKNOWLEDGED: _("An agent has read my scorecard"),
        Kind.DISPUTE_OPENED: _("A dispute waits for my decision"),
        Kind.DISPUTE_DECIDED: _("A dispute was decided"),
        Kind.CALL_ASSIGNED: _("A call was put on my list"),
        Kind.CALLS_DEALT: _("Calls were put on my list"),
        Kind.CALL_OVERDUE: _("A call on my list is overdue"),
        Kind.QUEUE_OVERDUE: _("Calls on nobody's list are overdue"),
        Kind.CALIBRATION_INVITED: _("I am invited to a calibration session"),
        Kind.CALIBRATION_REVIEW: _("A calibration session can be discussed"),
        Kind.GUIDE_NOTE: _("A guide note for me"),
        Kind.SLIP_PASSED: _("A difficult case was passed to me"),
        Kind.SLIP_DUE: _("A promised reply is due"),
        Kind.CASE_DECIDED: _("A decision about praise, complaint or proposal"),
        Kind.TRAINING_PLANNED: _("A training is planned for me"),
        Kind.REPORT_READY: _("A scheduled report is ready"),
    }
    return words[kind]


class _Said(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        return "–"
