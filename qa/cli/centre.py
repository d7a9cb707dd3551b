"""Set up and run a centre: `init`, `users`, `doctor`, `up`, `work` and production services."""

import sys

import click

from qa.cli.terminal import Refusal, echo_err, load_wiring, print_json, settings
from qa.people.types import UserFault


@click.command()
@click.option(
    "--demo", is_flag=True, help="Also one user per role, for the demo's sign-in buttons."
)
def init(demo: bool) -> None:
    """Set up: database, forms, a first sampling plan. Safe to repeat."""
    from qa import setup
    from qa.wiring import Wiring

    wiring = Wiring.build(settings())
    setup.initialise(wiring)
    if demo:
        setup.add_demo_people(wiring)
    echo_err(f"ready: {settings().database.split('@')[-1]}")


@click.group()
def users() -> None:
    """People who sign in."""


@users.command("add")
@click.argument("name")
@click.option(
    "--role",
    required=True,
    type=click.Choice(
        ["agent", "team_leader", "evaluator", "qa_manager", "trainer", "administrator", "director"]
    ),
)
@click.option("--display-name", default="")
@click.option("--team", help="For a team leader: the team's name.")
@click.option("--agent", help="For an agent: the agent's code.")
@click.option("--language", type=click.Choice(["en", "it", "zh"]), default="en")
@click.password_option(help="Asked for when left out.")
def users_add(
    name: str,
    role: str,
    display_name: str,
    team: str | None,
    agent: str | None,
    language: str,
    password: str,
) -> None:
    """Add a user."""
    from qa.people import service, store
    from qa.states import Role

    wiring = load_wiring()
    with wiring.database.write() as session:
        team_id = next((row.id for row in store.teams(session) if row.name == team), None)
        agent_row = store.agent_by_code(session, agent) if agent else None
        try:
            service.add_user(
                session,
                username=name,
                display_name=display_name or name,
                role=Role(role),
                password=password,
                at=wiring.clock(),
                language=language,
                team_id=team_id,
                agent_id=agent_row[0] if agent_row else None,
            )
        except service.UserRefused as error:
            raise Refusal(USER_FAULTS[error.fault]) from error
    echo_err(f"added {name} as {role}")


@users.command("password")
@click.argument("name")
@click.password_option(help="Asked for when left out.")
def users_password(name: str, password: str) -> None:
    """Give a user a new password. Every open session of theirs ends."""
    from qa.people import service, store

    wiring = load_wiring()
    with wiring.database.write() as session:
        credentials = store.credentials(session, name)
        if credentials is None:
            raise Refusal(f"there is no user {name!r}")
        try:
            service.set_password(
                session,
                user_id=credentials[0].id,
                username=name,
                password=password,
                at=wiring.clock(),
            )
        except service.UserRefused as error:
            raise Refusal(USER_FAULTS[error.fault]) from error
    echo_err(f"{name} has a new password")


@users.command("projects")
@click.argument("name")
@click.argument("codes", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All projects, new ones too.")
def users_projects(name: str, codes: tuple[str, ...], every: bool) -> None:
    """Hold a user to the projects with these CODES; they see nothing of the others."""
    from qa.people import service, store

    if every == bool(codes):
        raise Refusal("give the codes of projects, or --all")
    wiring = load_wiring()
    with wiring.database.write() as session:
        credentials = store.credentials(session, name)
        if credentials is None:
            raise Refusal(f"there is no user {name!r}")
        ids = {code: project_id for project_id, code, _name in store.project_ids(session)}
        if unknown := sorted(set(codes) - set(ids)):
            raise Refusal(
                f"there is no project {', '.join(unknown)}; there are:"
                f" {', '.join(sorted(ids)) or 'none'}"
            )
        service.set_projects(
            session,
            user_id=credentials[0].id,
            project_ids=None if every else [ids[code] for code in codes],
            at=wiring.clock(),
        )
    echo_err(f"{name} works for {'all projects' if every else ', '.join(codes)}")


USER_FAULTS = {
    UserFault.USERNAME: "a user name has 2–80 small letters, digits, dots, dashes, _ or @",
    UserFault.TAKEN: "this user name is taken",
    UserFault.TOO_SHORT: "the password needs at least 10 characters",
    UserFault.TOO_LONG: "the password may have at most 200 characters",
    UserFault.LIKE_THE_NAME: "the password may not contain the user name",
    UserFault.TEAM: (
        "a team leader needs --team with the name of a team that exists (import calls first, or"
        " check the spelling)"
    ),
    UserFault.AGENT: (
        "an agent needs --agent with the code of an agent that exists (import calls first, or check"
        " the spelling)"
    ),
}


@click.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """Say what is wrong with this installation, in words. Exit 1 if anything is."""
    from qa.doctor import examine

    findings = examine(settings())
    if as_json:
        print_json(
            {
                "ok": all(finding.is_ok for finding in findings),
                "findings": [vars(finding) for finding in findings],
            }
        )
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.is_ok else 'FAIL'} {finding.what}: {finding.message}")
    if not all(finding.is_ok for finding in findings):
        sys.exit(1)


