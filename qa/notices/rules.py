"""Write the sentence of each notice, and the path of the page it leads to. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from qa.localization import Localizer
from qa.notices.types import NoticeKind

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


def path(subject: str, subject_id: int) -> str:
    """Return the path of the page that a notice is about."""
    return PATHS[subject].format(subject_id)


def message_text(kind: NoticeKind, facts: dict[str, Any], localizer: Localizer) -> str:
    """Write the sentence of a notice in its reader's language.

    A fact that is missing shows as a dash: a notice of an older version is still readable.
    """
    _ = localizer.gettext
    words = {
        NoticeKind.CARD_RELEASED: _("A scorecard of yours can be read: call of %(when)s."),
        NoticeKind.CARD_REVISED: _(
            "A scorecard of yours was revised: call of %(when)s, now %(score)s instead of %(was)s."
        ),
        NoticeKind.CARD_VOIDED: _(
            "A scorecard of yours was taken back and counts nowhere: call of %(when)s."
        ),
        NoticeKind.CARD_SENT_BACK: _("The second reader sent a scorecard back to you: %(remark)s"),
        NoticeKind.CARD_ACKNOWLEDGED: _("%(name)s has read the scorecard of the call of %(when)s."),
        NoticeKind.DISPUTE_OPENED: _("%(name)s disputes an answer. Please decide by %(until)s."),
        NoticeKind.DISPUTE_DECIDED: _("A dispute was decided: the answer was changed.")
        if facts.get("upheld")
        else _("A dispute was decided: the answer stays."),
        NoticeKind.CALL_ASSIGNED: _("A call was put on your list."),
        NoticeKind.CALLS_DEALT: _("Calls were put on your list."),
        NoticeKind.CALL_OVERDUE: _(
            "A call on your list is overdue. Score it, or give it back so that somebody else can."
        ),
        NoticeKind.QUEUE_OVERDUE: _("%(count)s overdue calls are on nobody's list."),
        NoticeKind.CALIBRATION_INVITED: _(
            "You are invited to the calibration session “%(title)s”. Please score by %(until)s."
        ),
        NoticeKind.CALIBRATION_REVIEW: _(
            "The calibration session “%(title)s” can be discussed now."
        ),
        NoticeKind.GUIDE_NOTE: _("%(name)s wrote you a guide note."),
        NoticeKind.DIFFICULT_CASE_ESCALATED: _(
            "A difficult case was passed to you. A reply is promised by %(until)s."
        ),
        NoticeKind.DIFFICULT_CASE_REPLY_DUE: _(
            "The reply promised in a difficult case is due: %(until)s."
        ),
        NoticeKind.CASE_DECIDED: _("It was decided about: %(content)s"),
        NoticeKind.TRAINING_PLANNED: _("A training is planned for you: %(title)s"),
        NoticeKind.REPORT_READY: _("The report “%(name)s” of %(month)s is ready."),
    }
    return words[kind] % _EscapedFacts(
        {name: _format_fact(name, value, localizer) for name, value in facts.items()}
    )


def _format_fact(name: str, value: Any, localizer: Localizer) -> str:
    if name in ("when", "until") and isinstance(value, str):
        return localizer.moment(datetime.fromisoformat(value))
    return localizer.number(value) if isinstance(value, float) else str(value)


def kind_name(kind: NoticeKind, _: Callable[[str], str]) -> str:
    """Name a kind of notice as the page of choices does."""
    words = {
        NoticeKind.CARD_RELEASED: _("A scorecard of mine can be read"),
        NoticeKind.CARD_REVISED: _("A scorecard of mine was revised"),
        NoticeKind.CARD_VOIDED: _("A scorecard of mine was taken back"),
        NoticeKind.CARD_SENT_BACK: _("A second reader sent a card back"),
        NoticeKind.CARD_ACKNOWLEDGED: _("An agent has read my scorecard"),
        NoticeKind.DISPUTE_OPENED: _("A dispute waits for my decision"),
        NoticeKind.DISPUTE_DECIDED: _("A dispute was decided"),
        NoticeKind.CALL_ASSIGNED: _("A call was put on my list"),
        NoticeKind.CALLS_DEALT: _("Calls were put on my list"),
        NoticeKind.CALL_OVERDUE: _("A call on my list is overdue"),
        NoticeKind.QUEUE_OVERDUE: _("Calls on nobody's list are overdue"),
        NoticeKind.CALIBRATION_INVITED: _("I am invited to a calibration session"),
        NoticeKind.CALIBRATION_REVIEW: _("A calibration session can be discussed"),
        NoticeKind.GUIDE_NOTE: _("A guide note for me"),
        NoticeKind.DIFFICULT_CASE_ESCALATED: _("A difficult case was passed to me"),
        NoticeKind.DIFFICULT_CASE_REPLY_DUE: _("A promised reply is due"),
        NoticeKind.CASE_DECIDED: _("A decision about praise, complaint or proposal"),
        NoticeKind.TRAINING_PLANNED: _("A training is planned for me"),
        NoticeKind.REPORT_READY: _("A scheduled report is ready"),
    }
    return words[kind]


class _EscapedFacts(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        return "–"
