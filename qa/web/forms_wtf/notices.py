"""Form of the notices that a user wants, on the page and by mail."""

import re

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import Optional, Regexp

from qa.notices.types import NoticeChoice, NoticeKind
from qa.web.forms_wtf.fields import stripped

ADDRESS = re.compile(r"[^@\s<>,;\"]{1,100}@[^@\s<>,;\"]{1,99}\Z")


class NoticeChoicesForm(FlaskForm):
    """A mail address, and per kind of notice two boxes: page.KIND and mail.KIND."""

    email = StringField(validators=[Optional(), Regexp(ADDRESS)], filters=[stripped])

    def choice(self, kind: NoticeKind) -> NoticeChoice:
        """Return where notices of this kind are wanted."""
        return NoticeChoice(
            in_page=bool(self[f"page.{kind.value}"].data),
            by_mail=bool(self[f"mail.{kind.value}"].data),
        )


for _kind in NoticeKind:  # names with a dot cannot stand in the class's body
    setattr(NoticeChoicesForm, f"page.{_kind.value}", BooleanField())
    setattr(NoticeChoicesForm, f"mail.{_kind.value}", BooleanField())
