"""Forms written in the browser: drafts as fields and as YAML, faults shown live, published once,
compared, retired, brought along.
"""

import pytest
from sqlalchemy import select

from qa import setup
from qa.forms import service, store
from qa.forms.editing import apply_operation, differences, with_version
from qa.forms.fields import PARTS, EditRefused, fields_of, inner_rules, list_of_inner, script_fields
from qa.forms.reader import read_form
from qa.forms.types import FormFaults
from qa.settings import PROJECT_ROOT
from qa.tables.forms import FormVersionRow
from tests.conftest import words_of

SHIPPED = (PROJECT_ROOT / "scoring_forms" / "customer_service.v3.yaml").read_text()
SMALL = """form: small
version: 4  # the fourth
languages: [en, it]
title: {en: Small, it: Piccolo}
# a remark that has to stay
sections:
  - id: a
    title: {en: First, it: Primo}
    weight: 2
    criteria:
      - {id: a.one, title: {en: One, it: Uno}, scale: met_not_met, weight: 1}
      - {id: a.two, title: {en: Two, it: Due}, scale: met_not_met, weight: 3}
"""


def version_id(wiring, form="customer_service", version=3):
    with wiring.database.read() as session:
        return session.scalars(
            select(FormVersionRow.id).where(
                FormVersionRow.form == form, FormVersionRow.version == version
            )
        ).one()


def ids(source):
    return [c.id for c in read_form(source).criteria()]


def test_every_act_on_the_fields_changes_its_thing_and_leaves_the_rest_as_written():
    assert (
        read_form(apply_operation(SMALL, act="title", where="a.one", value="Eins", language="en"))
        .criterion("a.one")
        .title["en"]
        == "Eins"
    )
    assert "Uno" in apply_operation(
        SMALL, act="title", where="a.one", value="Eins", language="en"
    ) and "# a remark that has to stay" in apply_operation(
        SMALL, act="weight", where="a", value="5"
    )
    assert (
        read_form(apply_operation(SMALL, act="weight", where="a.two", value="2,5"))
        .criterion("a.two")
        .weight
        == 2.5
    )
    assert ids(apply_operation(SMALL, act="up", where="a.two", value="")) == ["a.two", "a.one"]
    assert ids(apply_operation(SMALL, act="up", where="a.one", value="")) == ["a.one", "a.two"], (
        "the first stays first"
    )
    assert ids(apply_operation(SMALL, act="remove", where="a.one", value="")) == ["a.two"]
    assert ids(apply_operation(SMALL, act="add", where="a", value="Says goodbye!")) == [
        "a.one",
        "a.two",
        "a.says_goodbye",
    ]
    assert ids(
        apply_operation(
            apply_operation(SMALL, act="add", where="a", value="one"),
            act="add",
            where="a",
            value="one",
        )
    )[2:] == ["a.one_2", "a.one_3"], "ids stay their own"
    longer = apply_operation(SMALL, act="add_section", where="", value="Extra")
    assert [
        s.id
        for s in read_form(apply_operation(longer, act="add", where="extra", value="new")).sections
    ] == ["a", "extra"]


@pytest.mark.parametrize(
    ("act", "where", "value"),
    [
        ("weight", "a", "many"),
        ("weight", "a", "-1"),
        ("weight", "a", "1e9"),
        ("title", "nothing", "x"),
        ("fly", "a", ""),
        ("comment", "a.one", "loudly"),
    ],
)
def test_what_does_not_fit_is_refused(act, where, value):
    with pytest.raises(EditRefused):
        apply_operation(SMALL, act=act, where=where, value=value)


@pytest.mark.parametrize("source", ["", "a: [", "sections: no", "- x", "[" * 3000])
def test_yaml_that_cannot_be_read_is_not_edited(source):
    with pytest.raises(EditRefused):
        apply_operation(source, act="title", where="a", value="x")


def test_the_version_line_changes_alone():
    assert with_version(SMALL, 5).splitlines()[1] == "version: 5  # the fourth"
    assert with_version(SMALL, 5).splitlines()[2:] == SMALL.splitlines()[2:]


