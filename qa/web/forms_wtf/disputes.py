"""Forms of disputes: objecting to an answer, deciding about it."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField

STAYS = "stays"  # the decision that the answer stays as it is


class DisputeForm(FlaskForm):
    criterion = StringField(default="")
    reason = TextAreaField(default="")
    suggested = StringField(default="")


class DecisionForm(FlaskForm):
    option = StringField(default="")
    reason = TextAreaField(default="")
    rule_at_fault = BooleanField()
