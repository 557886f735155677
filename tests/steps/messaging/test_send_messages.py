"""Messages leave once: on paper and through the provider's library, over crashes, refusals and two senders at once."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mail_provider import Provider
from sqlalchemy import Engine, insert, select

from config.settings import settings
from tasks.steps.messaging.list_unreached_customers import list_unreached_customers, support_rows
from tasks.steps.messaging.send_messages import release_messages, send_queued, settle_interrupted, suppress_messages
from tasks.store import schema

AS_OF = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
FACTS = {
    "order_number": "1001", "customer_name": "Jane <script>alert(1)</script>", "subject": "P-1",
    "items": [{"sku": "MUG", "name": "Mug & saucer", "quantity": 2}],
}  # fmt: skip


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider that is configured as this installation's."""
    made = Provider()
    monkeypatch.setenv("FULFILMENT_SENDER", "sendgrid")
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.test")
    monkeypatch.setenv("FULFILMENT_SENDGRID_HOST", made.host)
    yield made
    made.stop()


@pytest.fixture
def outbox(store: Engine) -> Engine:
    """A store with one merchant and nothing to send."""
    with store.begin() as connection:
        connection.execute(insert(schema.merchants).values(id=1, code="HEARTH", name="Hearth & Hook"))
    return store


def put(store: Engine, *keys: str, kind: str = "parcel_shipped", recipient: str = "jane@mail.example", days: float = 0,
        facts: dict[str, object] | None = None) -> None:  # fmt: skip
    """Queue a message a key."""
    with store.begin() as connection:
        for key in keys:
            connection.execute(
                insert(schema.messages).values(
                    dedupe_key=key, kind=kind, merchant_id=1, recipient=recipient, facts=json.dumps(facts or FACTS),
                    created_at=AS_OF - timedelta(days=days),
                )
            )  # fmt: skip


def states(store: Engine) -> dict[str, str]:
    """The state of every message."""
    with store.connect() as connection:
        chosen = select(schema.messages.c.dedupe_key, schema.messages.c.state)
        return {row.dedupe_key: row.state for row in connection.execute(chosen)}


def run() -> dict[str, int]:
    """The steps of send-messages."""
    settle_interrupted.fn(AS_OF)
    suppress_messages.fn(AS_OF)
    return send_queued.fn(AS_OF)


@pytest.mark.both_databases
def test_the_provider_gets_each_message_once_and_a_second_run_sends_nothing(outbox: Engine, provider: Provider) -> None:
    """With its key, its kind, the merchant as its sender, and every fact escaped."""
    put(outbox, "a", "b")
    assert run() == {"sent": 2}
    assert run() == {}
    assert provider.keys() == ["a", "b"]
    mail = provider.taken[0]
    assert mail["categories"] == ["parcel_shipped"]
    assert mail["from"] == {"email": "orders@hearthandhook.example", "name": "Hearth & Hook"}
    assert mail["subject"] == "Your order 1001 is on its way"
    assert "<script>" not in mail["content"][1]["value"]
    with outbox.connect() as connection:
        rows = connection.execute(select(schema.messages.c.provider_id, schema.messages.c.sent_at)).all()
    assert {row.provider_id for row in rows} == {"id-1", "id-2"}
    assert {row.sent_at for row in rows} == {AS_OF}


@pytest.mark.parametrize(
    ("status", "state"),
    [(400, "failed"), (413, "failed"), (401, "queued"), (429, "queued"), (503, "queued"), (500, "in_doubt")],
)
@pytest.mark.both_databases
def test_an_answer_decides_whether_a_message_may_be_sent_again(
    outbox: Engine, provider: Provider, status: int, state: str
) -> None:
    """Refused for good, certainly not taken, or perhaps taken; the reason quotes nobody."""
    put(outbox, "a")
    provider.answer = lambda _: status
    assert run() == {state: 1}
    with outbox.connect() as connection:
        row = connection.execute(select(schema.messages.c.reason, schema.messages.c.attempts)).one()
    assert "jane" not in row.reason
    assert row.attempts == 1
    provider.answer = lambda _: 202
    run()
    assert len(provider.taken) == (2 if state == "queued" else 1)


