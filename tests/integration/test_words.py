"""Words set right by people, and calls found by what was said, in three languages, on both
databases.
"""

import pytest

from qa.transcription import service, store
from qa.transcription.rules import measure
from qa.transcription.rules.search_text import corrected_text, searchable
from qa.transcription.types import Transcript
from tests.conftest import add_call, people_of


def said(wiring, cast, text, language="en", agent=None):
    call_id = add_call(wiring, cast, agent=agent or cast.agent, language=language)
    pieces = list(text) if language == "zh" else text.split()
    words = [{"text": w, "start": i, "end": i + 1, "confidence": 0.9} for i, w in enumerate(pieces)]
    utterance = {"speaker": "agent", "start": 0, "end": 9, "text": text, "words": words}
    document = Transcript.model_validate(
        {"language": language, "duration": 9, "engine": {}, "utterances": [utterance]}
    )
    with wiring.database.write() as session:
        store.save_transcript(
            session,
            call_id=call_id,
            transcript=document,
            mechanics=measure(document, (), ()),
            at=wiring.clock(),
        )
    return call_id


def found(wiring, phrase):
    with wiring.database.read() as session:
        return sorted(
            session.scalars(
                store.calls_containing(searchable(phrase), dialect=session.get_bind().dialect.name)
            )
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Perché NO?", "perche no"),
        ("您好，退款吗", "您 好 退 款 吗"),
        ("card 4111", "card 4111"),
        ("…", ""),
        ("it's", "it s"),
    ],
)
def test_words_are_searched_without_case_accents_or_blanks_between_characters(text, words):
    assert searchable(text) == words


def test_a_phrase_is_found_whole_in_any_language_and_nothing_else(either):
    cast = people_of(either)
    en = said(either, cast, "I would like a refund today please")
    it = said(either, cast, "Perché non funziona il rimborso", "it")
    zh = said(either, cast, "您好我要退款谢谢", "zh")
    said(either, cast, "refund a like would I")
    assert found(either, "a REFUND today") == [en]
    assert found(either, "perche non") == [it]
    assert (
        found(either, "退款") == [zh]
        and found(either, "要退") == [zh]
        and found(either, "款退") == []
    )
    assert len(found(either, "refund")) == 2
    for hostile in ('" OR 1=1 --', "NEAR(a b)", "a* AND", "'; DROP TABLE spoken", "(((", ":::"):
        assert found(either, hostile) == []


def test_a_corrected_word_is_shown_found_and_the_recognised_one_kept(either, clock):
    cast = people_of(either)
    call_id = said(either, cast, "welcome to happy valley")
    with either.database.write() as session:
        for text in ("  Harper ", "Harpers", "Harper"):
            service.correct_word(
                session,
                call_id=call_id,
                utterance=0,
                word=2,
                text=text,
                by=cast.evaluator.id,
                at=clock(),
            )
        assert store.corrections(session, call_id) == {(0, 2): "Harper"}
        assert store.transcript(session, call_id)[0].utterances[0].words[2].text == "happy"
    assert found(either, "harper valley") == [call_id] and found(either, "happy valley") == []
    with either.database.write() as session:
        service.correct_word(
            session,
            call_id=call_id,
            utterance=0,
            word=2,
            text="happy",
            by=cast.evaluator.id,
            at=clock(),
        )
        assert store.corrections(session, call_id) == {}
    assert found(either, "happy valley") == [call_id]


def test_corrections_in_chinese_put_no_blanks_between_words(wiring, cast):
    call_id = said(wiring, cast, "我要推款", "zh")
    with wiring.database.read() as session:
        transcript = store.transcript(session, call_id)[0]
    assert corrected_text(transcript, {(0, 2): "退"}) == "我要退款"


