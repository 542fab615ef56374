"""A mail, written here so that a repeat carries the same Message-ID, and sent with smtplib.

Apprise reads the address (it knows the servers of Gmail, QQ, 163 and many others). It makes a new
Message-ID for each try and answers only yes or no, and what is to be done next hangs on more than
that: a mail that was cut off after its last line may lie in the box already.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Any

from hub.notify.letter import ANSWER_S, CONNECT_S, Letter, refused, unknown
from hub.notify.queue import SENT, Outcome


def send(service: Any, letter: Letter) -> Outcome:
    """Send a letter over one of Apprise's mail services. Never raises for what a server does."""
    recipients = [address for _, address in service.targets]
    recipients += [*service.cc, *service.bcc]
    message = written(service, letter).as_bytes(policy=SMTP)
    is_begun = is_taken = False
    try:
        with _connected(service) as line:
            is_begun = True
            line.sendmail(service.from_addr[1], recipients, message)
            is_taken = True
    except smtplib.SMTPRecipientsRefused:
        return refused("recipient", of_channel=False)
    except smtplib.SMTPResponseException as error:
        return SENT if is_taken else refused(f"smtp:{error.smtp_code}")
    except (smtplib.SMTPException, OSError, UnicodeError):
        if is_taken:
            return SENT  # only the farewell failed
        return unknown() if is_begun else refused("no_connection")
    return SENT


def written(service: Any, letter: Letter) -> EmailMessage:
    """The mail; an answering machine is asked not to answer it."""
    name, address = service.from_addr
    message = EmailMessage()
    message["Message-ID"] = f"<{letter.mark}@{address.rpartition('@')[2]}>"
    message["Date"] = formatdate(usegmt=True)
    message["Subject"] = letter.title
    message["From"] = formataddr((name or "", address))
    message["To"] = ", ".join(formataddr((to or "", mail)) for to, mail in service.targets)
    if service.cc:
        message["Cc"] = ", ".join(service.cc)
    if service.reply_to:
        message["Reply-To"] = ", ".join(service.reply_to)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.body)
    return message


@contextlib.contextmanager
def _connected(service: Any) -> Iterator[smtplib.SMTP]:
    """A line to the server, encrypted and signed in as the address says.

    Raises:
        smtplib.SMTPException, OSError
    """
    context = ssl.create_default_context()
    if not service.verify_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = service.smtp_host, service.port
    if service.secure_mode == "ssl":
        line: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=CONNECT_S, context=context)
    else:
        line = smtplib.SMTP(host, port, timeout=CONNECT_S)
    with line:
        if service.secure_mode == "starttls":
            line.starttls(context=context)
        if service.user and service.password:
            line.login(service.user, service.password)
        if line.sock is not None:
            line.sock.settimeout(ANSWER_S)
        yield line
