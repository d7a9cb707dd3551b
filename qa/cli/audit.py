"""Verify the access log from a terminal."""

import sys

import click

from qa.cli.terminal import Refusal, echo_err, load_wiring, print_json


@click.group()
def audit() -> None:
    """The log of who saw, played, changed and exported what."""


@audit.command("head")
def head_of_chain() -> None:
    """Print the end of the chain.

    Note it somewhere else: `verify --head` proves later that nothing before it was exchanged.
    """
    from qa.audit import store

    with load_wiring().database.read() as session:
        click.echo(store.head(session))


@audit.command()
@click.option(
    "--head", "noted", help="A head printed earlier by `qa audit head` and kept elsewhere."
)
@click.option("--json", "as_json", is_flag=True)
def verify(noted: str | None, as_json: bool) -> None:
    """Go through every line and say which were changed,
    are missing or were put in. Exit 1 if any.
    """
    from qa.audit import rules, store
    from qa.audit.types import Damage
    from qa.progress import progress

    try:
        noted_head = rules.parse_head(noted) if noted else None
    except ValueError as error:
        raise Refusal(str(error)) from error
    with load_wiring().database.read() as session:
        head, count = store.head(session), store.count(session)
        checked = (
            line
            for _, line in zip(
                progress(range(count), "verifying"), store.lines(session), strict=False
            )
        )
        faults = list(rules.faults(checked, head, noted=noted_head))
    if as_json:
        print_json(
            {
                "ok": not faults,
                "lines": count,
                "head": str(head),
                "faults": [
                    {"damage": fault.damage.value, "event": fault.event_id} for fault in faults
                ],
            }
        )
    else:
        words = {
            Damage.CHANGED: "was changed, or the line before it was exchanged",
            Damage.MISSING: "is missing",
            Damage.ADDED: "was put in beyond the end of the chain",
            Damage.OTHER_HISTORY: "is not the one that was noted: lines up to it were written anew",
        }
        for fault in faults:
            click.echo(f"line {fault.event_id} {words[fault.damage]}")
        echo_err(
            f"{count} lines,"
            f" {'the chain is whole' if not faults else f'{len(faults)} faults'}; head"
            f" {head}"
        )
    if faults:
        sys.exit(1)


COMMANDS = (audit,)
