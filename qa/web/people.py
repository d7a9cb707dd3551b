"""Sign in and out, choose language and theme, manage people."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.intake.service import parse_day
from qa.people import service, store
from qa.people.types import User
from qa.states import Role
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf import options
from qa.web.forms_wtf.people import ROLE_NAMES, PasswordForm, SignInForm, UserForm
from qa.web.security import StoredSession, limiter

blueprint = Blueprint("people", __name__)
AGENT_REFUSALS = {
    "team": lambda: _("Choose a team of the centre."),
    "day": lambda: _("Write days like 2026-03-01, or leave them empty."),
    "order": lambda: _("Nobody leaves before they come: look at the two days again."),
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
REFUSALS = {
    "username": lambda: _("A user name has small letters, digits, dots and dashes."),
    "taken": lambda: _("This user name is taken."),
    "too_short": lambda: _("The password needs at least 10 characters."),
    "too_long": lambda: _("The password is too long."),
    "like_the_name": lambda: _("The password may not contain the user name."),
    "team": lambda: _("A team leader needs a team."),
    "agent": lambda: _("An agent needs the code of an agent of the centre."),
}


@blueprint.get("/")
def home() -> Response:
    return redirect(url_for(HOMES[person().role]))


@blueprint.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
def sign_in() -> Response | str | tuple[str, int]:
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
    if not wiring().settings.demo_sign_in:
        missing()
    with reading() as database:
        user = next(
            (u for u in store.demo_users(database) if str(u.id) == request.form.get("user")), None
        )
    return _enter(user) if user else missing()


@blueprint.post("/sign-out")
def sign_out() -> Response:
    with writing() as database:
        record_event(
            database,
            subject=Subject.USER,
            subject_id=person().id,
            event=EventKind.SIGNED_OUT,
            at=now(),
            actor_id=person().id,
        )
    _session().sign_out()
    return redirect(url_for("people.sign_in"))


@blueprint.post("/choose")
def choose() -> Response:
    """Language and theme: of the person, or of the browser's session before signing in."""
    from flask import g

    language = (
        request.form.get("language") if request.form.get("language") in ("en", "it", "zh") else None
    )
    theme = request.form.get("theme") if request.form.get("theme") in ("light", "dark") else None
    if g.user:
        with writing() as database:
            service.set_preferences(database, user_id=g.user.id, language=language, theme=theme)
    else:
        session.update({k: v for k, v in (("language", language), ("theme", theme)) if v})
    return redirect(_inside(request.form.get("next")))


@blueprint.get("/token")
def token() -> Response:
    """A fresh CSRF token, for a workbench whose person signed in again in another window."""
    return jsonify(token=generate_csrf())


@blueprint.route("/password", methods=["GET", "POST"])
@limiter.limit("10 per minute", methods=["POST"])
def password() -> Response | str | tuple[str, int]:
    """One's own password. A new one ends every open session, this one too."""
    form, user = PasswordForm(), person()
    if form.validate_on_submit():
        try:
            with writing() as database:
                if (
                    service.password_user(
                        database, username=user.username, password=form.current.data or ""
                    )
                    is None
                ):
                    flash(_("The present password is wrong."), "danger")
                    return render_template("people/password.html", form=form), 422
                service.set_password(
                    database, user_id=user.id, username=user.username, password=form.new.data or ""
                )
                record_event(
                    database,
                    subject=Subject.USER,
                    subject_id=user.id,
                    event=EventKind.PASSWORD_CHANGED,
                    at=now(),
                    actor_id=user.id,
                )
            _session().sign_out()  # or the end of this request would write it down again
            flash(_("Your password is changed. Sign in with the new one."), "success")
            return redirect(url_for("people.sign_in"))
        except service.UserRefused as error:
            flash(REFUSALS[str(error)](), "danger")
    return render_template("people/password.html", form=form), 422 if form.is_submitted() else 200


@blueprint.get("/people")
def listing() -> str:
    return _people_page(UserForm())


