"""The mail provider's client, against a socket that does not answer."""

import socket

from tasks.domain.states import MessageState
from tasks.messages.senders import Letter
from tasks.messages.sendgrid_sender import SendGrid

LETTER = Letter(
    "key", "order_confirmed", "orders@shop.example", "Shop", "jane@mail.example", "One\r\nBcc: x", "text", "html"
)


def test_a_silent_provider_is_waited_for_only_so_long() -> None:
    """The letter left and nobody said what became of it: in doubt, with a reason that names no address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = SendGrid("SG.key", f"http://127.0.0.1:{server.getsockname()[1]}", timeout_seconds=0.3)
        outcome = sender.send([LETTER])[0]
    assert outcome.state is MessageState.IN_DOUBT
    assert outcome.reason == "no answer from the provider (TimeoutError)"


def test_a_name_that_leads_nowhere_is_tried_again() -> None:
    """Nothing was sent, for there was nobody to send it to."""
    outcome = SendGrid("SG.key", "http://nowhere.invalid", timeout_seconds=5).send([LETTER])[0]
    assert outcome.state is MessageState.QUEUED


def test_what_is_sent_is_one_line_of_subject() -> None:
    """The request holds no line break in a header."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        SendGrid("SG.key", f"http://127.0.0.1:{server.getsockname()[1]}", timeout_seconds=0.3).send([LETTER])
        connection, _ = server.accept()
        with connection:
            asked = connection.recv(65536)
    assert b'"subject": "One Bcc: x"' in asked
    assert b"Bearer SG.key" in asked
