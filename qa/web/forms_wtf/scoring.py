"""Form of the workbench: the posted scorecard."""

from flask_wtf import FlaskForm
from wtforms import FloatField, IntegerField


class DraftForm(FlaskForm):
    """The fixed fields of a posted scorecard.

    Its answers, comments and notes are named after the criteria of the form at hand
    (`answer.<criterion>`), which no class can list: `qa.web.scoring.parse_answers` reads them, and
    `qa.scoring.types.Filled` validates them.
    """

    version = IntegerField()
    seconds = FloatField()
