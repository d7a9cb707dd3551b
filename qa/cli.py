"""The `qa` command: the same services as the web, from a terminal. `--json` prints one document on stdout; all else goes to stderr."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from qa.settings import HOUSE, Settings, load


def say(*words: object) -> None:
    click.echo(" ".join(map(str, words)), err=True)


def put(document: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


class Refusal(click.ClickException):
    """An expected failure: one clear line, exit 1."""

    def show(self, file: Any = None) -> None:
        say(f"error: {self.message}")


def wired() -> Any:
    """The wiring of this installation, with the schema checked."""
    from qa.tables.migrate import is_current
    from qa.wiring import Wiring

    wiring = Wiring.build(load())
    if not is_current(wiring.database):
        raise Refusal("the database is not set up or not up to date; run `qa init`")
    return wiring


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="earshot", prog_name="qa")
def main() -> None:
    """Earshot: call quality that people can defend."""
    from qa.logs import configure

    configure()


@main.command()
@click.option("--demo", is_flag=True, help="Also one user per role, for the demo's sign-in buttons.")
def init(demo: bool) -> None:
    """Set up: database, forms, a first sampling plan. Safe to repeat."""
    from qa import setup
    from qa.wiring import Wiring

    wiring = Wiring.build(load())
    setup.initialise(wiring)
    if demo:
        setup.add_demo_people(wiring)
    say(f"ready: {load().database.split('@')[-1]}")


@main.group()
def users() -> None:
    """People who sign in."""


@users.command("add")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(["agent", "team_leader", "evaluator", "qa_manager", "trainer", "administrator"]))
@click.option("--display-name", default="")
@click.option("--team", help="For a team leader: the team's name.")
@click.option("--agent", help="For an agent: the agent's code.")
@click.option("--language", type=click.Choice(["en", "it", "zh"]), default="en")
@click.password_option(help="Asked for when left out.")
def users_add(name: str, role: str, display_name: str, team: str | None, agent: str | None, language: str, password: str) -> None:
    """Add a user."""
    from qa.people import service, store
    from qa.people.types import Role

    wiring = wired()
    with wiring.database.write() as session:
        team_id = next((t.id for t in store.teams(session) if t.name == team), None)
        found = store.agent_by_code(session, agent) if agent else None
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
                agent_id=found[0] if found else None,
            )
        except service.UserRefused as error:
            raise Refusal(USER_FAULTS[str(error)]) from error
    say(f"added {name} as {role}")


USER_FAULTS = {
    "username": "a user name has 2–80 small letters, digits, dots, dashes, _ or @",
    "taken": "this user name is taken",
    "too_short": "the password needs at least 10 characters",
    "too_long": "the password may have at most 200 characters",
    "like_the_name": "the password may not contain the user name",
    "team": "a team leader needs --team with the name of a team that exists (import calls first, or check the spelling)",
    "agent": "an agent needs --agent with the code of an agent that exists (import calls first, or check the spelling)",
}


@main.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """Say what is wrong with this installation, in words. Exit 1 if anything is."""
    from qa.doctor import examine

    findings = examine(load())
    if as_json:
        put({"ok": all(f.is_ok for f in findings), "findings": [vars(f) for f in findings]})
    else:
        for f in findings:
            click.echo(f"{'ok  ' if f.is_ok else 'FAIL'} {f.what}: {f.message}")
    if not all(f.is_ok for f in findings):
        sys.exit(1)


@main.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV or JSON with the call data.")
@click.option("--json", "as_json", is_flag=True)
def import_(path: Path, manifest: Path | None, as_json: bool) -> None:
    """Take in a file, a folder or a manifest. Safe to repeat; exit 1 if any file was refused."""
    from qa.intake.service import ManifestRefused
    from qa.jobs.service import take_in
    from qa.progress import progress

    wiring = wired()
    try:
        outcomes = take_in(wiring, path, manifest=manifest, progress=progress)
    except ManifestRefused as error:
        raise Refusal(str(error)) from error
    refused = [o for o in outcomes if o.outcome.value == "refused"]
    counts = {k: sum(o.outcome.value == k for o in outcomes) for k in ("imported", "flagged", "known", "refused")}
    if as_json:
        put({"files": [o.document() for o in outcomes], "counts": counts})
    else:
        for o in outcomes:
            if o.reason:
                say(f"{o.outcome.value:9} {o.name}: {o.explanation}")
        say(", ".join(f"{n} {k}" for k, n in counts.items()))
    if refused:
        sys.exit(1)


@main.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day to draw from; yesterday when left out.")
@click.option("--plan", help="One plan; all active ones when left out.")
@click.option("--json", "as_json", is_flag=True)
def sample(day: Any, plan: str | None, as_json: bool) -> None:
    """Draw the calls that people will score. A day draws once: repeated, it prints the same draw."""
    from datetime import timedelta

    from qa.jobs import service as jobs
    from qa.jobs.announce import announce
    from qa.pipeline import draw, steps_after_draw
    from qa.sampling import store

    wiring = wired()
    when: date = day.date() if day else wiring.clock().astimezone(wiring.settings.zone).date() - timedelta(days=1)
    with wiring.database.write() as session:
        if plan and store.plan(session, plan) is None:
            raise Refusal(f"there is no plan {plan!r}; plans: {', '.join(p.code for p in store.plans(session)) or 'none'}")
        made = draw(wiring, session, when, plan=plan)
        asked = jobs.request(session, steps_after_draw(session, made), at=wiring.clock())
    announce(wiring.settings, asked)
    if as_json:
        put({"date": when.isoformat(), "draws": [d.document() for d in made]})
        return
    for d in made:
        click.echo(f"{d.plan} {d.day}: {len(d.calls)} of {d.frame_size} calls, seed {d.seed}{'' if d.is_new else ' (drawn before)'}")
        for c in d.calls:
            click.echo(f"  {c.external_id}  {c.stratum}  p={c.probability:.4f}  {c.reason}")


@main.command()
@click.option("--drain", is_flag=True, help="Go on until nothing is due.")
def work(drain: bool) -> None:
    """Run due tasks in this process, without a broker."""
    from qa.jobs import store
    from qa.jobs.service import take_back, work_once
    from qa.jobs.types import TaskState
    from qa.progress import counting

    wiring = wired()
    take_back(wiring)
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
        aside = store.tasks(session, state=TaskState.SET_ASIDE)
        waiting = store.counts(session)[TaskState.WAITING]
    for task in aside:
        say(f"set aside: {task.step} {task.subject_id}: {task.error.splitlines()[0] if task.error else ''}")
    say(f"done; {waiting} waiting for their next try, {len(aside)} set aside")


@main.command()
def worker() -> None:
    """Serve the queue until stopped (production)."""
    from qa.jobs.worker import work as serve

    serve(load())


@main.command()
def scheduler() -> None:
    """Run what is due by the clock until stopped (production; one is enough, more do no harm)."""
    from qa.jobs.schedule import run

    run(wired())


@main.command()
@click.option("--demo", is_flag=True, help="Set up the demo centre first: sample calls imported, drawn, transcribed, checked and queued.")
def up(demo: bool) -> None:
    """Broker, worker, scheduler and web in one. Ctrl-C stops cleanly."""
    from qa.supervisor import run

    run(load(), demo=demo)


@main.command()
def web() -> None:
    """The web server alone."""
    from qa.supervisor import serve

    serve(load())


def _sound(file: Path, settings: Settings) -> Any:
    from qa.engines.audio import RecordingUnreadable, decode
    from qa.intake.types import REASON_TEXTS, Reason

    try:
        return decode(file, max_seconds=settings.max_call_seconds, memory_megabytes=settings.decoder_memory_megabytes)
    except RecordingUnreadable as error:
        raise Refusal(f"{file.name}: {REASON_TEXTS[Reason(error.reason)]}") from error


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.command()
@click.argument("file", type=FILE)
@click.option("--language", type=click.Choice(["en", "it", "zh"]))
@click.option("--unmasked", is_flag=True, help="Leave card, identity and telephone numbers as they were said.")
@click.option("--json", "as_json", is_flag=True)
def transcribe(file: Path, language: str | None, unmasked: bool, as_json: bool) -> None:
    """One recording to a transcript document."""
    from qa.engines.audio import RecordingUnreadable
    from qa.intake.types import REASON_TEXTS, Reason
    from qa.progress import share_done
    from qa.transcription.rules.private import redact
    from qa.wiring import Ears

    try:
        with share_done(file.name) as tell:
            heard = Ears(load().model_copy(update={"transcriber": "whisper"})).listen(file, language=language, source_name=file.name, tell=tell).transcript
    except RecordingUnreadable as error:
        raise Refusal(f"{file.name}: {REASON_TEXTS[Reason(error.reason)]}") from error
    names = [n.strip() for n in load().private_names.split(",") if n.strip()]
    transcript = heard if unmasked else redact(heard, names=names)
    if as_json:
        put(transcript.model_dump(mode="json"))
    else:
        for u in transcript.utterances:
            click.echo(f"{u.start:7.2f} {u.speaker:8} {u.text}")


@main.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True)
def acoustics(file: Path, as_json: bool) -> None:
    """One recording to speech mechanics: talk, silence, overlap, interruptions; and the quality of the line."""
    from qa.engines.acoustics import line_quality
    from qa.engines.speakers import speech_by_voice
    from qa.engines.speech import speech_of
    from qa.transcription.service import mechanics_of
    from qa.transcription.types import Heard, Transcript

    sound = _sound(file, load())
    speech = speech_of(sound.samples)
    if sound.channels == 1:
        speech = speech_by_voice(sound.samples[0], speech[0])
    silent = Transcript(language="en", duration=sound.seconds)
    mechanics = mechanics_of(Heard(transcript=silent, speech=speech, line=tuple(line_quality(sound))))
    document = mechanics.model_dump(mode="json") | {"lost_seconds": sound.lost_seconds}
    if as_json:
        put(document)
    else:
        for key in ("duration", "silence_share", "overlap_share", "speakers_known", "line"):
            click.echo(f"{key}: {document[key]}")


def _form(name: str) -> Any:
    """A form by file, or by the id of a shipped one (the newest version)."""
    from qa.forms.reader import read_form
    from qa.forms.types import FormFaults

    path = Path(name)
    if not path.is_file():
        shipped = sorted((HOUSE / "scoring_forms").glob(f"{name}.v*.yaml"), key=lambda p: int(p.stem.rsplit(".v", 1)[1]))
        if not shipped or not name.isidentifier():
            raise Refusal(f"no form {name!r}: give a YAML file, or one of {', '.join(sorted(_shipped()))}")
        path = shipped[-1]
    try:
        return read_form(path.read_text(encoding="utf-8"), file=path.name)
    except FormFaults as faults:
        raise Refusal(f"the form has faults:\n{faults}") from faults
    except UnicodeDecodeError as error:
        raise Refusal(f"{path.name} is not UTF-8 text") from error


def _shipped() -> set[str]:
    return {p.name.split(".")[0] for p in (HOUSE / "scoring_forms").glob("*.yaml")}


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Refusal(f"{path.name} is not a JSON document: {error}") from error


@main.command()
@click.option("--form", required=True, help="A YAML file, or the id of a shipped form.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="The form's variables, like company=Acme; or call data, like ticket.number=7.")
@click.option("--transcript", required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True)
def check(form: str, pairs: tuple[str, ...], transcript: Path, as_json: bool) -> None:
    """One transcript document to findings."""
    from pydantic import ValidationError

    from qa.checking.rules import check_call
    from qa.engines.courtesy import shipped
    from qa.intake.rules import nested
    from qa.transcription.types import Transcript

    read = _form(form)
    try:
        heard = Transcript.model_validate(_document(transcript))
    except (ValidationError, KeyError, TypeError) as error:
        raise Refusal(f"{transcript.name} is not a transcript document: {_first(error)}") from error
    given = dict(p.partition("=")[::2] for p in pairs)
    if bad := [p for p in pairs if "=" not in p]:
        raise Refusal(f"--set {bad[0]}: write NAME=VALUE")
    variables = {k: v for k, v in given.items() if k in read.variables}
    details = nested({k: v for k, v in given.items() if k not in read.variables})
    found = check_call(read, heard, variables=variables, details=details, acts=shipped())
    if as_json:
        put(found.document())
    else:
        for f in found.findings:
            quote = " / ".join(e.text for e in f.evidence if e.text)
            click.echo(f"{f.verdict.value:14} {f.confidence:4.2f} {f.criterion:28} {quote}")
        click.echo(f"score {found.low}–{found.high}")


def _first(error: Exception) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        e = error.errors()[0]
        return f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
    return f"{type(error).__name__} {error}"


@main.command()
@click.option("--form", required=True)
@click.option("--answers", required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True)
def score(form: str, answers: Path, as_json: bool) -> None:
    """One answers document to its score."""
    from qa.forms.rules import AnswersRefused
    from qa.forms.rules import score as total

    read, document = _form(form), _document(answers)
    given = document.get("answers") if isinstance(document, dict) else None
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise Refusal(f'{answers.name}: write {{"answers": {{"criterion.id": "option"}}}}')
    try:
        result = total(read, given).document()
    except AnswersRefused as refused:
        known = {c.id: ", ".join(o.id for o in c.choices) + (", na" if c.na else "") for c in read.criteria()}
        lines = [f"{c}: {p.replace('_', ' ')}" + (f"; options: {known[c]}" if c in known else "") for c, p in refused.faults.items()]
        raise Refusal("answers refused:\n  " + "\n  ".join(lines)) from refused
    if as_json:
        put(result)
    else:
        click.echo(f"score {result['score']}  passed {result['passed']}")


@main.command()
@click.argument("month")
@click.option("--project")
@click.option("--team")
@click.option("--format", "formats", default="json,html,xlsx", help="Of json, html, xlsx, with commas between.")
@click.option("--language", type=click.Choice(["en", "it", "zh"]), default="en")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("."))
def report(month: str, project: str | None, team: str | None, formats: str, language: str, out: Path) -> None:
    """The monthly quality report, as files. MONTH is like 2026-11."""
    from qa.app import create_app, report_files
    from qa.calendar import MonthRefused
    from qa.reporting.service import UnknownScope

    wanted = [f.strip() for f in formats.split(",") if f.strip()]
    if unknown := set(wanted) - {"json", "html", "xlsx"}:
        hint = " (PDF: print the HTML, or wait for a later version)" if "pdf" in unknown else ""
        raise Refusal(f"no format {', '.join(sorted(unknown))}; formats: json, html, xlsx{hint}")
    try:
        files = report_files(create_app(load(), wiring=wired()), month=month, project=project, team=team, language=language, formats=wanted)
    except MonthRefused as error:
        raise Refusal(str(error)) from error
    except UnknownScope as error:
        raise Refusal(f"there is no project or team {error}") from error
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
        say(out / name)


@main.command()
@click.argument("month")
@click.option("--json", "as_json", is_flag=True)
def training(month: str, as_json: bool) -> None:
    """The training-need list of a month, over the three months that end with it."""
    from qa.calendar import MonthRefused
    from qa.forms.service import vocabulary
    from qa.training.service import need_list

    wiring = wired()
    try:
        with wiring.database.read() as session:
            titles, topics = vocabulary(session)
            needs = need_list(session, month=month, zone=wiring.settings.zone, titles=titles, topics=topics)
    except MonthRefused as error:
        raise Refusal(str(error)) from error
    if as_json:
        put(needs.document())
        return
    for n in needs.needs:
        click.echo(f"{n.urgency.value:6} {n.probability:.2f}  {n.agent} ({n.team})  {n.criterion}  kept {100 * n.rate:.0f} % of {n.cards} cards")
    if not needs.needs:
        click.echo(f"no needs to list; {needs.pairs_looked_at} agent and criterion pairs were looked at")


@main.group()
def forms() -> None:
    """Scoring forms."""


@forms.command("validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def forms_validate(files: tuple[Path, ...]) -> None:
    """Every fault with file, line and what to write instead. Exit 1 if there is any."""
    from qa.forms.reader import read_form
    from qa.forms.types import FormFaults

    bad = 0
    for path in files or sorted((HOUSE / "scoring_forms").glob("*.yaml")):
        try:
            form = read_form(path.read_text(encoding="utf-8"), file=str(path))
            say(f"{path}: ok, {form.form} version {form.version}, {len(form.criteria())} criteria")
        except FormFaults as faults:
            bad += 1
            click.echo(str(faults))
        except (OSError, UnicodeDecodeError) as error:
            bad += 1
            click.echo(f"{path}:1: cannot be read: {error}. Give a UTF-8 text file.")
    if bad:
        sys.exit(1)


@main.command()
@click.option("--agents", default=40, show_default=True, type=click.IntRange(1, 5000))
@click.option("--calls", default=400, show_default=True, type=click.IntRange(1, 100_000), help="Per agent and month.")
@click.option("--months", default=3, show_default=True, type=click.IntRange(1, 36))
@click.option("--seed", default=1, show_default=True)
def simulate(agents: int, calls: int, months: int, seed: int) -> None:
    """A simulated centre in the database, marked as simulated, for trials and benchmarks."""
    from qa.progress import counting
    from qa.simulation import simulate_centre

    wiring = wired()
    with counting("simulating", agents * months) as tick:
        made = simulate_centre(wiring, agents=agents, calls=calls, months=months, seed=seed, tick=tick)
    say(f"simulated {made.calls} calls and {made.cards} scorecards of {agents} agents, months {made.first_month} to {made.last_month}")


@main.command()
@click.argument("month", required=False)
@click.option("--json", "as_json", is_flag=True)
def learn(month: str | None, as_json: bool) -> None:
    """Learn from people's answers how far the automatic ones can be believed. MONTH (the next one when left out) is when that begins to count."""
    from qa.calendar import MonthRefused, month_before
    from qa.learning.service import MonthIsClosed
    from qa.learning.service import learn as fit
    from qa.reporting.store import is_closed

    wiring = wired()
    zone = wiring.settings.zone
    month = month or month_before(f"{wiring.clock().astimezone(zone):%Y-%m}", -1)
    try:
        with wiring.database.write() as session:
            made = fit(session, month=month, is_closed=is_closed(session, month), zone=zone, at=wiring.clock())
    except MonthRefused as error:
        raise Refusal(str(error)) from error
    except MonthIsClosed as error:
        raise Refusal(f"{error} is closed and stays as it is; learn for a later month") from error
    if as_json:
        put(made.document())
        return
    click.echo(f"calibration for {month}: {'made' if made.is_new else 'made before, unchanged'}, {len(made.calibration.curves)} criteria with enough answers")
    for c in made.criteria:
        after = f", Brier {c.brier_before:.3f} → {c.brier_after:.3f}" if c.brier_after is not None else ""
        again = f"  OFTEN OVERTURNED, calls {', '.join(map(str, c.overturned_calls))}" if c.is_often_overturned else ""
        click.echo(f"  {c.form} {c.criterion}: {c.count} answers, agreement {100 * c.agreement:.0f} % ({100 * c.low:.0f}–{100 * c.high:.0f}){after}{again}")
