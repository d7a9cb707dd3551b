"""Giving calls to evaluators, taking calls out, goals and shares."""

from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import NumberRange, Optional

from qa.assignment.service import MOST_DAILY_GOAL, MOST_SHARE


class ReassignForm(FlaskForm):
    to = IntegerField(validators=[Optional()])


class WithdrawForm(FlaskForm):
    reason = StringField(default="")


class WorkloadForm(FlaskForm):
    goal = IntegerField(validators=[Optional(), NumberRange(min=0, max=MOST_DAILY_GOAL)])
    share = IntegerField(validators=[Optional(), NumberRange(min=0, max=MOST_SHARE)])
