"""Form of the severity correction."""

from flask_wtf import FlaskForm
from wtforms import StringField


class CorrectionForm(FlaskForm):
    """Turn the correction on or off, and the month to go back to."""

    on = StringField()
    month = StringField()
