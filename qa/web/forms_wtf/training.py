"""Forms of training plans, their sessions and members."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from qa.states import TrainingPlanState
from qa.web.forms_wtf.fields import IntegerListField, MonthField, cut_to


class PlanForm(FlaskForm):
    """A training plan: its topic, the agents, the seats and the calls to study."""

    title = StringField(filters=[cut_to(200)])
    topic = StringField(filters=[cut_to(120)])
    month = MonthField()
    goal = StringField(filters=[cut_to(4000)])
    starts_on = DateField(validators=[InputRequired()])
    seats = IntegerField(validators=[Optional()])
    agent = IntegerListField(default=[])
    call = IntegerListField(default=[])
    new_hires = BooleanField()


class MovePlanForm(FlaskForm):
    """The next state of a plan."""

    to = SelectField(choices=[state.value for state in TrainingPlanState])


class SessionForm(FlaskForm):
    """A training session that was held, and who was present."""

    held_on = DateField(validators=[Optional()])
    minutes = IntegerField(validators=[Optional()])
    notes = StringField(default="")
    present = IntegerListField(default=[])


class MemberForm(FlaskForm):
    """An agent is through with the plan, or is to go on with it."""

    again = StringField()
    remark = StringField(default="")
