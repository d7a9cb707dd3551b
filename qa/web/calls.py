"""Call pages: the list with search and saved filters, a call with player, audio and words."""

import contextlib
from dataclasses import dataclass

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy import Select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as WerkzeugResponse

from qa.assignment import store as queue
from qa.audit import service as audit
from qa.audit.store import history
from qa.audit.types import EventKind, Subject
from qa.checking import store as findings
from qa.forms import service as forms
from qa.intake import service, store
from qa.intake.types import CallFacts, CallOrder
from qa.months import Month, MonthRefused
from qa.people import service as people_service
from qa.people import store as people
from qa.people.rules import may_hear
from qa.sampling import store as draws
from qa.scoring import store as cards
from qa.states import Role
from qa.transcription import service as transcription
from qa.transcription import store as transcripts
from qa.transcription.rules.search_text import searchable
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.exports import as_csv, as_xlsx, chosen_order
from qa.web.forms_wtf.calls import SavedFilterForm, WordForm
from qa.web.waveform import marks

blueprint = Blueprint("calls", __name__)
PAGE = 50
EXPORT = 10_000


@dataclass(frozen=True)
class Search:
    """Conditions in the address of the list; one that cannot be read does not narrow it."""

    said: str
    criterion: str
    answer: str
    automatic: str
    agent_id: int | None
    project: str
    language: str
    month: str
    sort: str

    @classmethod
    def of_request(cls) -> "Search":
        """Read the conditions from the address of the page."""
        texts = {
            k: request.args.get(k, "").strip()[:200]
            for k in (
                "said",
                "criterion",
                "answer",
                "automatic",
                "project",
                "language",
                "month",
                "sort",
            )
        }
        return cls(agent_id=request.args.get("agent", type=int), **texts)

    @property
    def query(self) -> dict[str, str | int]:
        """Return the conditions as the address of the page holds them, without empty ones."""
        return {("agent" if k == "agent_id" else k): v for k, v in vars(self).items() if v}

    @property
    def asks(self) -> bool:
        """Tell whether anything narrows the list."""
        return any(v for k, v in vars(self).items() if k != "sort")

    def run(self, session: Session, *, after_id: int | None, limit: int) -> list[CallFacts]:
        """Load the calls that fulfil every condition."""
        since = until = None
        with contextlib.suppress(MonthRefused):
            if self.month:
                since, until = Month(self.month).bounds(wiring().settings.zone)
        subqueries = []
        if words := searchable(self.said):
            subqueries.append(
                transcripts.calls_containing(words, dialect=session.get_bind().dialect.name)
            )
        if self.criterion:
            subqueries += self._answered()
        order, descending = chosen_order(self.sort, CallOrder, CallOrder.ARRIVED)
        return store.calls(
            session,
            agent_ids=[self.agent_id] if self.agent_id else None,
            among=subqueries,
            team_id=person().team_id if person().role is Role.TEAM_LEADER else None,
            project_code=self.project or None,
            language=self.language or None,
            since=since,
            until=until,
            by=order,
            descending=descending,
            after_id=after_id,
            limit=limit,
        )

    def _answered(self) -> list[Select[int]]:
        """Select the calls by a criterion's answers.

        Who scores sees automatic answers of scored calls alone, or a blind card would not be blind.
        """
        sees_all = person().role in (Role.QA_MANAGER, Role.DIRECTOR)
        if sees_all and self.automatic:
            checked = findings.calls_with_verdict(self.criterion, self.automatic)
            return (
                [
                    checked,
                    cards.calls_with_answer(
                        self.criterion, answer=self.answer, automatic=None, only_released=False
                    ),
                ]
                if self.answer
                else [checked]
            )
        released = person().role not in (Role.QA_MANAGER, Role.EVALUATOR)
        return [
            cards.calls_with_answer(
                self.criterion,
                answer=self.answer or None,
                automatic=self.automatic or None,
                only_released=released,
            )
        ]


@blueprint.get("/calls")
def listing() -> Response | str:
    """Search calls by words spoken, criterion, answer, agent, project, language, month.

    The answer is a page, or a file of exactly what the page would show.
    """
    search, file = Search.of_request(), request.args.get("format", "")
    with reading() as session:
        rows = search.run(
            session,
            after_id=request.args.get("after", type=int),
            limit=EXPORT if file else PAGE + 1,
        )
        projects, titles = people.projects(session), forms.vocabulary(session)[0]
        agents = people.agents(
            session, team_id=person().team_id if person().role is Role.TEAM_LEADER else None
        )
        saved = people.saved_filters(session, person().id, "calls")
    if file in ("csv", "xlsx"):
        return _export(rows, file)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "calls/listing.html",
        calls=rows[:PAGE],
        more=more,
        projects=projects,
        titles=titles,
        agents=agents,
        search=search,
        saved=saved,
        unheard=_has_no_searchable_words(search),
    )


def _has_no_searchable_words(search: Search) -> bool:
    """Tell whether the words to search for hold nothing to look for."""
    return bool(search.said) and not searchable(search.said)