def test_two_versions_are_told_apart_by_what_counts():
    other = apply_operation(
        apply_operation(
            apply_operation(SMALL, act="weight", where="a.two", value="9"),
            act="title",
            where="a.one",
            value="Eins",
            language="en",
        ),
        act="up",
        where="a.two",
        value="",
    )
    other = apply_operation(other, act="add", where="a", value="three").replace(
        "version: 4", "version: 5\npass_mark: 70"
    )
    found = {
        (d.where, d.what): (d.was, d.now)
        for d in differences(read_form(SMALL), read_form(other), language="en")
    }
    assert found[("a.two", "weight")] == ("3", "9") and found[("a.one", "title")] == ("One", "Eins")
    assert found[("a.three", "added")] == ("", "three") and found[("form", "pass_mark")] == (
        "",
        "70",
    )
    assert ("a.two", "moved") in found
    assert differences(read_form(SMALL), read_form(SMALL), language="en") == []
    assert [
        d.what
        for d in differences(read_form(other), read_form(SMALL), language="en")
        if d.where == "a.three"
    ] == ["removed"]


def test_a_draft_is_written_published_once_and_used_for_new_calls(either, clock):
    from tests.conftest import people_of

    cast = people_of(either)
    facts = {
        "project": "acme",
        "queue": "q",
        "direction": "inbound",
        "language": "en",
        "duration": 60,
    }
    with either.database.write() as session:
        made = service.draft_of(
            session, form_version_id=version_id(either), by=cast.manager.id, at=clock()
        )
        assert (
            service.draft_of(
                session, form_version_id=version_id(either), by=cast.manager.id, at=clock()
            )
            == made
        ), "one draft at a time"
        assert service.form_for(session, **facts)[1].version == 3, "a draft is used for nothing"
        source = apply_operation(
            store.source(session, made), act="weight", where="opening.greeting", value="7"
        )
        assert (
            service.save_draft(
                session,
                form_version_id=made,
                source=source,
                edition=1,
                by=cast.manager.id,
                at=clock(),
            )
            == 2
        )
        with pytest.raises(service.DraftChanged):
            service.save_draft(
                session,
                form_version_id=made,
                source="other",
                edition=1,
                by=cast.manager.id,
                at=clock(),
            )
        form = service.publish_draft(session, form_version_id=made, by=cast.manager.id, at=clock())
        assert (form.version, service.form_for(session, **facts)[0]) == (4, made)
        for change in (
            lambda: service.publish_draft(session, form_version_id=made, by=1, at=clock()),
            lambda: service.discard_draft(session, form_version_id=made, by=1, at=clock()),
        ):
            with pytest.raises(service.NotADraft):
                change()
        with pytest.raises(service.NotADraft):
            service.save_draft(
                session, form_version_id=made, source="x", edition=2, by=cast.manager.id, at=clock()
            )
        service.retire(session, form_version_id=made, by=cast.manager.id, at=clock())
        assert service.form_for(session, **facts) is None, "the older versions are retired with it"
        assert store.source(session, made) == source, "and nothing is lost"


def test_a_draft_with_faults_or_of_another_name_is_not_published(wiring, cast, clock):
    with wiring.database.write() as session:
        made = service.draft_of(
            session, form_version_id=version_id(wiring), by=cast.manager.id, at=clock()
        )
        service.save_draft(
            session,
            form_version_id=made,
            source="form: [",
            edition=1,
            by=cast.manager.id,
            at=clock(),
        )
        with pytest.raises(FormFaults):
            service.publish_draft(session, form_version_id=made, by=cast.manager.id, at=clock())
        service.save_draft(
            session, form_version_id=made, source=SMALL, edition=2, by=cast.manager.id, at=clock()
        )
        with pytest.raises(service.NotItself):
            service.publish_draft(session, form_version_id=made, by=cast.manager.id, at=clock())


def test_a_version_of_ones_own_under_a_shipped_number_survives_the_next_start(wiring, cast, clock):
    with wiring.database.write() as session:
        row = session.scalars(
            select(FormVersionRow).where(
                FormVersionRow.form == "customer_service", FormVersionRow.version == 3
            )
        ).one()
        row.sha256, row.source = "0" * 64, row.source + "# ours\n"
    setup.initialise(wiring)
    with wiring.database.read() as session:
        assert store.source(session, version_id(wiring)).endswith("# ours\n")


