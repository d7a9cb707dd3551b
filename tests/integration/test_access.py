"""Who may open what: every route, every role, own and other; sessions, tokens, headers."""

import pytest

from qa.app import create_app
from qa.people import service as people
from qa.people.rules import may
from qa.people.types import Permission
from qa.web.access import ACCESS, Door
from tests.conftest import add_call, build, people_of


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    from qa.settings import Settings
    from tests.conftest import Clock

    wiring = build(
        Settings(data_dir=tmp_path_factory.mktemp("var"), transcriber="scripted"), Clock()
    )
    made = create_app(wiring.settings, wiring=wiring)
    return made, wiring, people_of(wiring)


def routes(app):
    arguments = {
        "call_id": 1,
        "card_id": 1,
        "assignment_id": 1,
        "draw_id": 1,
        "user_id": 999,
        "dispute_id": 1,
        "notice_id": 1,
        "session_id": 1,
        "case_id": 1,
        "filter_id": 1,
        "version_id": 1,
        "task_id": 1,
        "plan_id": 1,
        "agent_id": 1,
        "target_id": 1,
        "measure_id": 1,
        "schedule_id": 1,
        "run_id": 1,
        "name": "x",
        "month": "2026-11",
        "kind": "json",
        "code": "none",
    }
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            with app.test_request_context():
                from flask import url_for

                yield (
                    rule.endpoint,
                    url_for(rule.endpoint, **{a: arguments[a] for a in rule.arguments}),
                    "POST" if "POST" in rule.methods and "GET" not in rule.methods else "GET",
                )


def test_every_route_stands_in_the_access_table_and_nothing_else_does(app):
    assert {r.endpoint for r in app[0].url_map.iter_rules()} == set(ACCESS)


def test_strangers_to_the_house_get_nothing_but_the_door(app):
    from tests.conftest import visits

    browser = visits(app[0], app[1])(None)
    for endpoint, path, method in routes(app[0]):
        answer = browser.client.open(path, method=method, headers={"Accept": "text/html"})
        if ACCESS[endpoint] is Door.EVERYBODY:
            assert answer.status_code in (200, 302, 400, 404), endpoint
        else:
            assert answer.status_code in (302, 400, 401), endpoint
            if answer.status_code == 302:
                assert "/sign-in" in answer.location


@pytest.mark.parametrize(
    "role",
    ["agent", "team_leader", "evaluator", "qa_manager", "trainer", "administrator", "director"],
)
def test_every_role_gets_what_the_table_says_and_403_for_the_rest(app, role):
    from tests.conftest import visits

    user = app[2].by_role()[role]
    for endpoint, path, method in routes(app[0]):
        browser = visits(app[0], app[1])(user)
        answer = browser.get(path) if method == "GET" else browser.post(path)
        door = ACCESS[endpoint]
        if isinstance(door, Permission) and not may(user, door):
            assert answer.status_code == 403, endpoint
        else:
            assert answer.status_code not in (401, 403, 500), (endpoint, answer.status_code)


def test_what_is_not_theirs_is_not_there(wiring, cast, visit):
    own, other = (
        add_call(wiring, cast, agent=cast.agent),
        add_call(wiring, cast, agent=cast.stranger),
    )
    for path in ("/calls/{}", "/calls/{}/audio", "/calls/{}/peaks"):
        assert visit(cast.agent).get(path.format(own)).status_code == 404, (
            "an agent hears a call only once a card of it is released"
        )
        assert visit(cast.agent).get(path.format(other)).status_code == 404
        assert visit(cast.leader).get(path.format(other)).status_code == 404
        assert visit(cast.trainer).get(path.format(own)).status_code == 404
    assert visit(cast.leader).get(f"/calls/{own}").status_code == 200
    assert visit(cast.evaluator).get(f"/calls/{other}").status_code == 200


def test_a_cookie_copied_before_sign_out_opens_nothing_afterwards(wiring, cast, visit):
    browser = visit(cast.evaluator)
    assert browser.get("/queue").status_code == 200
    cookie = browser.client.get_cookie("earshot").value
    browser.post("/sign-out")
    thief = visit(None)
    thief.client.set_cookie("earshot", cookie)
    assert thief.get("/queue").status_code == 302


def test_disabling_a_user_and_changing_a_password_end_every_session(wiring, cast, visit):
    first, second = visit(cast.evaluator), visit(cast.trainer)
    with wiring.database.write() as session:
        people.disable_user(session, user_id=cast.evaluator.id, at=wiring.clock())
        people.set_password(
            session,
            user_id=cast.trainer.id,
            username="tina",
            password="a new long one",
            at=wiring.clock(),
        )
    assert first.get("/queue").status_code == 302
    assert second.get("/training/").status_code == 302


def test_the_session_gets_a_new_id_at_sign_in_and_its_cookie_is_closed_to_scripts(
    wiring, cast, visit
):
    with wiring.database.write() as session:
        people.set_password(
            session,
            user_id=cast.evaluator.id,
            username="elena",
            password="correct horse",
            at=wiring.clock(),
        )
    browser = visit(None)
    page = browser.client.get("/sign-in")
    before = browser.client.get_cookie("earshot").value
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = browser.client.post(
        "/sign-in", data={"csrf_token": token, "username": "Elena", "password": "correct horse"}
    )
    assert answer.status_code == 302
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert browser.client.get_cookie("earshot").value != before