def _export(rows: list[CallFacts], file: str) -> Response:
    with writing() as session:
        audit.record_export(session, table="calls", rows=len(rows), by=person().id, at=now())
    head = (
        "id",
        "external_id",
        "started_at",
        "agent",
        "team",
        "project",
        "queue",
        "language",
        "seconds",
        "simulated",
    )
    lines = [
        (
            c.id,
            c.external_id,
            c.started_at.isoformat(),
            c.agent,
            c.team,
            c.project,
            c.queue,
            c.language,
            c.duration_seconds,
            c.is_simulated,
        )
        for c in rows
    ]
    return (as_csv if file == "csv" else as_xlsx)("calls", head, lines)


@blueprint.post("/calls/filters")
def save_filter() -> WerkzeugResponse:
    """Save the search of the page under a name."""
    form = SavedFilterForm()
    if not form.validate():
        flash(_("Give the search a name."), "danger")
    else:
        with writing() as session:
            people_service.save_filter(
                session,
                user_id=person().id,
                page="calls",
                name=form.name.data or "",
                query=form.query.data or "",
            )
    return redirect(url_for("calls.listing") + f"?{form.query.data or ''}")


@blueprint.post("/calls/filters/<int:filter_id>/forget")
def forget_filter(filter_id: int) -> WerkzeugResponse:
    """Delete a saved search."""
    with writing() as session:
        people_service.delete_filter(session, user_id=person().id, filter_id=filter_id)
    return redirect(url_for("calls.listing"))


@blueprint.get("/calls/<int:call_id>")
def call(call_id: int) -> str:
    """Show a call with its player, transcript, checks, scorecards and history."""
    facts = audible(call_id)
    with writing() as session:
        service.record_opened(session, call_id=call_id, by=person().id, at=now())
    with reading() as session:
        transcribed = transcripts.transcript(session, call_id)
        version_id = findings.latest_form_version(session, call_id)
        result = findings.result(session, call_id, version_id) if version_id else None
        form = forms.load(session, version_id) if version_id else None
        events = history(session, subject=Subject.CALL, subject_id=call_id)
        drawn = draws.why_drawn(session, call_id)
        corrections = transcripts.corrections(session, call_id)
        rating = store.rating_of(session, call_id)
        scorecards = cards.cards(
            session,
            call_id=call_id,
            only_released=person().role not in (Role.QA_MANAGER, Role.EVALUATOR),
        )
    changes = [e for e in events if e.what not in (EventKind.OPENED.value, EventKind.PLAYED.value)]
    return render_template(
        "calls/call.html",
        call=facts,
        heard=transcribed,
        rating=rating,
        corrections=corrections,
        result=result,
        form=form,
        events=changes,
        drawn=drawn,
        cards=scorecards,
        marks=marks(transcribed[1], transcribed[0].redactions) if transcribed else [],
    )


@blueprint.get("/calls/<int:call_id>/audio")
def audio(call_id: int) -> Response:
    """Send the recording, or the copy that browsers play; by ranges, so that one can jump.

    The first bytes of a playback are logged.
    """
    facts = audible(call_id)
    with reading() as session:
        if not facts.is_simulated and not transcripts.has_transcript(session, call_id):
            missing()  # nobody hears a call before what is private in it is silenced
    if not request.range or request.range.ranges[0][0] == 0:
        with writing() as session:
            service.record_played(session, call_id=call_id, by=person().id, at=now())
    storage = wiring().storage
    key = f"{facts.storage_key}/playback"
    if not storage.has(key):
        key = f"{facts.storage_key}/original"
        if not storage.has(key):
            missing()
    response = send_file(
        storage.open(key),
        mimetype=facts.media_type or "audio/wav",
        etag=facts.content_sha256,
        max_age=0,
    )
    size = storage.size(key)
    response.content_length = size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/calls/<int:call_id>/peaks")
def peaks(call_id: int) -> Response:
    """Send the peaks of the waveform, as bytes."""
    key = f"{audible(call_id).storage_key}/peaks"
    if not wiring().storage.has(key):
        missing()
    return Response(
        wiring().storage.read(key),
        mimetype="application/octet-stream",
        headers={"Cache-Control": "private, max-age=3600"},
    )


@blueprint.post("/calls/<int:call_id>/words")
def correct_word(call_id: int) -> tuple[Response, int]:
    """Set a recognised word right, from the workbench."""
    audible(call_id)
    form = WordForm()
    if not form.validate() or form.utterance.data is None or form.word.data is None:
        return jsonify(error=_("There is no such word.")), 422
    try:
        with writing() as session:
            word = transcription.correct_word(
                session,
                call_id=call_id,
                utterance=form.utterance.data,
                word=form.word.data,
                text=form.text.data or "",
                by=person().id,
                at=now(),
            )
    except transcription.NoSuchWord:
        return jsonify(error=_("There is no such word, or nothing was written.")), 422
    return jsonify(text=word), 200


def audible(call_id: int) -> CallFacts:
    """Load a call that this person may hear; any other is not found."""
    with reading() as session:
        facts = store.call(session, call_id)
        if facts is None:
            missing()
        released = cards.agent_of_call_has_released_card(session, call_id)
        holds = queue.holds(session, person().id, call_id)
    if not may_hear(
        person(),
        agent_id=facts.agent_id,
        team_id=facts.team_id,
        has_released_card=released,
        holds_assignment=holds,
    ):
        missing()
    return facts