def test_from_the_page_a_word_is_corrected_by_those_who_score_and_bad_places_are_refused(
    wiring, cast, visit
):
    call_id = said(wiring, cast, "welcome to happy valley")
    evaluator = visit(cast.evaluator)
    assert evaluator.post(
        f"/calls/{call_id}/words", {"utterance": 0, "word": 2, "text": "Harper"}
    ).get_json() == {"text": "Harper"}
    assert "recognised: happy" in evaluator.get(f"/calls/{call_id}").text
    for bad in (
        {"utterance": 0, "word": 99, "text": "x"},
        {"utterance": -1, "word": -1, "text": "x"},
        {"utterance": 0, "word": 1, "text": "  "},
        {},
    ):
        assert evaluator.post(f"/calls/{call_id}/words", bad).status_code == 422
    assert (
        visit(cast.agent)
        .post(f"/calls/{call_id}/words", {"utterance": 0, "word": 1, "text": "x"})
        .status_code
        == 403
    )
    assert (
        evaluator.post("/calls/999/words", {"utterance": 0, "word": 1, "text": "x"}).status_code
        == 404
    )


def test_the_list_of_calls_finds_by_words_and_shows_a_leader_their_team_alone(wiring, cast, visit):
    own = said(wiring, cast, "a refund for the broken modem")
    other = said(wiring, cast, "a refund for nothing", agent=cast.stranger)
    manager, leader = visit(cast.manager), visit(cast.leader)
    both = manager.get("/calls?said=REFUND for").text
    assert f"/calls/{own}?" in both and f"/calls/{other}?" in both
    assert f"/calls/{other}?" not in leader.get("/calls?said=refund").text
    assert "No call fits" in manager.get("/calls?said=modem refund").text
    assert "no word to look for" in manager.get("/calls?said=!!!").text
    for hostile in ("%22", "' OR 1=1", "a AND b NOT c", "x" * 500):
        assert manager.get("/calls", query_string={"said": hostile}).status_code == 200
    assert (
        manager.get(
            "/calls?agent=x&month=2026-99&criterion=none&answer=bad&automatic=%00"
        ).status_code
        == 200
    )


def test_calls_are_found_by_what_people_answered(wiring, cast, visit):
    from qa.scoring.types import Answer
    from tests.integration.test_after_submission import finish
    from tests.integration.test_life_of_a_card import enqueue, full, open_card

    _, form = enqueue(wiring, cast)
    lost = {"opening.greeting": Answer(option="not_met", comment="none")}
    card = finish(
        wiring, open_card(wiring, cast.evaluator), cast.evaluator, full(form, **lost), form
    )
    manager = visit(cast.manager)
    link = f"/calls/{card.call_id}"
    assert link in manager.get("/calls?criterion=opening.greeting&answer=lost").text
    assert link not in manager.get("/calls?criterion=opening.greeting&answer=kept").text
    assert link in manager.get("/calls?criterion=closing.thanks&answer=kept").text
    assert link not in manager.get("/calls?criterion=opening.greeting&automatic=not_met").text


def test_a_manager_finds_unscored_calls_by_what_the_checks_said_and_who_scores_does_not(
    either, visit_either
):
    """An evaluator who could search them would know the automatic answers of the blind card before
    filling it.
    """
    from qa.checking import store as findings
    from qa.checking.types import Finding, Findings, Verdict
    from tests.integration.test_life_of_a_card import enqueue

    cast = people_of(either)
    (call_id, other), form = enqueue(either, cast, 2)
    found = Findings(
        "customer_service",
        2,
        (
            Finding("opening.greeting", Verdict.UNSURE, 0.5, "says", ()),
            Finding("closing.thanks", Verdict.NOT_MET, 0.9, "says", ()),
        ),
        10,
        20,
        "1",
    )
    with either.database.write() as session:
        for _twice in range(2):
            findings.save_result(
                session, call_id=call_id, form_version_id=1, findings=found, at=either.clock()
            )
    manager, evaluator = visit_either(cast.manager), visit_either(cast.evaluator)
    for query, is_there in (
        ("opening.greeting&automatic=unsure", True),
        ("closing.thanks&automatic=not_met", True),
        ("closing.thanks&automatic=unsure", False),
        ("opening.greeting&automatic=unsure&answer=lost", False),
    ):
        page = manager.get(f"/calls?criterion={query}").text
        assert (
            f'href="/calls/{call_id}"' in page
        ) is is_there and f'href="/calls/{other}"' not in page, query
        assert f'href="/calls/{call_id}"' not in evaluator.get(f"/calls?criterion={query}").text


