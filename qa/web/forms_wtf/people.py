"""Forms of people: sign in, preferences, passwords, users, agents."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, Optional

from qa.states import Role
from qa.web.forms_wtf import options
from qa.web.forms_wtf.fields import IntegerListField, one_of

ROLE_NAMES = {
    Role.EVALUATOR: _("Evaluator"),
    Role.QA_MANAGER: _("QA manager"),
    Role.TEAM_LEADER: _("Team leader"),
    Role.TRAINER: _("Trainer"),
    Role.AGENT: _("Agent"),
    Role.DIRECTOR: _("Director"),
    Role.ADMINISTRATOR: _("Administrator"),
}


class SignInForm(FlaskForm):
    """User name and password."""

    username = StringField(
        _("User name"),
        [InputRequired(), Length(max=80)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(
        _("Password"),
        [InputRequired(), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(FlaskForm):
    """One's present password and a new one."""

    current = PasswordField(
        _("Present password"),
        [InputRequired(), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        _("New password"),
        [InputRequired(), Length(max=200)],
        render_kw={"autocomplete": "new-password"},
    )


class UserForm(FlaskForm):
    """A new user."""

    username = StringField(
        _("User name"), [InputRequired(), Length(max=80)], render_kw={"autocomplete": "off"}
    )
    display_name = StringField(_("Name"), [InputRequired(), Length(max=200)])
    role = SelectField(
        _("Role"), choices=options((r.value, name) for r, name in ROLE_NAMES.items())
    )
    language = SelectField(
        _("Language"), choices=options([("en", "English"), ("it", "Italiano"), ("zh", "中文")])
    )
    team = SelectField(_("Team (of a team leader)"), choices=[], coerce=int, validate_choice=False)
    agent = StringField(_("Agent code (of an agent)"), [Optional(), Length(max=80)])
    password = PasswordField(
        _("Password"),
        [InputRequired(), Length(max=200)],
        render_kw={"autocomplete": "new-password"},
    )


class DemoSignInForm(FlaskForm):
    """The demo user whose button was pressed."""

    user = IntegerField(validators=[InputRequired()])


class PreferencesForm(FlaskForm):
    """Language and theme, each on its own or none, and the page to go back to."""

    language = StringField(filters=[one_of("en", "it", "zh")])
    theme = StringField(filters=[one_of("light", "dark")])
    next = StringField()


class ProjectsForm(FlaskForm):
    """The projects that a user works for: all of them, or those ticked."""

    all = BooleanField()
    project = IntegerListField(default=[])


class AgentForm(FlaskForm):
    """An agent's team, and the days on which they came and left."""

    team = IntegerField(validators=[Optional()])
    hired_on = DateField(validators=[Optional()])
    left_on = DateField(validators=[Optional()])
