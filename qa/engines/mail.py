"""Send mails to an SMTP server, or write them as files into a folder."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

SECONDS = 20
Send = Callable[[EmailMessage], None]


class MailRefused(Exception):
    """The server did not take the mail; the message says what it said."""


def sender(smtp_url: str, outbox: Path) -> Send:
    """Build the function that sends mails as the settings choose.

    Raises ValueError on an address that cannot be read.
    """
    if not smtp_url:
        return lambda message: into_folder(message, outbox)
    parts = urlsplit(smtp_url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("QA_SMTP_URL looks like smtp://user:password@host:587 or smtps://host:465")
    return lambda message: through_server(message, smtp_url)


def into_folder(message: EmailMessage, outbox: Path) -> None:
    """One .eml file per mail, complete as soon as it is there. The same mail twice is one file."""
    outbox.mkdir(parents=True, exist_ok=True)
    name = "".join(
        c if c.isalnum() or c in "-." else "-" for c in str(message["Message-ID"]).strip("<>")
    )
    half = outbox / f".{name}.part"
    half.write_bytes(bytes(message))
    half.rename(outbox / f"{name}.eml")


def through_server(message: EmailMessage, url: str) -> None:
    """Hand one mail over, encrypted where the server offers it. Raises MailRefused."""
    parts = urlsplit(url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(host, parts.port or 25, timeout=SECONDS)
        with connection:
            connection.ehlo()
            if parts.scheme == "smtp" and connection.has_extn("starttls"):
                connection.starttls(context=context)
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailRefused(f"{type(error).__name__}: {error}") from error
