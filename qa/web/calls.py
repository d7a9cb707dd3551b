"""Calls: the list with its search and saved filters, a call with its player, sound and words."""

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
from qa.audit.store import history, record_event
from qa.audit.types import EventKind, Subject
from qa.checking import store as findings
from qa.forms import service as forms
from qa.intake import store
from qa.intake.types import CallFacts, CallOrder
from qa.months import Month, MonthRefused
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
from qa.web.waveform import marks

blueprint = Blueprint("calls", __name__)
PAGE = 50
EXPORT = 10_000


@dataclass(frozen=True)
class Search:
    """What the list of calls was asked for; what cannot be read counts as not asked."""

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
        a = request.args
        given = {
            k: a.get(k, "").strip()[:200]
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
        return cls(agent_id=a.get("agent", type=int), **given)

    @property
    def query(self) -> dict[str, str | int]:
        """As in the address of the page, without what is empty."""
        return {("agent" if k == "agent_id" else k): v for k, v in vars(self).items() if v}

    @property
    def asks(self) -> bool:
        """Whether anything narrows the list."""
        return any(v for k, v in vars(self).items() if k != "sort")

    def run(self, session: Session, *, after_id: int | None, limit: int) -> list[CallFacts]:
        since = until = None
        with contextlib.suppress(MonthRefused):
            if self.month:
                since, until = Month(self.month).bounds(wiring().settings.zone)
        among = []
        if words := searchable(self.said):
            among.append(
                transcripts.calls_containing(words, dialect=session.get_bind().dialect.name)
            )
        if self.criterion:
            among += self._answered()
        by, descending = chosen_order(self.sort, CallOrder, CallOrder.ARRIVED)
        return store.calls(
            session,
            agent_ids=[self.agent_id] if self.agent_id else None,
            among=among,
            team_id=person().team_id if person().role is Role.TEAM_LEADER else None,
            project_code=self.project or None,
            language=self.language or None,
            since=since,
            until=until,
            by=by,
            descending=descending,
            after_id=after_id,
            limit=limit,
        )

    def _answered(self) -> list[Select[int]]:
        """The calls by a criterion's answers.

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
    """Calls by words spoken, criterion, answer, agent, project, language, month; as a page or as a
    file of exactly what the page would show.
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
        unheard=_unheard(search),
    )


def _unheard(search: Search) -> bool:
    """Whether words were asked for that hold nothing to look for."""
    return bool(search.said) and not searchable(search.said)


def _export(rows: list[CallFacts], file: str) -> Response:
    with writing() as session:
        record_event(
            session,
            subject=Subject.USER,
            subject_id=person().id,
            event=EventKind.EXPORTED,
            at=now(),
            actor_id=person().id,
            table="calls",
            rows=len(rows),
        )
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
    """Keep the search of the page under a name."""
    query, name = (
        request.form.get("query", "")[:1000],
        " ".join(request.form.get("name", "").split())[:80],
    )
    if not name:
        flash(_("Give the search a name."), "danger")
    else:
        with writing() as session:
            people.save_filter(session, user_id=person().id, page="calls", name=name, query=query)
    return redirect(url_for("calls.listing") + f"?{query}")


@blueprint.post("/calls/filters/<int:filter_id>/forget")
def forget_filter(filter_id: int) -> WerkzeugResponse:
    with writing() as session:
        people.delete_filter(session, person().id, filter_id)
    return redirect(url_for("calls.listing"))


@blueprint.get("/calls/<int:call_id>")
def call(call_id: int) -> str:
    found = audible(call_id)
    with writing() as session:
        record_event(
            session,
            subject=Subject.CALL,
            subject_id=call_id,
            event=EventKind.OPENED,
            at=now(),
            actor_id=person().id,
        )
    with reading() as session:
        heard = transcripts.transcript(session, call_id)
        version_id = findings.latest_form_version(session, call_id)
        result = findings.result(session, call_id, version_id) if version_id else None
        form = forms.load(session, version_id) if version_id else None
        events = history(session, subject=Subject.CALL, subject_id=call_id)
        drawn = draws.why_drawn(session, call_id)
        corrections = transcripts.corrections(session, call_id)
        rating = store.rating_of(session, call_id)
        own = cards.cards(
            session,
            call_id=call_id,
            only_released=person().role not in (Role.QA_MANAGER, Role.EVALUATOR),
        )
    shown = [e for e in events if e.what not in (EventKind.OPENED.value, EventKind.PLAYED.value)]
    return render_template(
        "calls/call.html",
        call=found,
        heard=heard,
        rating=rating,
        corrections=corrections,
        result=result,
        form=form,
        events=shown,
        drawn=drawn,
        cards=own,
        marks=marks(heard[1], heard[0].redactions) if heard else [],
    )


@blueprint.get("/calls/<int:call_id>/audio")
def audio(call_id: int) -> Response:
    """The recording, or the copy that browsers play; by ranges, so that one can jump.

    The first bytes of a playback are logged.
    """
    found = audible(call_id)
    with reading() as session:
        if not found.is_simulated and not transcripts.has_transcript(session, call_id):
            missing()  # nobody hears a call before what is private in it is silenced
    if not request.range or request.range.ranges[0][0] == 0:
        with writing() as session:
            record_event(
                session,
                subject=Subject.CALL,
                subject_id=call_id,
                event=EventKind.PLAYED,
                at=now(),
                actor_id=person().id,
            )
    shelf = wiring().storage
    key = f"{found.storage_key}/playback"
    if not shelf.has(key):
        key = f"{found.storage_key}/original"
        if not shelf.has(key):
            missing()
    response = send_file(
        shelf.open(key),
        mimetype=found.media_type or "audio/wav",
        etag=found.content_sha256,
        max_age=0,
    )
    size = shelf.size(key)
    response.content_length = size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/calls/<int:call_id>/peaks")
def peaks(call_id: int) -> Response:
    found = audible(call_id)
    key = f"{found.storage_key}/peaks"
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
    utterance, word = (
        request.form.get("utterance", -1, type=int),
        request.form.get("word", -1, type=int),
    )
    if utterance < 0 or word < 0:
        return jsonify(error=_("There is no such word.")), 422
    try:
        with writing() as session:
            said = transcription.correct_word(
                session,
                call_id=call_id,
                utterance=utterance,
                word=word,
                text=request.form.get("text", ""),
                by=person().id,
                at=now(),
            )
    except transcription.NoSuchWord:
        return jsonify(error=_("There is no such word, or nothing was written.")), 422
    return jsonify(text=said), 200


def audible(call_id: int) -> CallFacts:
    """The call, if this person may hear it; else there is none."""
    with reading() as session:
        found = store.call(session, call_id)
        if found is None:
            missing()
        released = cards.agent_of_call_has_released_card(session, call_id)
        holds = queue.holds(session, person().id, call_id)
    if not may_hear(
        person(),
        agent_id=found.agent_id,
        team_id=found.team_id,
        has_released_card=released,
        holds_assignment=holds,
    ):
        missing()
    return found
