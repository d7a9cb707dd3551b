"""Forms of cases: writing one down, settling it."""

from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from qa.states import CaseState


class CaseForm(FlaskForm):
    content = TextAreaField(default="")
    agent = IntegerField(validators=[Optional()])
    call = IntegerField(validators=[Optional()])
    criterion = StringField(default="")
    happened_at = DateTimeLocalField(validators=[Optional()])
    contact = StringField(default="")
    due_at = DateTimeLocalField(validators=[Optional()])


class SettleForm(FlaskForm):
    state = SelectField(choices=[state.value for state in CaseState])
    decision = TextAreaField(default="")
