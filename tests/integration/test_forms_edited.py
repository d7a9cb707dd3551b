"""Forms written in the browser: drafts as fields and as YAML, faults shown live, published once, compared, retired, brought along."""

import pytest
from sqlalchemy import select

from qa import setup
from qa.forms import service, store
from qa.forms.editing import EditRefused, differences, edited, with_version
from qa.forms.reader import read_form
from qa.forms.types import FormFaults
from qa.settings import HOUSE
from qa.tables.forms import FormVersionRow

SHIPPED = (HOUSE / "scoring_forms" / "customer_service.v2.yaml").read_text()
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


def version_id(wiring, form="customer_service", version=2):
    with wiring.database.read() as session:
        return session.scalars(select(FormVersionRow.id).where(FormVersionRow.form == form, FormVersionRow.version == version)).one()


def ids(source):
    return [c.id for c in read_form(source).criteria()]


def test_every_act_on_the_fields_changes_its_thing_and_leaves_the_rest_as_written():
    assert read_form(edited(SMALL, act="title", where="a.one", value="Eins", language="en")).criterion("a.one").title["en"] == "Eins"
    assert "Uno" in edited(SMALL, act="title", where="a.one", value="Eins", language="en") and "# a remark that has to stay" in edited(SMALL, act="weight", where="a", value="5")
    assert read_form(edited(SMALL, act="weight", where="a.two", value="2,5")).criterion("a.two").weight == 2.5
    assert ids(edited(SMALL, act="up", where="a.two", value="")) == ["a.two", "a.one"]
    assert ids(edited(SMALL, act="up", where="a.one", value="")) == ["a.one", "a.two"], "the first stays first"
    assert ids(edited(SMALL, act="remove", where="a.one", value="")) == ["a.two"]
    assert ids(edited(SMALL, act="add", where="a", value="Says goodbye!")) == ["a.one", "a.two", "a.says_goodbye"]
    assert ids(edited(edited(SMALL, act="add", where="a", value="one"), act="add", where="a", value="one"))[2:] == ["a.one_2", "a.one_3"], "ids stay their own"
    longer = edited(SMALL, act="add_section", where="", value="Extra")
    assert [s.id for s in read_form(edited(longer, act="add", where="extra", value="new")).sections] == ["a", "extra"]


@pytest.mark.parametrize(("act", "where", "value"), [("weight", "a", "many"), ("weight", "a", "-1"), ("weight", "a", "1e9"), ("title", "nothing", "x"), ("fly", "a", ""), ("comment", "a.one", "loudly")])
def test_what_does_not_fit_is_refused(act, where, value):
    with pytest.raises(EditRefused):
        edited(SMALL, act=act, where=where, value=value)


@pytest.mark.parametrize("source", ["", "a: [", "sections: no", "- x", "[" * 3000])
def test_yaml_that_cannot_be_read_is_not_edited(source):
    with pytest.raises(EditRefused):
        edited(source, act="title", where="a", value="x")


def test_the_version_line_changes_alone():
    assert with_version(SMALL, 5).splitlines()[1] == "version: 5  # the fourth"
    assert with_version(SMALL, 5).splitlines()[2:] == SMALL.splitlines()[2:]


def test_two_versions_are_told_apart_by_what_counts():
    other = edited(edited(edited(SMALL, act="weight", where="a.two", value="9"), act="title", where="a.one", value="Eins", language="en"), act="up", where="a.two", value="")
    other = edited(other, act="add", where="a", value="three").replace("version: 4", "version: 5\npass_mark: 70")
    found = {(d.where, d.what): (d.was, d.now) for d in differences(read_form(SMALL), read_form(other), language="en")}
    assert found[("a.two", "weight")] == ("3", "9") and found[("a.one", "title")] == ("One", "Eins")
    assert found[("a.three", "added")] == ("", "three") and found[("form", "pass_mark")] == ("", "70")
    assert ("a.two", "moved") in found
    assert differences(read_form(SMALL), read_form(SMALL), language="en") == []
    assert [d.what for d in differences(read_form(other), read_form(SMALL), language="en") if d.where == "a.three"] == ["removed"]


