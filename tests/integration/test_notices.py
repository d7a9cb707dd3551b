"""Who is told what, where, in which language; mails that survive a server that does not answer."""

import email
import socketserver
import threading
from email import policy

import pytest

from qa.engines.mail import sender
from qa.jobs.mailer import deliver_due
from qa.localization import localizer_for
from qa.notices import store
from qa.notices.rules import PATHS, message_text, path
from qa.notices.service import notify
from qa.notices.types import NoticeChoice, NoticeKind
from qa.people import store as people
from qa.wiring import Wiring

FACTS = {
    "when": "2026-11-09T09:00:00+00:00",
    "until": "2026-11-12T09:00:00+00:00",
    "name": "Sarah %s",
    "score": 71.25,
    "was": 80.0,
    "remark": "r",
    "title": "t",
    "content": "c",
}


def say(wiring, user, kind=NoticeKind.CARD_RELEASED, **facts):
    with wiring.database.write() as session:
        notify(
            session,
            [user.id, user.id],
            kind,
            about=("scorecard", 1),
            at=wiring.clock(),
            **(FACTS | facts),
        )


def address(wiring, user, language="en"):
    with wiring.database.write() as session:
        people.change_user(session, user.id, email="sarah@example.org", language=language)


@pytest.mark.parametrize("language", ["en", "it", "zh"])
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_has_its_sentence_in_every_language(wiring, kind, language):
    localizer = localizer_for(language, wiring.settings.zone)
    said = message_text(kind, FACTS, localizer)
    assert said and "%" not in said.replace("Sarah %s", "")
    assert message_text(kind, {}, localizer), "a notice of an older version is readable"
    if language != "en":
        assert said != message_text(kind, FACTS, localizer_for("en", wiring.settings.zone))


def test_every_place_a_notice_leads_to_is_a_page(wiring):
    from qa.app import create_app

    adapter = create_app(wiring.settings, wiring=wiring).url_map.bind("x")
    for subject in PATHS:
        assert adapter.match(path(subject, 1).partition("?")[0])


def test_a_notice_is_told_once_leads_where_it_says_and_is_read_then(wiring, cast, visit):
    say(wiring, cast.agent)
    agent = visit(cast.agent)
    assert "(1)" in agent.get("/my/scorecards").text
    assert "11/9/26" in agent.get("/notices").text
    assert agent.get("/notices/1").location == "/cards/1"
    assert "(1)" not in agent.get("/my/scorecards").text
    assert visit(cast.stranger).get("/notices/1").status_code == 404
    say(wiring, cast.agent)
    agent.post("/notices/read")
    with wiring.database.read() as session:
        assert store.unread(session, cast.agent.id) == 0


def test_whoever_does_not_want_a_kind_is_not_told(wiring, cast, visit):
    agent = visit(cast.agent)
    assert (
        agent.post(
            "/notices/choices", {"email": "not an address"}, follow_redirects=True
        ).text.count("not a mail address")
        == 1
    )
    agent.post("/notices/choices", {"email": "sarah@example.org", "page.card_voided": "1"})
    say(wiring, cast.agent)
    say(wiring, cast.agent, NoticeKind.CARD_VOIDED)
    with wiring.database.read() as session:
        assert [n.kind for n in store.notices(session, cast.agent.id)] == [NoticeKind.CARD_VOIDED]
        assert store.due_mails(session, now=wiring.clock()) == []
        assert store.choices(session, cast.agent.id)[NoticeKind.CARD_RELEASED] == NoticeChoice(
            False, False
        )


def test_a_mail_is_written_in_its_readers_language_into_the_outbox_once(either):
    from tests.conftest import people_of

    wiring, cast = either, people_of(either)
    address(wiring, cast.agent, "it")
    say(wiring, cast.agent, NoticeKind.CARD_REVISED)
    assert (deliver_due(wiring), deliver_due(wiring)) == (1, 0)
    (file,) = wiring.settings.outbox.glob("*.eml")
    mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    body = mail.get_content()
    assert mail["To"] == "sarah@example.org" and mail["Auto-Submitted"] == "auto-generated"
    assert (
        "ora 71,2 invece di 80,0" in body
        and "http://127.0.0.1:8000/cards/1" in body
        and "/notices" in body
    )


def test_nobody_without_an_address_or_account_gets_a_mail(wiring, cast):
    from qa.people import service

    say(wiring, cast.agent)
    address(wiring, cast.agent)
    say(wiring, cast.agent)
    with wiring.database.write() as session:
        service.disable_user(session, user_id=cast.agent.id, at=wiring.clock())
    say(wiring, cast.agent)
    assert deliver_due(wiring) == 0


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    got: list[str]


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 hello\r\n")
        for line in self.rfile:
            word = line.decode().strip()
            if word.upper().startswith("DATA"):
                self.wfile.write(b"354 go\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.server.got.append(text.decode())
            if word.upper().startswith("QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


def test_a_mail_goes_through_a_server_and_waits_while_there_is_none(wiring, cast, clock):
    server = Server(("127.0.0.1", 0), Talk, bind_and_activate=True)
    server.got = []
    port = server.server_address[1]
    address(wiring, cast.agent, "zh")
    say(wiring, cast.agent)
    dead = Wiring(
        wiring.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"}),
        wiring.database,
        wiring.storage,
        wiring.audio,
        clock,
    )
    assert deliver_due(dead) == 0
    live = Wiring(
        wiring.settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"}),
        wiring.database,
        wiring.storage,
        wiring.audio,
        clock,
    )
    assert deliver_due(live) == 0, "not at once again"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    clock.move(minutes=6)
    assert deliver_due(live) == 1
    server.shutdown()
    assert len(server.got) == 1 and "notice-1@earshot" in server.got[0]


def test_a_mail_is_given_up_after_five_times(wiring, cast, clock):
    address(wiring, cast.agent)
    say(wiring, cast.agent)
    dead = Wiring(
        wiring.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"}),
        wiring.database,
        wiring.storage,
        wiring.audio,
        clock,
    )
    for _ in range(8):
        deliver_due(dead)
        clock.move(hours=3)
    with wiring.database.read() as session:
        assert store.due_mails(session, now=clock()) == []
        assert store.notices(session, cast.agent.id), "in the page it stays"


@pytest.mark.parametrize("url", ["http://x", "smtp://", "nonsense"])
def test_a_mail_server_that_cannot_be_read_says_how_one_is_written(url, tmp_path):
    with pytest.raises(ValueError, match="smtp://"):
        sender(url, tmp_path)
