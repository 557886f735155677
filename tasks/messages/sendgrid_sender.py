"""The mail provider: one request a letter through the `sendgrid` library.

What an answer means (I4):
    202                           taken; its X-Message-Id is kept
    429, 503                      the provider says it did not take it: tried again by a later run
    401, 403, 404, 405            not this letter's fault but the installation's: the same
    other 4xx                     refused for good
    no connection                 nothing was sent: tried again by a later run
    500 and other 5xx, a timeout or a broken connection after that: perhaps taken, so in doubt
"""

import errno
import json
import logging
import re
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.error import URLError

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Category, Content, CustomArg, From, Mail, Subject, To

from tasks.domain.states import MessageState
from tasks.messages.senders import Letter, Outcome

TIMEOUT_SECONDS = 20.0
_NOT_TAKEN = {401, 403, 404, 405, 429, 503}
_NO_CONNECTION = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH}


class SendGrid:
    """Sends through SendGrid's v3 API; several requests at a time, because each opens a connection of its own."""

    batch = 32
    _at_once = 8

    def __init__(self, api_key: str, host: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        logging.getLogger("python_http_client").setLevel(logging.WARNING)  # at DEBUG it logs the key and the letter
        self._client = SendGridAPIClient(api_key=api_key, host=host.rstrip("/"))
        self._client.client.timeout = timeout_seconds

    def reference(self, dedupe_key: str) -> None:  # noqa: ARG002 - the provider names it when it takes it
        """Nothing: the provider gives a letter its id when it takes it."""
        return

    def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Send each letter in a request of its own."""
        with ThreadPoolExecutor(self._at_once) as pool:
            return list(pool.map(self._send, letters))

    def _send(self, letter: Letter) -> Outcome:
        try:
            answer = self._client.client.mail.send.post(request_body=_mail(letter))
        except HTTPError as error:
            return _refused(error)
        except (OSError, HTTPException) as error:
            return _unanswered(error)
        if answer.status_code != 202:
            return Outcome(MessageState.IN_DOUBT, reason=f"the provider answered {answer.status_code}")
        return Outcome(MessageState.SENT, answer.headers.get("X-Message-Id"))


def _mail(letter: Letter) -> dict[str, object]:
    mail = Mail(
        from_email=From(letter.sender_email, letter.sender_name),
        to_emails=To(letter.recipient),
        subject=Subject(" ".join(letter.subject.split())),
        plain_text_content=Content("text/plain", letter.text),
        html_content=Content("text/html", letter.html),
    )
    mail.add_category(Category(letter.kind))
    mail.add_custom_arg(CustomArg("dedupe_key", letter.dedupe_key))
    body: dict[str, object] = mail.get()
    return body


def _refused(error: HTTPError) -> Outcome:
    status = int(error.status_code)
    if status in _NOT_TAKEN:
        return Outcome(MessageState.QUEUED, reason=f"the provider did not take it ({status}); tried again later")
    if 400 <= status < 500:
        return Outcome(MessageState.FAILED, reason=f"the provider refused it ({status}{_fields(error.body)})")
    return Outcome(MessageState.IN_DOUBT, reason=f"the provider answered {status}: it may have taken it or not")


def _fields(body: object) -> str:
    """Which fields the provider complained about; never their values."""
    try:
        told = json.loads(body if isinstance(body, bytes | str) else "{}").get("errors") or []
        fields = sorted({str(one.get("field")) for one in told if one.get("field")})
    except (ValueError, AttributeError, TypeError):
        return ""
    return "".join(f", {one}" for one in fields if re.fullmatch(r"[A-Za-z0-9_.\[\]-]{1,60}", one))


def _unanswered(error: OSError | HTTPException) -> Outcome:
    cause = error.reason if isinstance(error, URLError) else error
    refused = isinstance(cause, OSError) and cause.errno in _NO_CONNECTION
    if isinstance(error, URLError) and (refused or isinstance(cause, socket.gaierror | ssl.SSLCertVerificationError)):
        return Outcome(MessageState.QUEUED, reason="the provider was not reached; tried again later")
    return Outcome(MessageState.IN_DOUBT, reason=f"no answer from the provider ({type(cause).__name__})")