@click.command()
@click.option("--drain", is_flag=True, help="Go on until nothing is due.")
def work(drain: bool) -> None:
    """Run due tasks in this process, without a broker."""
    from qa.jobs import store
    from qa.jobs.service import reclaim_expired, work_once
    from qa.progress import counting
    from qa.states import TaskState

    wiring = load_wiring()
    reclaim_expired(wiring)
    with wiring.database.read() as session:
        due = len(store.due(session, now=wiring.clock(), limit=1_000_000))
    with counting("working", due) as tick:
        while (claim := work_once(wiring)) is not None:
            with wiring.database.read() as session:
                left = len(store.due(session, now=wiring.clock(), limit=1_000_000))
            tick(f"{claim.step} {claim.subject_id}", left)
            if not drain and left == 0:
                break
    with wiring.database.read() as session:
        aside = store.tasks(session, state=TaskState.FAILED)
        waiting = store.counts(session)[TaskState.WAITING]
    for task in aside:
        echo_err(
            f"set aside: {task.step} {task.subject_id}:"
            f" {task.error.splitlines()[0] if task.error else ''}"
        )
    echo_err(f"done; {waiting} waiting for their next try, {len(aside)} set aside")


@click.command()
def worker() -> None:
    """Serve the queue until stopped (production)."""
    import redis

    from qa.jobs.worker import work as serve

    load_wiring()  # refuses where there is no database yet
    try:
        serve(settings())
    except redis.ConnectionError as error:
        where = settings().broker.split("@")[-1]
        raise Refusal(f"the broker is not reached at {where}: {error}") from error


@click.command()
def scheduler() -> None:
    """Run what is due by the clock until stopped (production; one is enough, more do no harm)."""
    from qa.jobs.periodic import run

    run(load_wiring())


@click.command()
@click.option(
    "--demo",
    is_flag=True,
    help=(
        "Set up the demo centre first: sample calls imported, drawn, transcribed, checked and"
        " queued."
    ),
)
def up(demo: bool) -> None:
    """Broker, worker, scheduler and web in one. Ctrl-C stops cleanly."""
    from qa.supervisor import run

    run(settings(), demo=demo)


@click.command()
def web() -> None:
    """The web server alone."""
    from qa.supervisor import serve

    load_wiring()  # refuses where there is no database yet
    serve(settings())


@click.group()
def projects() -> None:
    """Clients and campaigns."""


@projects.command("originals")
@click.argument("code")
@click.argument("policy", type=click.Choice(["keep", "replace"]))
def projects_originals(code: str, policy: str) -> None:
    """Whether a project keeps recordings in which something was masked.

    One with a card code in it is always replaced.
    """
    from qa.people.store import set_keeps_originals

    with load_wiring().database.write() as session:
        if not set_keeps_originals(session, code, keeps=policy == "keep"):
            raise Refusal(
                f"there is no project {code!r}; import calls of it first, or check the spelling"
            )
    echo_err(
        f"{code}: recordings with something masked are"
        f" {'kept' if policy == 'keep' else 'replaced by their silenced copy'}"
    )


COMMANDS = (
    init,
    users,
    projects,
    doctor,
    work,
    worker,
    scheduler,
    up,
    web,
)