def test_a_list_is_ordered_by_what_was_asked_page_by_page_and_in_both_directions(
    wiring, cast, visit, monkeypatch
):
    import re

    from qa.tables.calls import CallRow
    from tests.integration.test_life_of_a_card import enqueue

    ids, _form = enqueue(wiring, cast, 5)
    lengths = dict(zip(ids, (40, 10, 40, 90, 20), strict=True))
    with wiring.database.write() as session:
        for call_id, seconds in lengths.items():
            session.get_one(CallRow, call_id).duration_seconds = seconds
    monkeypatch.setattr("qa.web.calls.PAGE", 2)
    manager = visit(cast.manager)

    def walk(sort):
        where, seen = f"/calls?sort={sort}", []
        while where:
            page = manager.get(where).text
            seen += [int(i) for i in re.findall(r'href="/calls/(\d+)"', page)]
            more = re.search(r'rel="next" href="([^"]+)"', page)
            where = more.group(1).replace("&amp;", "&") if more else ""
        return seen

    assert walk("length") == sorted(ids, key=lambda i: (-lengths[i], -i))
    assert walk("length.up") == sorted(ids, key=lambda i: (lengths[i], i))
    assert walk("") == walk("nonsense") == sorted(ids, reverse=True)
    assert (
        'aria-sort="descending"' in manager.get("/calls?sort=length").text
        and "sort=length.up" in manager.get("/calls?sort=length").text
    )
    for page in ("/cards?sort=score", "/cards?sort=called.up", "/cards?sort=x"):
        assert manager.get(page).status_code == 200


def test_a_search_is_kept_under_a_name_by_its_person_alone(wiring, cast, visit):
    manager, leader = visit(cast.manager), visit(cast.leader)
    manager.post(
        "/calls/filters", {"name": " Refunds  of   May ", "query": "said=refund&month=2026-05"}
    )
    page = manager.get("/calls").text
    assert "Refunds of May" in page and "said=refund&amp;month=2026-05" in page
    assert "Refunds" not in leader.get("/calls").text
    leader.post("/calls/filters/1/forget")
    assert "Refunds of May" in manager.get("/calls").text
    manager.post("/calls/filters/1/forget")
    assert "Refunds" not in manager.get("/calls").text
    assert (
        "Give the search a name"
        in manager.post(
            "/calls/filters", {"name": " ", "query": "said=x"}, follow_redirects=True
        ).text
    )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_of_calls_is_exactly_the_list_and_never_a_formula(wiring, cast, visit, kind):
    import io

    add_call(wiring, cast, agent=cast.agent, queue="=cmd|'/c calc'!A1")
    add_call(wiring, cast, agent=cast.stranger, queue="plain")
    answer = visit(cast.leader).get(f"/calls?format={kind}")
    if kind == "csv":
        lines = answer.get_data(as_text=True).splitlines()
        assert len(lines) == 2 and "'=cmd" in lines[1]
    else:
        from openpyxl import load_workbook

        rows = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows())
        assert (
            len(rows) == 2
            and rows[1][6].value == "=cmd|'/c calc'!A1"
            and rows[1][6].data_type == "s"
        )


def test_going_back_a_migration_and_up_again_lays_the_verdicts_out_from_the_newest_checks(
    either, clock
):
    from sqlalchemy import text

    from qa.checking import store as findings
    from qa.checking.types import Finding, Findings, Verdict
    from qa.tables.migrate import downgrade, upgrade
    from tests.integration.test_life_of_a_card import enqueue

    (call_id, other), _form = enqueue(either, people_of(either), 2)
    with either.database.write() as session:
        again = Findings(
            "x", 1, (Finding("opening.greeting", Verdict.NOT_MET, 0.9, "says"),), 1.0, 2.0
        )
        findings.save_result(
            session, call_id=call_id, form_version_id=2, findings=again, at=clock()
        )

    def rows():
        with either.database.read() as session:
            return sorted(
                tuple(r)
                for r in session.execute(text("SELECT call_id, criterion, verdict FROM verdict"))
            )

    before = rows()
    assert (call_id, "opening.greeting", "not_met") in before and (
        call_id,
        "opening.greeting",
        "met",
    ) not in before, "of two checks the newest one"
    assert (other, "opening.introduction", "unsure") in before
    downgrade(either.database, "0004")
    upgrade(either.database)
    assert rows() == before