@blueprint.post("/people")
def add() -> Response | tuple[str, int]:
    form = UserForm()
    if form.validate_on_submit():
        try:
            with writing() as database:
                found = store.agent_by_code(database, form.agent.data) if form.agent.data else None
                user = service.add_user(
                    database,
                    username=form.username.data or "",
                    display_name=form.display_name.data or "",
                    role=Role(form.role.data),
                    password=form.password.data,
                    at=now(),
                    language=form.language.data,
                    team_id=form.team.data or None,
                    agent_id=found[0] if found else None,
                )
                record_event(
                    database,
                    subject=Subject.USER,
                    subject_id=user.id,
                    event=EventKind.ADDED,
                    at=now(),
                    actor_id=person().id,
                    role=user.role.value,
                )
            flash(_("%(name)s can sign in now.", name=user.display_name), "success")
            return redirect(url_for("people.listing"))
        except service.UserRefused as error:
            flash(REFUSALS[str(error)](), "danger")
    return _people_page(form), 422


@blueprint.post("/people/<int:user_id>/disable")
def disable(user_id: int) -> Response:
    with writing() as database:
        if store.user(database, user_id) is None or user_id == person().id:
            missing()
        service.disable_user(database, user_id=user_id)
        record_event(
            database,
            subject=Subject.USER,
            subject_id=user_id,
            event=EventKind.DISABLED,
            at=now(),
            actor_id=person().id,
        )
    flash(_("The user can no longer sign in."), "success")
    return redirect(url_for("people.listing"))


@blueprint.post("/people/<int:user_id>/projects")
def set_projects(user_id: int) -> Response:
    """Which projects a user works for: all, or some and nothing of the others."""
    with writing() as database:
        if store.user(database, user_id) is None or user_id == person().id:
            missing()
        known = {i for i, _code, _name in store.project_ids(database)}
        chosen = (
            None
            if request.form.get("all")
            else [p for p in request.form.getlist("project", type=int) if p in known]
        )
        store.set_projects(database, user_id, chosen)
        record_event(
            database,
            subject=Subject.USER,
            subject_id=user_id,
            event=EventKind.PROJECTS_CHANGED,
            at=now(),
            actor_id=person().id,
            projects=chosen,
        )
    flash(_("Saved."), "success")
    return redirect(url_for("people.listing"))


@blueprint.get("/people/agents/<int:agent_id>")
def agent(agent_id: int) -> str:
    with reading() as database:
        found, teams = store.agent(database, agent_id) or missing(), store.teams(database)
    return render_template("people/agent.html", agent=found, teams=teams, given={})


@blueprint.post("/people/agents/<int:agent_id>")
def change_agent(agent_id: int) -> Response | tuple[str, int]:
    given = {k: request.form.get(k, "").strip() for k in ("team", "hired_on", "left_on")}
    hired_on, left_on = parse_day(given["hired_on"]), parse_day(given["left_on"])
    try:
        if (given["hired_on"] and hired_on is None) or (given["left_on"] and left_on is None):
            raise service.AgentRefused("day")
        with writing() as database:
            before = store.agent(database, agent_id) or missing()
            team_id = int(given["team"]) if given["team"].isdecimal() else 0
            service.change_agent(
                database, agent_id=agent_id, team_id=team_id, hired_on=hired_on, left_on=left_on
            )
            detail = {
                "team_id": team_id,
                "hired_on": given["hired_on"],
                "left_on": given["left_on"],
                "team_before": before.team_id,
            }
            record_event(
                database,
                subject=Subject.AGENT,
                subject_id=agent_id,
                event=EventKind.SETTING_CHANGED,
                at=now(),
                actor_id=person().id,
                **detail,
            )
    except service.AgentRefused as error:
        flash(AGENT_REFUSALS[str(error)](), "danger")
        with reading() as database:
            found, teams = store.agent(database, agent_id) or missing(), store.teams(database)
        return render_template("people/agent.html", agent=found, teams=teams, given=given), 422
    flash(_("Saved."), "success")
    return redirect(url_for("people.listing"))


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
        if picked:
            service.set_preferences(
                database,
                user_id=user.id,
                language=picked.get("language"),
                theme=picked.get("theme"),
            )
        record_event(
            database,
            subject=Subject.USER,
            subject_id=user.id,
            event=EventKind.SIGNED_IN,
            at=now(),
            actor_id=user.id,
        )
    return redirect(_inside(request.args.get("next")))


def _inside(target: str | None) -> str:
    """A path of this site; anything else leads home."""
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
