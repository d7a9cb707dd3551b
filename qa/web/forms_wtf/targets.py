"""Forms of targets and of improvement measures."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from qa.states import ImprovementActionState, Indicator, ScopeKind
from qa.web.forms_wtf.fields import CommaFloatField, MonthField, cut_to


class ScopeField(StringField):
    """A scope as its select gives it, "whole" or "team:12", read as its kind and id."""

    scope: tuple[ScopeKind, int | None] = (ScopeKind.WHOLE, None)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the posted value; an unknown kind counts as the whole centre."""
        super().process_formdata(valuelist)
        kind, _colon, number = str(self.data or "").partition(":")
        if kind in {known.value for known in ScopeKind}:
            self.scope = ScopeKind(kind), int(number) if number.isdecimal() else None


class TargetForm(FlaskForm):
    """A target: an indicator, its value, the months and the scope it holds for."""

    indicator = SelectField(choices=[indicator.value for indicator in Indicator])
    value = CommaFloatField(validators=[InputRequired()])
    first_month = MonthField()
    last_month = StringField(default="")
    criterion = StringField(default="")
    scope = ScopeField()


class EndTargetForm(FlaskForm):
    """The last month for which a target holds."""

    last_month = StringField(default="")


class MeasureForm(FlaskForm):
    """An improvement measure, as a proposal or agreed on."""

    title = StringField(filters=[cut_to(200)])
    detail = StringField(filters=[cut_to(4000)])
    month = MonthField()
    criterion = StringField(default="")
    scope = ScopeField()
    owner = IntegerField(validators=[Optional()])
    due_on = DateField(validators=[Optional()])
    expected = CommaFloatField(validators=[Optional()])
    agree = StringField()


class MoveMeasureForm(FlaskForm):
    """The next state of a measure, with what came of it or who owns it."""

    to = SelectField(choices=[state.value for state in ImprovementActionState])
    result = StringField(default="")
    owner = IntegerField(validators=[Optional()])
    due_on = DateField(validators=[Optional()])
