"""Forms of the import page: recordings, and customers' ratings."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileRequired, MultipleFileField
from wtforms import FileField, StringField

from qa.web.forms_wtf.fields import stripped


class UploadForm(FlaskForm):
    """Recordings with their call data."""

    recordings = MultipleFileField(_("Recordings"), [FileRequired()])
    manifest = FileField(_("Call data (CSV or JSON, optional)"))


class RatingsForm(FlaskForm):
    """A file of customers' ratings and where it comes from."""

    ratings = FileField(validators=[FileRequired()])
    source = StringField(filters=[stripped])
