"""Forms of calibration: calling a session, recording what its group agrees on."""

from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Optional


class SessionForm(FlaskForm):
    """A new session. Which calls and people may be chosen depends on the day: the view knows."""

    title = StringField(default="")
    form = IntegerField()
    call = SelectMultipleField(coerce=int, choices=[], validate_choice=False)
    user = SelectMultipleField(coerce=int, choices=[], validate_choice=False)
    due = DateField(validators=[Optional()])


class AgreementForm(FlaskForm):
    """The notes; the agreed answers are named after calls and criteria (`agreed.<call>.<id>`)."""

    notes = TextAreaField(default="")
    follow_up = TextAreaField(default="")