def test_a_provider_that_is_not_there_costs_no_message(
    outbox: Engine, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent, so everything is tried again."""
    put(outbox, "a", "b")
    provider.stop()
    assert run() == {"queued": 2}
    monkeypatch.setenv("FULFILMENT_SENDER", "paper")
    assert run() == {"sent": 2}


@pytest.mark.both_databases
def test_a_provider_that_hangs_up_leaves_a_message_in_doubt(outbox: Engine, provider: Provider) -> None:
    """It may have taken it: only a person, or the provider's own word, moves it on."""
    put(outbox, "a")
    provider.answer = lambda _: 0
    assert run() == {"in_doubt": 1}
    assert run() == {}
    assert len(provider.taken) == 1
    provider.answer = lambda _: 202
    assert release_messages.fn(["a", "not in doubt"]) == 1
    assert run() == {"sent": 1}


def _send() -> None:
    """What a process of its own does; its environment says which database and which provider."""
    send_queued.fn(AS_OF)


def test_a_sender_killed_in_the_middle_sends_nothing_twice(outbox: Engine, provider: Provider) -> None:
    """Killed between the claim and the answer: in doubt from then on, and listed for a person."""
    put(outbox, "a")
    wait = threading.Event()

    def slow(_: dict[str, Any]) -> int:
        wait.wait(20)
        return 202

    provider.answer = slow
    child = multiprocessing.get_context("spawn").Process(target=_send)
    child.start()
    assert provider.arrived.wait(60)
    os.kill(int(child.pid or 0), signal.SIGKILL)
    child.join()
    wait.set()
    assert states(outbox) == {"a": "sending"}
    assert settle_interrupted.fn(AS_OF) == 1
    assert run() == {}
    assert states(outbox) == {"a": "in_doubt"}
    assert provider.keys() == ["a"]
    assert list(list_unreached_customers.fn(AS_OF)["message"]) == ["a"]


def test_two_senders_at_once_send_each_message_once(outbox: Engine, provider: Provider) -> None:
    """The second waits for the first and finds nothing left; nothing in flight is taken for interrupted."""
    keys = [f"m{number:03}" for number in range(80)]
    put(outbox, *keys)
    children = [multiprocessing.get_context("spawn").Process(target=_send) for _ in range(2)]
    for child in children:
        child.start()
    assert provider.arrived.wait(60)
    settle_interrupted.fn(AS_OF)
    for child in children:
        child.join(120)
        assert child.exitcode == 0
    assert provider.keys() == keys
    assert set(states(outbox).values()) == {"sent"}


@pytest.mark.both_databases
def test_paper_writes_the_same_bytes_wherever_it_lies(
    outbox: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two homes hold the same files; a key that is no file name becomes one."""
    keys = ["parcel_shipped:HEARTH:#1001:P/../1", "parcel_shipped:HEARTH:_1001:P_.._1"]
    written = []
    for number, folder in enumerate((home, tmp_path / "other")):
        monkeypatch.setenv("FULFILMENT_HOME", str(folder))
        with outbox.begin() as connection:
            connection.execute(schema.messages.delete())
        put(outbox, *keys)
        assert run() == {"sent": 2}, number
        place = settings().folder("outgoing") / "send-messages"
        written.append({path.name: path.read_bytes() for path in place.iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 4


def test_paper_proves_after_a_crash_what_it_has_written(outbox: Engine, home: Path) -> None:
    """A letter that lies there was sent; one that does not is written now."""
    put(outbox, "a", "b")
    run()
    folder = home / "outgoing" / "send-messages"
    with outbox.begin() as connection:
        connection.execute(schema.messages.update().values(state="sending"))
    next(folder.glob("b-*.html")).unlink()
    assert settle_interrupted.fn(AS_OF) == 0
    assert states(outbox) == {"a": "sent", "b": "queued"}
    assert run() == {"sent": 1}
    assert len(list(folder.glob("*.html"))) == 2


@pytest.mark.both_databases
def test_who_cannot_be_reached_is_left_out_and_listed_without_an_address(outbox: Engine, home: Path) -> None:
    """A bounce before, in any spelling of the address; old news is left out and needs nobody."""
    put(outbox, "bounced", recipient="Jane@Mail.example")
    put(outbox, "fine", recipient="joe@mail.example")
    put(outbox, "old", recipient="joe@mail.example", days=30)
    put(outbox, "wordless", kind="refund_proposed", recipient="joe@mail.example", facts={"order_number": "1"})
    with outbox.begin() as connection:
        connection.execute(
            insert(schema.message_events).values(
                event_id="e", event="bounce", recipient="jane@mail.example", occurred_at=AS_OF
            )
        )
    assert run() == {"sent": 1, "failed": 1}
    assert states(outbox) == {"bounced": "suppressed", "fine": "sent", "old": "suppressed", "wordless": "failed"}
    listed = list_unreached_customers.fn(AS_OF)
    assert list(listed["message"]) == ["bounced", "wordless"]
    lists = list((home / "outgoing" / "send-messages").glob("*/customer-support.csv"))
    assert len(lists) == 1
    assert "mail.example" not in lists[0].read_text() + json.dumps(support_rows(listed))
    list_unreached_customers.fn(AS_OF + timedelta(hours=1))
    assert len(list((home / "outgoing" / "send-messages").glob("*/customer-support.csv"))) == 1
    assert list(pd.read_csv(lists[0])["state"]) == ["suppressed", "failed"]


def test_others_write_while_messages_are_sent(outbox: Engine, provider: Provider) -> None:
    """The right to send is held for a whole run, the database only while it is written."""
    put(outbox, "a")

    def write(mail: dict[str, Any]) -> int:
        if mail["custom_args"]["dedupe_key"] == "a":
            put(outbox, "written meanwhile")
        return 202

    provider.answer = write
    assert send_queued.fn(AS_OF) == {"sent": 2}