def test_in_the_browser_a_manager_edits_previews_publishes_and_compares(wiring, cast, visit):
    manager, evaluator = visit(cast.manager), visit(cast.evaluator)
    published = version_id(wiring)
    where = manager.post(f"/forms/{published}/draft").location
    page = manager.get(where).text
    assert "draft of version 4" in page and "opening.greeting" in page
    draft = where.split("/")[-2]
    source = with_version(SHIPPED, 4)
    answer = manager.post(
        f"/forms/{draft}/look",
        {"source": source, "act": "weight", "where": "opening.greeting", "value": "77"},
    ).get_json()
    assert (
        answer["faults"] == 0 and "77" in answer["source"] and "opening.greeting" in answer["html"]
    )
    assert (
        "many"
        not in manager.post(
            f"/forms/{draft}/look",
            {"source": source, "act": "weight", "where": "opening.greeting", "value": "many"},
        ).get_json()["source"]
    )
    faulty = manager.post(f"/forms/{draft}/look", {"source": "form: [<script>"}).get_json()
    assert (
        faulty["faults"] == 1 and "data-line" in faulty["html"] and "<script>" not in faulty["html"]
    )
    assert manager.post(where, {"source": "form: [", "edition": 1}).status_code == 302, (
        "a faulty draft is kept"
    )
    refused = manager.post(where, {"source": "form: [typed", "edition": 2, "publish": "1"})
    assert refused.status_code == 422 and "form: [typed" in refused.text
    assert "form: [typed" in manager.get(where).text, "and nothing typed is lost"
    stale = manager.post(where, {"source": "old window", "edition": 1})
    assert stale.status_code == 409 and "old window" in stale.text
    assert (
        manager.get(f"/forms/{draft}").status_code == 404
        and manager.get("/forms").status_code == 200
    )
    done = manager.post(
        where, {"source": answer["source"].replace("\n", "\r\n"), "edition": 3, "publish": "1"}
    )
    assert done.location.endswith(f"/forms/{draft}")
    compared = words_of(manager.get(f"/forms/{draft}/differences"))
    assert "77" in compared and "opening.greeting" in compared
    assert manager.get(f"/forms/{draft}/differences?with=1").status_code == 200
    assert manager.get(f"/forms/{draft}/source.yaml").text == answer["source"]
    assert manager.get(where).location.endswith(f"/forms/{draft}"), (
        "a published version has no editor"
    )
    assert "Retired" in manager.post(f"/forms/{draft}/retire", follow_redirects=True).text
    assert "not in use" in manager.post(f"/forms/{draft}/retire", follow_redirects=True).text
    for path in (f"/forms/{draft}/edit", "/forms/bring"):
        assert evaluator.get(path).status_code == 403
    assert manager.get("/forms/999/edit").status_code == 404


def test_a_form_is_brought_along_as_a_draft_with_its_own_next_number(wiring, cast, visit):
    manager = visit(cast.manager)
    assert "line" in manager.post("/forms/bring", {"source": "form: Bad Name\nversion: 1"}).text
    where = manager.post("/forms/bring", {"source": SMALL}).location
    assert "version: 1" in manager.get(where).text, "its first number here"
    assert "already" in manager.post("/forms/bring", {"source": SMALL}).text
    draft = where.split("/")[-2]
    assert "gone" in manager.post(f"/forms/{draft}/discard", follow_redirects=True).text
    assert "Only a draft" in manager.post("/forms/1/discard", follow_redirects=True).text


# What can be set without writing YAML


CHECKED = SMALL.replace(
    "scale: met_not_met, weight: 3}",
    "scale: met_not_met, weight: 3, check: {says: {any: {en: [good day], it: [buongiorno]}}}}",
)


def change(source, act, value="", *, where="a.two", part="", language="en"):
    return apply_operation(source, act=act, where=where, value=value, part=part, language=language)


def two(source):
    return read_form(source).criterion("a.two")


