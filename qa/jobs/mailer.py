"""Send notices as mails, each in its reader's language.

A mail is tried again when the server does not answer, and given up after five times.
"""

from datetime import timedelta
from email.message import EmailMessage

import structlog

from qa.engines.mail import MailRefused, sender
from qa.localization import localizer_for
from qa.notices import store
from qa.notices.rules import message_text, path
from qa.notices.types import QueuedMail
from qa.settings import Settings
from qa.wiring import Wiring

TRIES = 5
log = structlog.get_logger()


def deliver_due(wiring: Wiring) -> int:
    """Send the mails that are due and return how many went out.

    A mail is sent outside any transaction, and again if this process dies before it says so.
    """
    send, sent = sender(wiring.settings.smtp_url, wiring.settings.outbox), 0
    with wiring.database.read() as session:
        due = store.due_mails(session, now=wiring.clock())
    for mail in due:
        now = wiring.clock()
        with wiring.database.write() as session:
            if not store.claim_mail(
                session, mail, again_at=now + timedelta(minutes=5 * 2**mail.attempts)
            ):
                continue
        try:
            send(build_mail(mail, wiring.settings))
        except MailRefused as error:
            log.warning(
                "a mail could not be sent",
                notice=mail.notice.id,
                attempt=mail.attempts + 1,
                error=str(error),
            )
            if mail.attempts + 1 >= TRIES:
                with wiring.database.write() as session:
                    store.record_mail_result(session, mail.notice.id, sent_at=None)
            continue
        with wiring.database.write() as session:
            store.record_mail_result(session, mail.notice.id, sent_at=now)
        sent += 1
    return sent


def build_mail(mail: QueuedMail, settings: Settings) -> EmailMessage:
    """Write the mail of a notice in its reader's language.

    No customer's words and no score of a call stand in its subject line.
    """
    localizer = localizer_for(mail.language, settings.zone)
    notice = mail.notice
    text = " ".join(message_text(notice.kind, notice.facts, localizer).split())
    _ = localizer.gettext
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.address
    message["Subject"] = _("Earshot: something for you")
    message["Message-ID"] = f"<notice-{notice.id}@earshot>"
    message["Auto-Submitted"] = "auto-generated"
    greeting = _("Hello %(name)s,", name=mail.name)
    link = settings.link_base + path(notice.subject, notice.subject_id)
    footer = _("You can switch these mails off: %(link)s", link=f"{settings.link_base}/notices")
    message.set_content(f"{greeting}\n\n{text}\n\n{link}\n\n-- \n{footer}\n")
    return message
