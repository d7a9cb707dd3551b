"""Sign in and out, choose language and theme, manage people."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    flash,
    g,
    jsonify,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from qa.people import service, store
from qa.people.types import AgentFault, User, UserFault
from qa.states import Role
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf import options
from qa.web.forms_wtf.people import (
    ROLE_NAMES,
    AgentForm,
    DemoSignInForm,
    PasswordForm,
    PreferencesForm,
    ProjectsForm,
    SignInForm,
    UserForm,
)
from qa.web.security import StoredSession, limiter

blueprint = Blueprint("people", __name__)
AGENT_FAULTS = {
    AgentFault.TEAM: lambda: _("Choose a team of the centre."),
    AgentFault.DAY: lambda: _("Write days like 2026-03-01, or leave them empty."),
    AgentFault.ORDER: lambda: _("Nobody leaves before they come: look at the two days again."),
}
HOMES = {
    Role.EVALUATOR: "assignment.queue",
    Role.QA_MANAGER: "reporting.month",
    Role.TEAM_LEADER: "reporting.team",
    Role.TRAINER: "training.needs",
    Role.AGENT: "cards.own",
    Role.DIRECTOR: "reporting.month",
    Role.ADMINISTRATOR: "people.listing",
}
USER_FAULTS = {
    UserFault.USERNAME: lambda: _("A user name has small letters, digits, dots and dashes."),
    UserFault.TAKEN: lambda: _("This user name is taken."),
    UserFault.TOO_SHORT: lambda: _("The password needs at least 10 characters."),
    UserFault.TOO_LONG: lambda: _("The password is too long."),
    UserFault.LIKE_THE_NAME: lambda: _("The password may not contain the user name."),
    UserFault.TEAM: lambda: _("A team leader needs a team."),
    UserFault.AGENT: lambda: _("An agent needs the code of an agent of the centre."),
}


@blueprint.get("/")
def home() -> Response:
    """Lead to the page where this role begins its work."""
    return redirect(url_for(HOMES[person().role]))


@blueprint.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
def sign_in() -> Response | str | tuple[str, int]:
    """Sign in with a user name and a password."""
    form = SignInForm()
    if form.validate_on_submit():
        with reading() as database:
            user = service.password_user(
                database, username=form.username.data or "", password=form.password.data or ""
            )
        if user:
            return _enter(user)
        flash(_("User name or password is wrong."), "danger")
    with reading() as database:
        demo = store.demo_users(database) if wiring().settings.demo_sign_in else []
        is_empty = not store.users(database)
    status = 422 if form.is_submitted() else 200
    return render_template(
        "people/sign_in.html", form=form, demo=demo, role_names=ROLE_NAMES, is_empty=is_empty
    ), status


@blueprint.post("/sign-in/demo")
def demo_sign_in() -> Response:
    """Sign in as one of the demo's users, without a password."""
    form = DemoSignInForm()
    if not wiring().settings.demo_sign_in or not form.validate():
        missing()
    with reading() as database:
        user = next((u for u in store.demo_users(database) if u.id == form.user.data), None)
    return _enter(user) if user else missing()


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End this session."""
    with writing() as database:
        service.sign_out(database, user_id=person().id, at=now())
    _session().sign_out()
    return redirect(url_for("people.sign_in"))


@blueprint.post("/choose")
def choose() -> Response:
    """Set language and theme: of the person, or of the browser's session before signing in."""
    form = PreferencesForm()
    language, theme = form.language.data, form.theme.data
    if g.user:
        with writing() as database:
            service.set_preferences(database, user_id=g.user.id, language=language, theme=theme)
    else:
        session.update({k: v for k, v in (("language", language), ("theme", theme)) if v})
    return redirect(_inside(form.next.data))


@blueprint.get("/token")
def token() -> Response:
    """Return a fresh CSRF token, for a workbench whose person signed in again in another window."""
    return jsonify(token=generate_csrf())


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
def password() -> Response | str | tuple[str, int]:
    """Change one's own password, which ends every open session, this one too."""
    form, user = PasswordForm(), person()
    if form.validate_on_submit():
        try:
            with writing() as database:
                service.change_password(
                    database,
                    user=user,
                    current=form.current.data or "",
                    new=form.new.data or "",
                    at=now(),
                )
            _session().sign_out()  # or the end of this request would write it down again
            flash(_("Your password is changed. Sign in with the new one."), "success")
            return redirect(url_for("people.sign_in"))
        except service.WrongPassword:
            flash(_("The present password is wrong."), "danger")
        except service.UserRefused as error:
            flash(USER_FAULTS[error.fault](), "danger")
    return render_template("people/password.html", form=form), 422 if form.is_submitted() else 200