def test_options_are_written_renamed_valued_ordered_made_critical_and_taken_out():
    own = change(SMALL, "option_add", "Partly")
    assert [(o.id, o.points) for o in two(own).options] == [
        ("met", 1),
        ("not_met", 0),
        ("partly", 0),
    ] and two(own).scale is None
    own = change(
        change(
            change(own, "option_points", "0,5", part="partly"),
            "option_fail",
            "section",
            part="not_met",
        ),
        "option_up",
        part="partly",
    )
    assert [(o.id, o.points, o.fail) for o in two(own).options] == [
        ("met", 1, None),
        ("partly", 0.5, None),
        ("not_met", 0, "section"),
    ]
    named = change(
        change(own, "option_title", "In parte", part="partly", language="it"),
        "option_fail",
        "",
        part="not_met",
    )
    assert (
        two(named).option("partly").title == {"en": "Partly", "it": "In parte"}
        and not two(named).is_critical
    )
    fewer = change(named, "option_remove", part="partly")
    assert [o.id for o in two(fewer).options] == ["met", "not_met"]
    assert [
        o.id for o in two(change(change(SMALL, "option_add", "对"), "option_add", "错")).options
    ] == ["met", "not_met", "option", "option_2"], "an id of its own where the title gives none"
    for act, part, value in (
        ("option_remove", "met", ""),
        ("option_points", "met", "many"),
        ("option_title", "nobody", "x"),
    ):
        with pytest.raises(EditRefused):
            change(fewer, act, value, part=part)


def test_when_a_criterion_is_asked_and_what_it_takes_is_set():
    asked = change(SMALL, "when", "a.one", part="criterion")
    assert (two(asked).when.criterion, two(asked).when.is_) == ("a.one", ["met"])
    both = change(asked, "when", "not_met", part="is")
    assert two(both).when.is_ == ["met", "not_met"] and two(
        change(both, "when", "met", part="is")
    ).when.is_ == ["not_met"]
    assert two(change(asked, "when", "met", part="is")).when.is_ == ["met"], (
        "one answer stays, or it would never be asked"
    )
    assert two(change(both, "when", "", part="criterion")).when is None
    assert not two(change(SMALL, "na", "")).na and two(change(SMALL, "bonus", "1")).bonus
    assert (
        two(change(SMALL, "topic", "courtesy.greeting")).training_topic == "courtesy.greeting"
        and two(change(change(SMALL, "topic", "x"), "topic", "")).training_topic is None
    )
    with pytest.raises(EditRefused):
        change(SMALL, "when", "met", part="is")


@pytest.mark.parametrize("kind", sorted(PARTS))
def test_every_kind_of_check_can_be_begun_and_read_and_taken_out_again(kind):
    begun = change(SMALL, "check_kind", kind, part="check")
    assert two(begun).check.kind == kind
    shown = fields_of(two(begun).check, "check", "it")
    assert [f.path for f in shown] == [f"check.{kind}.{p.path}" for p in PARTS[kind]]
    assert all(f.value == "le parole da dire" for f in shown if f.spec.path == "any"), (
        "in the author's language"
    )
    assert two(change(begun, "check_remove", part="check")).check is None


@pytest.mark.parametrize("kind", sorted(PARTS))
def test_what_is_shown_of_a_check_can_be_set_again_without_changing_it(kind):
    begun = change(SMALL, "check_kind", kind, part="check")
    for field in fields_of(two(begun).check, "check", "en"):
        if field.value:
            assert (
                two(change(begun, "check_set", field.value, part=field.path)).check
                == two(begun).check
            ), field.path


def test_the_parts_of_a_check_are_set_in_the_language_of_the_page():
    said = change(CHECKED, "check_set", "good day\n good morning \n\n", part="check.says.any")
    assert two(said).check.says.any == {"en": ["good day", "good morning"], "it": ["buongiorno"]}
    near = change(
        change(said, "check_set", "30", part="check.says.within.first_seconds"),
        "check_set",
        "customer",
        part="check.says.by",
    )
    assert (two(near).check.says.within.first_seconds, two(near).check.says.by) == (30, "customer")
    assert (
        two(change(near, "check_set", "", part="check.says.within.first_seconds")).check.says.within
        == two(CHECKED).check.says.within
    ), "an empty value takes it out"
    act = change(
        change(SMALL, "check_kind", "act", part="check"), "check_set", "1", part="check.act.never"
    )
    assert (
        two(act).check.act.never
        and not two(change(act, "check_set", "", part="check.act.never")).check.act.never
    )
    data = change(
        change(
            change(SMALL, "check_kind", "metadata", part="check"),
            "check_set",
            "",
            part="check.metadata.present",
        ),
        "check_set",
        "resolved\ntrue",
        part="check.metadata.is",
    )
    assert change(data, "check_remove", part="check.metadata.present").count("present") == 0


