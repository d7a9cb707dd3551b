"""Forms of the queue: skipping, reassigning and withdrawing calls, goals and shares."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from qa.assignment.service import MOST_DAILY_GOAL, MOST_SHARE
from qa.assignment.types import SkipReason
from qa.web.forms_wtf import options

SKIP_NAMES = {
    SkipReason.BAD_SOUND: _("The sound is too poor"),
    SkipReason.WRONG_LANGUAGE: _("A language that I do not speak"),
    SkipReason.NOT_A_CONVERSATION: _("Not a conversation"),
    SkipReason.KNOWN_PERSON: _("I know the person"),
    SkipReason.OTHER: _("Another reason (write which)"),
}


class SkipForm(FlaskForm):
    reason = SelectField(
        _("Reason"), choices=options((r.value, name) for r, name in SKIP_NAMES.items())
    )
    comment = TextAreaField(_("Remark"), [Optional(), Length(max=1000)])


class ReassignForm(FlaskForm):
    to = IntegerField(validators=[Optional()])


class WithdrawForm(FlaskForm):
    reason = StringField(default="")


class WorkloadForm(FlaskForm):
    goal = IntegerField(validators=[Optional(), NumberRange(min=0, max=MOST_DAILY_GOAL)])
    share = IntegerField(validators=[Optional(), NumberRange(min=0, max=MOST_SHARE)])
