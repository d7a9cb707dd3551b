"""Commands of what comes of it: `ratings`, `publish`, `report`, `training`, `simulate`."""

from pathlib import Path

import click

from qa.cli.terminal import Refusal, echo_err, load_wiring, print_json


@click.command()
@click.argument("month")
@click.option("--project")
@click.option("--department")
@click.option("--team")
@click.option("--agent", help="An agent's code.")
@click.option(
    "--format",
    "formats",
    default="json,html,xlsx",
    help="Of json, html, xlsx, pdf, with commas between.",
)
@click.option("--language", type=click.Choice(["en", "it", "zh"]), default="en")
@click.option(
    "--audience",
    type=click.Choice(["manager", "board", "leader"]),
    default="manager",
    show_default=True,
    help="How deep it goes.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path())
def report(
    month: str,
    project: str | None,
    department: str | None,
    team: str | None,
    agent: str | None,
    formats: str,
    language: str,
    audience: str,
    out: Path,
) -> None:
    """The monthly quality report, as files. MONTH is like 2026-11."""
    from qa.months import Month, MonthRefused
    from qa.publishing.files import report_files
    from qa.reporting.types.scope import About, UnknownScope
    from qa.states import Audience

    kinds = [kind.strip() for kind in formats.split(",") if kind.strip()]
    if unknown := set(kinds) - {"json", "html", "xlsx", "pdf"}:
        raise Refusal(f"no format {', '.join(sorted(unknown))}; formats: json, html, xlsx, pdf")
    try:
        files = report_files(
            load_wiring(),
            month=Month(month),
            about=About(project, department, team, agent),
            language=language,
            formats=kinds,
            audience=Audience(audience),
        )
    except MonthRefused as error:
        raise Refusal(str(error)) from error
    except UnknownScope as error:
        raise Refusal(f"there is no project, department, team or agent {error}") from error
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
        echo_err(out / name)


@click.command()
@click.argument("month")
@click.option("--json", "as_json", is_flag=True)
def training(month: str, as_json: bool) -> None:
    """The training-need list of a month, over the three months that end with it."""
    from qa.forms.service import vocabulary
    from qa.months import Month, MonthRefused
    from qa.training.service import need_list

    wiring = load_wiring()
    try:
        with wiring.database.read() as session:
            titles, topics = vocabulary(session)
            needs = need_list(
                session, month=Month(month), zone=wiring.settings.zone, titles=titles, topics=topics
            )
    except MonthRefused as error:
        raise Refusal(str(error)) from error
    if as_json:
        print_json(needs.document())
        return
    for n in needs.needs:
        kept = f"kept {100 * n.rate:.0f} % (target {100 * n.target:.0f} %) on {n.cards} cards"
        click.echo(
            f"{n.urgency.value:6} {n.probability:.2f}  {n.agent} ({n.team})  {n.criterion}  {kept}"
        )
    if not needs.needs:
        click.echo(
            f"no needs to list; {needs.pairs_looked_at} agent and criterion pairs were looked at"
        )


@click.command()
@click.option("--agents", default=40, show_default=True, type=click.IntRange(1, 5000))
@click.option(
    "--calls",
    default=400,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Per agent and month.",
)
@click.option("--months", default=3, show_default=True, type=click.IntRange(1, 36))
@click.option("--seed", default=1, show_default=True)
def simulate(agents: int, calls: int, months: int, seed: int) -> None:
    """A simulated centre in the database, marked as simulated, for trials and benchmarks."""
    from qa.progress import counting
    from qa.simulation import AlreadySimulated, simulate_centre

    wiring = load_wiring()
    with counting("simulating", agents * months) as tick:
        try:
            made = simulate_centre(
                wiring, agents=agents, calls=calls, months=months, seed=seed, tick=tick
            )
        except AlreadySimulated as error:
            raise Refusal(
                f"a centre of seed {seed} is in this database already; take another seed"
            ) from error
    echo_err(
        f"simulated {made.calls} calls and {made.cards} scorecards of {agents} agents, months"
        f" {made.first_month} to {made.last_month}"
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default="", help="Where the ratings come from, say `sms survey`.")
@click.option("--json", "as_json", is_flag=True)
def ratings(file: Path, source: str, as_json: bool) -> None:
    """Take in customers' ratings of calls: CSV or JSON with external_id, rating, perhaps scale (say
    1-5). Safe to repeat; exit 1 if a row was refused.
    """
    from qa.intake.service import ManifestRefused, read_ratings, save_ratings

    wiring = load_wiring()
    try:
        rows = read_ratings(file)
    except ManifestRefused as error:
        raise Refusal(str(error)) from error
    with wiring.database.write() as session:
        taken = save_ratings(session, rows, source=source or file.name, at=wiring.clock())
    if as_json:
        print_json(taken.document())
    else:
        echo_err(f"{taken.kept} ratings taken in, {len(taken.refused)} refused")
        for name, reason in taken.refused[:20]:
            echo_err(f"  {name}: {reason}")
    if taken.refused:
        raise SystemExit(1)


@click.command()
def publish() -> None:
    """Make the scheduled reports that are due, and those asked for on the page (the scheduler does
    this every minute).
    """
    from qa.publishing.delivery import publish as deliver

    echo_err(f"{deliver(load_wiring())} reports made")


COMMANDS = (
    ratings,
    publish,
    report,
    training,
    simulate,
)