@blueprint.get("/people")
def listing() -> str:
    """List users and agents, with the form to add a user."""
    return _people_page(UserForm())


@blueprint.post("/people")
def add() -> Response | tuple[str, int]:
    """Add a user."""
    form = UserForm()
    if form.validate_on_submit():
        try:
            with writing() as database:
                agent = store.agent_by_code(database, form.agent.data) if form.agent.data else None
                user = service.add_user(
                    database,
                    username=form.username.data or "",
                    display_name=form.display_name.data or "",
                    role=Role(form.role.data),
                    password=form.password.data,
                    at=now(),
                    by=person().id,
                    language=form.language.data,
                    team_id=form.team.data or None,
                    agent_id=agent[0] if agent else None,
                )
            flash(_("%(name)s can sign in now.", name=user.display_name), "success")
            return redirect(url_for("people.listing"))
        except service.UserRefused as error:
            flash(USER_FAULTS[error.fault](), "danger")
    return _people_page(form), 422


@blueprint.post("/people/<int:user_id>/disable")
def disable(user_id: int) -> Response:
    """Forbid a user to sign in."""
    try:
        with writing() as database:
            service.disable_user(database, user_id=user_id, by=person().id, at=now())
    except service.UnknownPerson:
        missing()
    flash(_("The user can no longer sign in."), "success")
    return redirect(url_for("people.listing"))


@blueprint.post("/people/<int:user_id>/projects")
def set_projects(user_id: int) -> Response:
    """Set the projects that a user works for: all, or some and nothing of the others."""
    form = ProjectsForm()
    try:
        with writing() as database:
            service.set_projects(
                database,
                user_id=user_id,
                project_ids=None if form.all.data else form.project.data,
                by=person().id,
                at=now(),
            )
    except service.UnknownPerson:
        missing()
    flash(_("Saved."), "success")
    return redirect(url_for("people.listing"))


@blueprint.get("/people/agents/<int:agent_id>")
def agent(agent_id: int) -> str:
    """Show an agent's team and days, to change them."""
    return _agent_page(agent_id)


@blueprint.post("/people/agents/<int:agent_id>")
def change_agent(agent_id: int) -> Response | tuple[str, int]:
    """Move an agent to a team, note when they came and left."""
    form = AgentForm()
    try:
        is_valid = form.validate()
        if form.hired_on.errors or form.left_on.errors:
            raise service.AgentRefused(AgentFault.DAY)
        if not is_valid:
            raise service.AgentRefused(AgentFault.TEAM)
        with writing() as database:
            service.change_agent(
                database,
                agent_id=agent_id,
                team_id=form.team.data or 0,
                hired_on=form.hired_on.data,
                left_on=form.left_on.data,
                by=person().id,
                at=now(),
            )
    except service.UnknownPerson:
        missing()
    except service.AgentRefused as error:
        flash(AGENT_FAULTS[error.fault](), "danger")
        return _agent_page(agent_id, typed=request.form), 422
    flash(_("Saved."), "success")
    return redirect(url_for("people.listing"))


def _agent_page(agent_id: int, typed: Mapping[str, str] | None = None) -> str:
    """Render the page of an agent, with what was typed where it was refused."""
    with reading() as database:
        agent, teams = store.agent(database, agent_id) or missing(), store.teams(database)
    return render_template("people/agent.html", agent=agent, teams=teams, given=typed or {})


def _people_page(form: UserForm) -> str:
    with reading() as database:
        users, teams, agents = store.users(database), store.teams(database), store.agents(database)
        projects = store.project_ids(database)
    form.team.choices = options([(0, "–"), *((t.id, f"{t.department} · {t.name}") for t in teams)])
    return render_template(
        "people/listing.html",
        users=users,
        teams=teams,
        agents=agents,
        form=form,
        role_names=ROLE_NAMES,
        projects=projects,
    )


def _enter(user: User) -> Response:
    picked = {k: session[k] for k in ("language", "theme") if k in session}
    _session().sign_in(user.id)
    with writing() as database:
        service.sign_in(
            database,
            user_id=user.id,
            at=now(),
            language=picked.get("language"),
            theme=picked.get("theme"),
        )
    return redirect(_inside(request.args.get("next")))


def _inside(target: str | None) -> str:
    """Return a path of this site; anything else leads home."""
    parts = urlsplit(target or "")
    if (
        not target
        or parts.scheme
        or parts.netloc
        or not target.startswith("/")
        or target.startswith(("//", "/\\"))
    ):
        return url_for("people.home")
    return target


def _session() -> StoredSession:
    # the proxy's own session
    return session._get_current_object()  # type: ignore[attr-defined,no-any-return]
