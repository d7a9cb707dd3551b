"""Forms of a submitted scorecard: acknowledge, release, send back, void, revise."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, TextAreaField
from wtforms.validators import Optional


class AcknowledgeForm(FlaskForm):
    comment = TextAreaField(default="")


class ReleaseForm(FlaskForm):
    day = DateField(validators=[Optional()])


class SendBackForm(FlaskForm):
    remark = TextAreaField(default="")


class VoidForm(FlaskForm):
    reason = TextAreaField(default="")
    again = BooleanField()


class ReEvaluationForm(FlaskForm):
    """The reason; the new answers are named after the criteria of the form at hand."""

    reason = TextAreaField(default="")
