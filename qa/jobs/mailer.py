"""Notices on their way to mailboxes: each in its reader's language, tried again when the server
does not answer, given up after five times.
"""

import gettext
from datetime import datetime, timedelta
from email.message import EmailMessage

import structlog
from babel.dates import format_datetime
from babel.numbers import format_decimal

from qa.engines.mail import MailRefused, sender
from qa.notices import store
from qa.notices.rules import Localizer, message_text, path
from qa.notices.types import QueuedMail
from qa.settings import PROJECT_ROOT, Settings
from qa.wiring import Wiring

LOCALES = {"en": "en", "it": "it", "zh": "zh_Hans_CN"}
TRIES = 5
log = structlog.get_logger()


def deliver_due(wiring: Wiring) -> int:
    """Send what is due; how many went out.

    A mail is sent outside any transaction, and again if this process dies before it says so.
    """
    send, sent = sender(wiring.settings.smtp_url, wiring.settings.outbox), 0
    with wiring.database.read() as session:
        due = store.due_mails(session, now=wiring.clock())
    for letter in due:
        now = wiring.clock()
        with wiring.database.write() as session:
            if not store.claim_mail(
                session, letter, again_at=now + timedelta(minutes=5 * 2**letter.attempts)
            ):
                continue
        try:
            send(build_mail(letter, wiring.settings))
        except MailRefused as error:
            log.warning(
                "a mail could not be sent",
                notice=letter.notice.id,
                attempt=letter.attempts + 1,
                error=str(error),
            )
            if letter.attempts + 1 >= TRIES:
                with wiring.database.write() as session:
                    store.record_mail_result(session, letter.notice.id, sent_at=None)
            continue
        with wiring.database.write() as session:
            store.record_mail_result(session, letter.notice.id, sent_at=now)
        sent += 1
    return sent


def build_mail(letter: QueuedMail, settings: Settings) -> EmailMessage:
    """The mail of a notice, in its reader's language.

    No customer's words and no score of a call stand in its subject line.
    """
    tongue = localizer_for(letter.language, settings)
    said = " ".join(message_text(letter.notice.kind, letter.notice.facts, tongue).split())
    _ = tongue.text
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = letter.address
    message["Subject"] = _("Earshot: something for you")
    message["Message-ID"] = f"<notice-{letter.notice.id}@earshot>"
    message["Auto-Submitted"] = "auto-generated"
    link = settings.link_base + path(letter.notice.subject, letter.notice.subject_id)
    footer = _("You can switch these mails off: %(link)s") % {
        "link": f"{settings.link_base}/notices"
    }
    message.set_content(
        f"{_('Hello %(name)s,') % {'name': letter.name}}\n\n{said}\n\n{link}\n\n-- \n{footer}\n"
    )
    return message


def localizer_for(language: str, settings: Settings) -> Localizer:
    """How texts, times and numbers are said in a language outside any page."""
    locale = LOCALES.get(language, "en")
    words = gettext.translation(
        "messages",
        str(PROJECT_ROOT / "qa" / "web" / "translations"),
        languages=[locale],
        fallback=True,
    )

    def moment(at: datetime) -> str:
        return format_datetime(
            at.astimezone(settings.zone), "short", tzinfo=settings.zone, locale=locale
        )

    def number(value: float) -> str:
        return format_decimal(round(value, 1), format="#,##0.0", locale=locale)

    return Localizer(words.gettext, moment, number)