def test_checks_are_made_of_checks():
    many = change(CHECKED, "check_kind", "any", part="check")
    many = change(
        change(many, "check_add", "act", part="check.any"),
        "check_set",
        "thanks",
        part="check.any.1.act.is",
    )
    assert [r.kind for r in two(many).check.any] == ["says", "act"] and two(many).check.any[
        1
    ].act.is_ == "thanks"
    assert [way for way, _ in inner_rules(two(many).check, "check")] == [
        "check.any.0",
        "check.any.1",
    ] and list_of_inner(two(many).check, "check") == "check.any"
    limited = change(many, "check_kind", "hold", part="check.applies_if")
    assert two(limited).check.applies_if.kind == "hold"
    assert (
        two(change(limited, "check_kind", "says", part="check")).check.applies_if.kind == "hold"
    ), "the condition stays when the kind changes"
    assert [r.kind for r in two(change(many, "check_remove", part="check.any.0")).check.any] == [
        "act"
    ]
    script = change(
        change(SMALL, "check_kind", "script", part="check"), "check_add", part="check.script.steps"
    )
    script = change(script, "check_set", "tschüss", part="check.script.steps.1.any")
    assert [(way, name) for way, name, _ in script_fields(two(script).check, "check", "en")] == [
        ("check.script.steps.0", "step_1"),
        ("check.script.steps.1", "step_2"),
    ]
    assert script_fields(two(script).check, "check", "en")[1][2] == "tschüss"


@pytest.mark.parametrize(
    ("act", "value", "part"),
    [
        ("check_kind", "telepathy", "check"),
        ("check_kind", "says", "title"),
        ("check_set", "x", "check.says.nothing"),
        ("check_set", "soon", "check.says.within.first_seconds"),
        ("check_set", "1e99", "check.says.similarity"),
        ("check_add", "says", "check.says"),
        ("check_set", "x", "check.any.7.says.any"),
    ],
)
def test_a_change_of_a_check_that_does_not_fit_is_refused(act, value, part):
    with pytest.raises(EditRefused):
        change(CHECKED, act, value, part=part)


def test_a_change_through_the_fields_never_breaks_a_whole_form(wiring, cast, visit, clock):
    page = visit(cast.manager)
    with wiring.database.write() as session:
        draft = service.draft_of(
            session, form_version_id=version_id(wiring), by=cast.manager.id, at=clock()
        )
    look = {
        "source": CHECKED,
        "act": "check_set",
        "where": "a.two",
        "part": "check.says.similarity",
        "value": "7",
        "language": "en",
    }
    answer = page.post(f"/forms/{draft}/look", look).get_json()
    assert (
        answer["source"] == CHECKED
        and answer["refused"]
        and answer["faults"] == 0
        and "check.says.similarity" in answer["html"]
    )
    answer = page.post(f"/forms/{draft}/look", look | {"value": "0.9"}).get_json()
    assert two(answer["source"]).check.says.similarity == 0.9 and answer["refused"] == ""


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "it",
            [
                "manca `id`",
                "Aggiungere",
                "Scrivere un numero fino a 1",
                "il criterio `a.one` c&#39;è due volte",
            ],
        ),
        ("zh", ["缺少 `id`", "请添加", "请写不大于 1 的数字", "评分项 `a.one` 重复"]),
    ],
)
def test_faults_of_a_form_are_said_in_the_readers_language(
    wiring, cast, visit, clock, language, words
):
    from qa.people import store as people

    page = visit(cast.manager)
    with wiring.database.write() as session:
        people.change_user(session, cast.manager.id, language=language)
        draft = service.draft_of(
            session, form_version_id=version_id(wiring), by=cast.manager.id, at=clock()
        )
    look = lambda **data: page.post(f"/forms/{draft}/look", data).get_json()  # noqa: E731
    missing = look(source=SMALL.replace("{id: a.one, title", "{title"))
    assert all(w in missing["html"] for w in words[:2])
    refused = look(
        source=CHECKED, act="check_set", where="a.two", part="check.says.similarity", value="7"
    )
    assert words[2] in refused["refused"] and "Input should" not in refused["refused"]
    assert words[3] in look(source=SMALL.replace("a.two", "a.one"))["html"]
    assert "a.nobody" in look(source=SMALL, act="weight", where="a.nobody", value="1")["refused"]
