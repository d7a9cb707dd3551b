"""Forms of sampling: a plan, and the day of a draw."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FloatField,
    IntegerField,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from qa.web.forms_wtf import options

FACTORS = r"^\s*[^=,]+=\s*\d+(\.\d+)?\s*(,\s*[^=,]+=\s*\d+(\.\d+)?\s*)*$"


class PlanForm(FlaskForm):
    """A sampling plan: which calls it draws, how many, and how."""

    code = StringField(
        _("Name of the plan"),
        [
            InputRequired(),
            Length(max=60),
            Regexp(r"^[a-z0-9][a-z0-9-]+$", message=_("Small letters, digits and dashes")),
        ],
    )
    phase = SelectField(
        _("Draws"),
        choices=options(
            [
                ("human", _("calls that people score")),
                ("automatic", _("calls that are transcribed and checked")),
            ]
        ),
    )
    quota_per_agent = FloatField(
        _("Calls per agent and month"), [InputRequired(), NumberRange(min=0.1, max=1000)], default=6
    )
    new_hire_factor = FloatField(
        _("Times more for new hires"), [InputRequired(), NumberRange(min=1, max=20)], default=2
    )
    floor_probability = FloatField(
        _("Least probability of every call"),
        [InputRequired(), NumberRange(min=0, max=1)],
        default=0.004,
    )
    allocation = SelectField(
        _("Quotas"),
        choices=options(
            [
                ("equal", _("the same for every agent")),
                ("spread", _("more where the checks and people differ more (Neyman)")),
            ]
        ),
        default="equal",
    )
    floor_per_agent = FloatField(
        _("Then at least so many per agent"), [Optional(), NumberRange(min=0, max=1000)], default=2
    )
    daily_budget = IntegerField(
        _("At most so many calls a day"), [Optional(), NumberRange(min=1, max=100_000)]
    )
    take_all = StringField(
        _("Draw every call whose data have"),
        [Optional(), Length(max=200)],
        default="complaint, praise",
    )
    verify_critical = BooleanField(
        _("Draw every call that a check says breaks a critical criterion"), default=True
    )
    project = SelectField(_("Project"), choices=[], default="")
    queue = StringField(_("Telephony queue"), [Optional(), Length(max=80)])
    direction = SelectField(
        _("Direction"),
        choices=options([("", "–"), ("inbound", _("inbound")), ("outbound", _("outbound"))]),
        default="",
    )
    language = SelectField(
        _("Language"),
        choices=options([("", "–"), ("en", "English"), ("it", "Italiano"), ("zh", "中文")]),
        default="",
    )
    min_duration_seconds = FloatField(
        _("Shortest call in seconds"), [InputRequired(), NumberRange(min=0, max=86400)], default=0
    )
    max_duration_seconds = FloatField(
        _("Longest call in seconds"), [Optional(), NumberRange(min=1, max=86400)]
    )
    has = StringField(_("Only calls whose data have this field"), [Optional(), Length(max=80)])
    only_new_hires = BooleanField(_("New hires only"))
    first_day = DateField(_("From day"), [Optional()])
    last_day = DateField(_("To day"), [Optional()])
    stratify_by = SelectField(
        _("Strata within an agent"),
        choices=options(
            [
                ("", "–"),
                ("queue", _("telephony queue")),
                ("direction", _("direction")),
                ("language", _("language")),
                ("duration", _("duration")),
            ]
        ),
        default="",
    )
    factors = StringField(
        _("Strata drawn more often (say sales=2)"),
        [
            Optional(),
            Length(max=300),
            Regexp(FACTORS, message=_("Write them like sales=2, service=1")),
        ],
    )
    risk_share = FloatField(
        _("Share drawn by risk (0 for none)"),
        [InputRequired(), NumberRange(min=0, max=0.9)],
        default=0,
    )
    risk_has = StringField(
        _("Risk: calls whose data have this field"), [Optional(), Length(max=80)]
    )
    risk_seconds = FloatField(
        _("Risk: calls longer than so many seconds"), [Optional(), NumberRange(min=1, max=86400)]
    )


class DrawForm(FlaskForm):
    """The day to draw from."""

    day = DateField(validators=[InputRequired()])
