"""Forms of scoring forms: a draft's text, an imported one, a trial on a call."""

from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import Optional


def _unix_lines(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n")


class SourceForm(FlaskForm):
    """The YAML of a scoring form."""

    source = StringField(filters=[_unix_lines])


class DraftForm(SourceForm):
    """The YAML of a draft with the edition it was loaded as; `publish` where it is to be used."""

    edition = IntegerField(default=0, validators=[Optional()])
    publish = StringField()


class TrialForm(FlaskForm):
    """The YAML to try and the call to try it on."""

    source = StringField()
    call = IntegerField(validators=[Optional()])
