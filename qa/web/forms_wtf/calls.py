"""Forms of the call pages: a saved search, a corrected word."""

from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, NumberRange

from qa.web.forms_wtf.fields import cut_to


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())[:80]


class SavedFilterForm(FlaskForm):
    """A search of the list under a name."""

    query = StringField(filters=[cut_to(1000)])
    name = StringField(validators=[DataRequired()], filters=[_one_line])


class WordForm(FlaskForm):
    """A recognised word by its place, and what it is corrected to."""

    utterance = IntegerField(validators=[InputRequired(), NumberRange(min=0)])
    word = IntegerField(validators=[InputRequired(), NumberRange(min=0)])
    text = StringField()