def test_a_draft_is_written_published_once_and_used_for_new_calls(either, clock):
    from tests.conftest import people_of

    cast = people_of(either)
    facts = {"project": "acme", "queue": "q", "direction": "inbound", "language": "en", "duration": 60}
    with either.database.write() as session:
        made = service.draft_of(session, form_version_id=version_id(either), by=cast.manager.id, at=clock())
        assert service.draft_of(session, form_version_id=version_id(either), by=cast.manager.id, at=clock()) == made, "one draft at a time"
        assert service.form_for(session, **facts)[1].version == 2, "a draft is used for nothing"
        source = edited(store.source(session, made), act="weight", where="opening.greeting", value="7")
        assert service.save_draft(session, form_version_id=made, source=source, edition=1, by=cast.manager.id, at=clock()) == 2
        with pytest.raises(service.DraftChanged):
            service.save_draft(session, form_version_id=made, source="other", edition=1, by=cast.manager.id, at=clock())
        form = service.publish_draft(session, form_version_id=made, by=cast.manager.id, at=clock())
        assert (form.version, service.form_for(session, **facts)[0]) == (3, made)
        for change in (lambda: service.publish_draft(session, form_version_id=made, by=1, at=clock()), lambda: service.discard_draft(session, form_version_id=made, by=1, at=clock())):
            with pytest.raises(service.NotADraft):
                change()
        with pytest.raises(service.NotADraft):
            service.save_draft(session, form_version_id=made, source="x", edition=2, by=cast.manager.id, at=clock())
        service.retire(session, form_version_id=made, by=cast.manager.id, at=clock())
        assert service.form_for(session, **facts) is None, "the older versions are retired with it"
        assert store.source(session, made) == source, "and nothing is lost"


def test_a_draft_with_faults_or_of_another_name_is_not_published(wiring, cast, clock):
    with wiring.database.write() as session:
        made = service.draft_of(session, form_version_id=version_id(wiring), by=cast.manager.id, at=clock())
        service.save_draft(session, form_version_id=made, source="form: [", edition=1, by=cast.manager.id, at=clock())
        with pytest.raises(FormFaults):
            service.publish_draft(session, form_version_id=made, by=cast.manager.id, at=clock())
        service.save_draft(session, form_version_id=made, source=SMALL, edition=2, by=cast.manager.id, at=clock())
        with pytest.raises(service.NotItself):
            service.publish_draft(session, form_version_id=made, by=cast.manager.id, at=clock())


def test_a_version_of_ones_own_under_a_shipped_number_survives_the_next_start(wiring, cast, clock):
    with wiring.database.write() as session:
        row = session.scalars(select(FormVersionRow).where(FormVersionRow.form == "customer_service", FormVersionRow.version == 2)).one()
        row.sha256, row.source = "0" * 64, row.source + "# ours\n"
    setup.initialise(wiring)
    with wiring.database.read() as session:
        assert store.source(session, version_id(wiring)).endswith("# ours\n")


def test_in_the_browser_a_manager_edits_previews_publishes_and_compares(wiring, cast, visit):
    manager, evaluator = visit(cast.manager), visit(cast.evaluator)
    published = version_id(wiring)
    where = manager.post(f"/forms/{published}/draft").location
    page = manager.get(where).text
    assert "draft of version 3" in page and "opening.greeting" in page
    draft = where.split("/")[-2]
    source = with_version(SHIPPED, 3)
    answer = manager.post(f"/forms/{draft}/look", {"source": source, "act": "weight", "where": "opening.greeting", "value": "77"}).get_json()
    assert answer["faults"] == 0 and "77" in answer["source"] and "opening.greeting" in answer["html"]
    assert "many" not in manager.post(f"/forms/{draft}/look", {"source": source, "act": "weight", "where": "opening.greeting", "value": "many"}).get_json()["source"]
    faulty = manager.post(f"/forms/{draft}/look", {"source": "form: [<script>"}).get_json()
    assert faulty["faults"] == 1 and "data-line" in faulty["html"] and "<script>" not in faulty["html"]
    assert manager.post(where, {"source": "form: [", "edition": 1}).status_code == 302, "a faulty draft is kept"
    refused = manager.post(where, {"source": "form: [typed", "edition": 2, "publish": "1"})
    assert refused.status_code == 422 and "form: [typed" in refused.text
    assert "form: [typed" in manager.get(where).text, "and nothing typed is lost"
    stale = manager.post(where, {"source": "old window", "edition": 1})
    assert stale.status_code == 409 and "old window" in stale.text
    assert manager.get(f"/forms/{draft}").status_code == 404 and manager.get("/forms").status_code == 200
    done = manager.post(where, {"source": answer["source"].replace("\n", "\r\n"), "edition": 3, "publish": "1"})
    assert done.location.endswith(f"/forms/{draft}")
    compared = manager.get(f"/forms/{draft}/differences").text
    assert "77" in compared and "opening.greeting" in compared
    assert manager.get(f"/forms/{draft}/differences?with=1").status_code == 200
    assert manager.get(f"/forms/{draft}/source.yaml").text == answer["source"]
    assert manager.get(where).location.endswith(f"/forms/{draft}"), "a published version has no editor"
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
