"""Forms: `forms validate`, `check`, `score`, `learn`."""

import sys
from pathlib import Path

import click

from qa.cli.terminal import (
    FILE,
    Refusal,
    document_in,
    echo_err,
    form_named,
    load_wiring,
    print_json,
)
from qa.settings import PROJECT_ROOT


@click.command()
@click.option("--form", required=True, help="A YAML file, or the id of a shipped form.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="The form's variables, like company=Acme; or call data, like ticket.number=7.",
)
@click.option("--transcript", required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True)
def check(form: str, pairs: tuple[str, ...], transcript: Path, as_json: bool) -> None:
    """One transcript document to findings."""
    from pydantic import ValidationError

    from qa.checking.rules import check_call
    from qa.engines.courtesy import shipped
    from qa.intake.rules import nested
    from qa.transcription.types import Transcript

    read = form_named(form)
    try:
        document = Transcript.model_validate(document_in(transcript))
    except (ValidationError, KeyError, TypeError) as error:
        raise Refusal(f"{transcript.name} is not a transcript document: {_first(error)}") from error
    pairs_by_name = dict(pair.partition("=")[::2] for pair in pairs)
    if bad := [pair for pair in pairs if "=" not in pair]:
        raise Refusal(f"--set {bad[0]}: write NAME=VALUE")
    variables = {name: value for name, value in pairs_by_name.items() if name in read.variables}
    details = nested(
        {name: value for name, value in pairs_by_name.items() if name not in read.variables}
    )
    result = check_call(read, document, variables=variables, details=details, acts=shipped())
    if as_json:
        print_json(result.document())
    else:
        for finding in result.findings:
            quote = " / ".join(piece.text for piece in finding.evidence if piece.text)
            click.echo(
                f"{finding.verdict.value:14} {finding.confidence:4.2f}"
                f" {finding.criterion:28} {quote}"
            )
        click.echo(f"score {result.low}–{result.high}")


def _first(error: Exception) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__} {error}"


@click.command()
@click.option("--form", required=True)
@click.option("--answers", required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True)
def score(form: str, answers: Path, as_json: bool) -> None:
    """One answers document to its score."""
    from qa.forms.rules import AnswersRefused
    from qa.forms.rules import score as total

    read, document = form_named(form), document_in(answers)
    chosen = document.get("answers") if isinstance(document, dict) else None
    if not isinstance(chosen, dict) or not all(
        isinstance(option, str) for option in chosen.values()
    ):
        raise Refusal(f'{answers.name}: write {{"answers": {{"criterion.id": "option"}}}}')
    try:
        result = total(read, chosen).document()
    except AnswersRefused as refused:
        options = {
            criterion.id: ", ".join(option.id for option in criterion.choices)
            + (", na" if criterion.na else "")
            for criterion in read.criteria()
        }
        lines = [
            f"{criterion}: {fault.replace('_', ' ')}"
            + (f"; options: {options[criterion]}" if criterion in options else "")
            for criterion, fault in refused.faults.items()
        ]
        raise Refusal("answers refused:\n  " + "\n  ".join(lines)) from refused
    if as_json:
        print_json(result)
    else:
        click.echo(f"score {result['score']}  passed {result['passed']}")


@click.group()
def forms() -> None:
    """Scoring forms."""


@forms.command("validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def forms_validate(files: tuple[Path, ...]) -> None:
    """Every fault with file, line and what to write instead. Exit 1 if there is any."""
    from qa.forms.reader import read_form
    from qa.forms.types import FormFaults

    bad = 0
    for path in files or sorted((PROJECT_ROOT / "scoring_forms").glob("*.yaml")):
        try:
            form = read_form(path.read_text(encoding="utf-8"), file=str(path))
            echo_err(
                f"{path}: ok, {form.form} version {form.version}, {len(form.criteria())} criteria"
            )
        except FormFaults as faults:
            bad += 1
            click.echo(str(faults))
        except (OSError, UnicodeDecodeError) as error:
            bad += 1
            click.echo(f"{path}:1: cannot be read: {error}. Give a UTF-8 text file.")
    if bad:
        sys.exit(1)


@click.command()
@click.argument("month", required=False)
@click.option("--json", "as_json", is_flag=True)
def learn(month: str | None, as_json: bool) -> None:
    """Learn from people's answers how far the automatic ones can be believed.

    MONTH (the next one when left out) is when that begins to count.
    """
    from qa.confidence.service import MonthIsClosed
    from qa.confidence.service import fit_month as fit
    from qa.months import Month, MonthRefused
    from qa.reporting.store import is_closed

    wiring = load_wiring()
    zone = wiring.settings.zone
    try:
        begins = Month(month) if month else Month.containing(wiring.clock(), zone).next()
        with wiring.database.write() as session:
            made = fit(
                session,
                month=begins,
                is_closed=is_closed(session, begins),
                zone=zone,
                at=wiring.clock(),
            )
    except MonthRefused as error:
        raise Refusal(str(error)) from error
    except MonthIsClosed as error:
        raise Refusal(f"{error} is closed and stays as it is; learn for a later month") from error
    if as_json:
        print_json(made.document())
        return
    if not made.calibration.curves:
        click.echo(
            f"nothing to learn for {month} yet: a criterion needs ten automatic answers that people"
            " have answered too"
        )
    else:
        click.echo(
            f"calibration for {month}: {'made' if made.is_new else 'made before, unchanged'},"
            f" {len(made.calibration.curves)} criteria with enough answers"
        )
    for c in made.criteria:
        after = (
            f", Brier {c.brier_before:.3f} → {c.brier_after:.3f}"
            if c.brier_after is not None
            else ""
        )
        again = (
            f"  OFTEN OVERTURNED, calls {', '.join(map(str, c.overturned_calls))}"
            if c.is_often_overturned
            else ""
        )
        click.echo(
            f"  {c.form} {c.criterion}: {c.count} answers, agreement {100 * c.agreement:.0f} %"
            f" ({100 * c.low:.0f}–{100 * c.high:.0f}){after}{again}"
        )


COMMANDS = (
    check,
    score,
    forms,
    learn,
)
