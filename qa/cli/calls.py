"""Calls: `import`, `sample`, `transcribe`, `acoustics`."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from qa.cli.terminal import FILE, Refusal, echo_err, load_wiring, print_json, settings
from qa.settings import Settings


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV or JSON with the call data.",
)
@click.option("--json", "as_json", is_flag=True)
def import_(path: Path, manifest: Path | None, as_json: bool) -> None:
    """Take in a file, a folder or a manifest. Safe to repeat; exit 1 if any file was refused."""
    from qa.intake.service import ManifestRefused
    from qa.jobs.service import import_recordings
    from qa.progress import progress

    wiring = load_wiring()
    try:
        outcomes = import_recordings(wiring, path, manifest=manifest, progress=progress)
    except ManifestRefused as error:
        raise Refusal(str(error)) from error
    refused = [outcome for outcome in outcomes if outcome.outcome.value == "refused"]
    counts = {
        kind: sum(outcome.outcome.value == kind for outcome in outcomes)
        for kind in ("imported", "flagged", "known", "refused")
    }
    if as_json:
        print_json({"files": [outcome.document() for outcome in outcomes], "counts": counts})
    else:
        for outcome in outcomes:
            if outcome.reason:
                echo_err(f"{outcome.outcome.value:9} {outcome.name}: {outcome.explanation}")
        echo_err(", ".join(f"{number} {kind}" for kind, number in counts.items()))
    if refused:
        sys.exit(1)


@click.command()
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to draw from; yesterday when left out.",
)
@click.option("--plan", help="One plan; all active ones when left out.")
@click.option("--json", "as_json", is_flag=True)
def sample(day: Any, plan: str | None, as_json: bool) -> None:
    """Draw the calls that people will score. A day draws once:
    repeated, it prints the same draw.
    """
    from datetime import timedelta

    from qa.jobs import service as jobs
    from qa.jobs.announce import announce
    from qa.pipeline import draw, steps_after_draw
    from qa.sampling import store

    wiring = load_wiring()
    when: date = (
        day.date()
        if day
        else wiring.clock().astimezone(wiring.settings.zone).date() - timedelta(days=1)
    )
    with wiring.database.write() as session:
        if plan and store.plan(session, plan) is None:
            raise Refusal(
                f"there is no plan {plan!r}; plans:"
                f" {', '.join(active.code for active in store.plans(session)) or 'none'}"
            )
        draws = draw(wiring, session, when, plan=plan)
        task_ids = jobs.request(session, steps_after_draw(session, draws), at=wiring.clock())
    announce(wiring.settings, task_ids)
    if as_json:
        print_json({"date": when.isoformat(), "draws": [drawing.document() for drawing in draws]})
        return
    for drawing in draws:
        click.echo(
            f"{drawing.plan} {drawing.day}: {len(drawing.calls)} of {drawing.frame_size} calls,"
            f" seed {drawing.seed}{'' if drawing.is_new else ' (drawn before)'}"
        )
        for call in drawing.calls:
            click.echo(
                f"  {call.external_id}  {call.stratum}  p={call.probability:.4f}  {call.reason}"
            )


def _sound(file: Path, settings: Settings) -> Any:
    from qa.engines.audio import RecordingUnreadable, decode
    from qa.intake.types import REASON_TEXTS, Reason

    try:
        return decode(
            file,
            max_seconds=settings.max_call_seconds,
            memory_megabytes=settings.decoder_memory_megabytes,
        )
    except RecordingUnreadable as error:
        raise Refusal(f"{file.name}: {REASON_TEXTS[Reason(error.reason)]}") from error


@click.command()
@click.argument("file", type=FILE)
@click.option("--language", type=click.Choice(["en", "it", "zh"]))
@click.option(
    "--unmasked", is_flag=True, help="Leave card, identity and telephone numbers as they were said."
)
@click.option("--json", "as_json", is_flag=True)
def transcribe(file: Path, language: str | None, unmasked: bool, as_json: bool) -> None:
    """One recording to a transcript document."""
    from qa.engines.audio import RecordingUnreadable
    from qa.engines.audio_engine import AudioEngine
    from qa.intake.types import REASON_TEXTS, Reason
    from qa.progress import share_done
    from qa.transcription.rules.redaction import redact

    try:
        with share_done(file.name) as on_progress:
            spoken = (
                AudioEngine(settings().model_copy(update={"transcriber": "whisper"}))
                .transcribe_here(
                    file, language=language, source_name=file.name, on_progress=on_progress
                )
                .transcript
            )
    except RecordingUnreadable as error:
        raise Refusal(f"{file.name}: {REASON_TEXTS[Reason(error.reason)]}") from error
    transcript = spoken if unmasked else redact(spoken, names=settings().names_to_mask)
    if as_json:
        print_json(transcript.model_dump(mode="json"))
    else:
        for utterance in transcript.utterances:
            click.echo(f"{utterance.start:7.2f} {utterance.speaker:8} {utterance.text}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True)
def acoustics(file: Path, as_json: bool) -> None:
    """One recording to speech mechanics: talk, silence, overlap, interruptions; and the quality of
    the line.
    """
    from qa.engines.acoustics import line_quality
    from qa.engines.speakers import speech_by_voice
    from qa.engines.speech import speech_of
    from qa.transcription.service import measure_mechanics
    from qa.transcription.types import Transcript, TranscriptionResult

    sound = _sound(file, settings())
    speech = speech_of(sound.samples)
    if sound.channels == 1:
        speech = speech_by_voice(sound.samples[0], speech[0])
    silent = Transcript(language="en", duration=sound.seconds)
    mechanics = measure_mechanics(
        TranscriptionResult(transcript=silent, speech=speech, line=tuple(line_quality(sound)))
    )
    if sound.channels == 1:
        # without words nobody can say which voice is the agent's; the first to speak stands in
        mechanics = mechanics.model_copy(update={"speakers_known": False})
    document = mechanics.model_dump(mode="json") | {"lost_seconds": sound.lost_seconds}
    if as_json:
        print_json(document)
    else:
        for key in ("duration", "silence_share", "overlap_share", "speakers_known", "line"):
            click.echo(f"{key}: {document[key]}")


COMMANDS = (
    import_,
    sample,
    transcribe,
    acoustics,
)
