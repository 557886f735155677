"""The mail provider: one request per letter, through the `sendgrid` library.

What an answer means (I4):
    202                     accepted; its X-Message-Id is kept
    429, 503                not accepted, says the provider: tried again by a later run
    401, 403, 404, 405      the settings are at fault, not the letter: tried again by a later run
    other 4xx               refused for good
    no connection           nothing was sent: tried again by a later run
    other 5xx, a timeout or a connection that broke later: perhaps accepted, so in doubt
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
    """Sends through SendGrid's v3 API, several requests at a time because each opens its own connection."""

    batch = 32
    _at_once = 8

    def __init__(self, api_key: str, host: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        logging.getLogger("python_http_client").setLevel(logging.WARNING)  # at DEBUG it logs the key and the letter
        self._client = SendGridAPIClient(api_key=api_key, host=host.rstrip("/"))
        self._client.client.timeout = timeout_seconds

    def reference(self, dedupe_key: str) -> None:  # noqa: ARG002 - the provider names it when it accepts it
        """None: the provider gives a letter its id when it accepts it."""
        return

    def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Send each letter in its own request."""
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
        return Outcome(
            MessageState.QUEUED, reason=f"the provider did not accept it ({status}); the next run tries again"
        )
    if 400 <= status < 500:
        return Outcome(MessageState.FAILED, reason=f"the provider refused it ({status}{_fields(error.body)})")
    return Outcome(MessageState.IN_DOUBT, reason=f"the provider answered {status}: it may or may not have accepted it")


def _fields(body: object) -> str:
    """Which fields the provider complained about; never their values."""
    try:
        problems = json.loads(body if isinstance(body, bytes | str) else "{}").get("errors") or []
        fields = sorted({str(problem.get("field")) for problem in problems if problem.get("field")})
    except (ValueError, AttributeError, TypeError):
        return ""
    return "".join(f", {field}" for field in fields if re.fullmatch(r"[A-Za-z0-9_.\[\]-]{1,60}", field))


def _unanswered(error: OSError | HTTPException) -> Outcome:
    cause = error.reason if isinstance(error, URLError) else error
    refused = isinstance(cause, OSError) and cause.errno in _NO_CONNECTION
    if isinstance(error, URLError) and (refused or isinstance(cause, socket.gaierror | ssl.SSLCertVerificationError)):
        return Outcome(MessageState.QUEUED, reason="the provider could not be reached; the next run tries again")
    return Outcome(MessageState.IN_DOUBT, reason=f"no answer from the provider ({type(cause).__name__})")