def test_wrong_passwords_and_unknown_names_get_the_same_answer_and_are_throttled(
    wiring, cast, visit
):
    with wiring.database.write() as session:
        people.set_password(
            session,
            user_id=cast.evaluator.id,
            username="elena",
            password="correct horse",
            at=wiring.clock(),
        )
    browser = visit(None)
    texts = []
    for name in ("elena", "nobody"):
        token = (
            browser.client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
        )
        answer = browser.client.post(
            "/sign-in", data={"csrf_token": token, "username": name, "password": "wrong"}
        )
        assert answer.status_code == 422
        texts.append("wrong" in answer.text)
    assert texts == [True, True]
    codes = [
        browser.client.post(
            "/sign-in", data={"csrf_token": token, "username": "elena", "password": "wrong"}
        ).status_code
        for _ in range(12)
    ]
    assert codes[-1] == 429


def test_every_change_needs_the_sessions_token(wiring, cast, visit):
    browser = visit(cast.evaluator)
    assert browser.client.post("/queue/next").status_code == 400
    other = visit(cast.second_evaluator).token()
    assert browser.client.post("/queue/next", data={"csrf_token": other}).status_code == 400
    assert browser.post("/queue/next").status_code == 302


def test_every_answer_carries_the_strict_policy(wiring, cast, visit):
    for path in ("/sign-in", "/queue", "/nowhere", "/static/earshot.css"):
        answer = visit(cast.evaluator).get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert visit(cast.evaluator).get("/queue").headers["Cache-Control"] == "no-store"


class TestOnesOwnPassword:
    @pytest.fixture
    def elena(self, wiring, cast, visit):
        with wiring.database.write() as session:
            people.set_password(
                session,
                user_id=cast.evaluator.id,
                username="elena",
                password="correct horse",
                at=wiring.clock(),
            )
        return visit(cast.evaluator)

    def test_a_new_one_ends_every_session_and_lets_in_the_old_one_no_more(
        self, wiring, cast, visit, elena
    ):
        other = visit(cast.evaluator)
        done = elena.post("/password", {"current": "correct horse", "new": "battery staple"})
        assert done.status_code == 302 and "/sign-in" in done.location
        assert {b.get("/queue").status_code for b in (elena, other)} == {302}
        for secret, status in (("correct horse", 422), ("battery staple", 302)):
            door = visit(None).client
            token = door.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
            assert (
                door.post(
                    "/sign-in", data={"csrf_token": token, "username": "elena", "password": secret}
                ).status_code
                == status
            )

    @pytest.mark.parametrize(
        ("current", "new"),
        [
            ("wrong", "battery staple"),
            ("correct horse", "short"),
            ("correct horse", "elena-is-great"),
            ("", ""),
            ("correct horse", "x" * 300),
        ],
    )
    def test_a_wrong_or_bad_one_changes_nothing(self, wiring, elena, current, new):
        assert elena.post("/password", {"current": current, "new": new}).status_code == 422
        with wiring.database.read() as session:
            assert people.password_user(session, username="elena", password="correct horse")

    def test_who_signs_in_without_a_password_cannot_set_one_here(self, cast, visit):
        assert (
            visit(cast.trainer)
            .post("/password", {"current": "", "new": "battery staple"})
            .status_code
            == 422
        )
        assert (
            visit(cast.trainer)
            .post("/password", {"current": "x", "new": "battery staple"})
            .status_code
            == 422
        )


def test_after_signing_in_one_is_never_sent_to_another_site(wiring, cast, visit):
    wiring_settings = wiring.settings.model_copy(update={"demo": True})
    from qa.wiring import Wiring
    from tests.conftest import visits

    app = create_app(
        wiring_settings,
        wiring=Wiring(wiring_settings, wiring.database, wiring.storage, wiring.audio, wiring.clock),
    )
    for target in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ):
        browser = visits(app, wiring)(None)
        token = (
            browser.client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
        )
        answer = browser.client.post(
            "/sign-in/demo",
            query_string={"next": target},
            data={"csrf_token": token, "user": cast.evaluator.id},
        )
        assert answer.status_code == 302
        assert answer.location == "/"


def test_the_demos_buttons_exist_only_in_demo_mode_on_loopback(wiring, cast, visit):
    assert visit(None).client.post("/sign-in/demo", data={"user": cast.manager.id}).status_code in (
        400,
        404,
    )
    assert "Demo" not in visit(None).get("/sign-in").text
    assert not wiring.settings.model_copy(update={"demo": True, "host": "0.0.0.0"}).demo_sign_in


def test_who_asks_for_a_page_that_does_not_exist_is_told_in_their_language(app):
    from tests.conftest import visits, words_of

    made, wiring, cast = app
    with wiring.database.write() as session:
        people.set_preferences(session, user_id=cast.leader.id, language="it", theme=None)
    try:
        page = visits(made, wiring)(cast.leader).get("/no/such/page")
        assert (
            page.status_code == 404
            and "Qui non c'è nulla" in words_of(page)
            and "Lea" in words_of(page)
        )
    finally:
        with wiring.database.write() as session:
            people.set_preferences(session, user_id=cast.leader.id, language="en", theme=None)
    assert visits(made, wiring)(None).get("/no/such/page").status_code == 404
