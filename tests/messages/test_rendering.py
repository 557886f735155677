"""Wording: every kind in every language, with and without what may be missing, and no fact that breaks out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT

from tasks.domain.notices import TO_STAFF, NoticeKind
from tasks.domain.sites.sites import Merchant
from tasks.messages.rendering import WordingError, render

WORDINGS = ROOT / "config" / "messages"
LANGUAGES = sorted(path.name for path in WORDINGS.iterdir() if path.is_dir())
HEARTH = Merchant(
    "HEARTH", "Hearth & Hook", "en", "GBP", "Europe/London", "orders@hearthandhook.example", "Hearth & Hook"
)
LEAST: dict[str, object] = {"order_number": "1001", "subject": "RMA-1", "amount_minor": 1250, "currency": "GBP"}
MOST: dict[str, object] = LEAST | {
    "customer_name": "Jane Doe", "items": [{"sku": "MUG", "name": "Mug", "quantity": 2}], "total_minor": 1250,
    "refunded_minor": 1250, "ship_by": "2026-09-07T23:30:00+00:00", "new_date": "2026-09-12", "carrier": "DPD",
    "tracking_number": "1Z", "is_complete": False, "event": "lost", "reason": "It is late.",
    "instructions": "4 Dock Road", "alerts": [{"what": "low stock", "subject": "MUG", "detail": "3 left"}], "more": 2,
}  # fmt: skip


def words(
    kind: str, facts: dict[str, object], language: str = "en", folder: Path = WORDINGS, merchant: Merchant = HEARTH
) -> str:
    """Subject, text and HTML, one below the other."""
    told = render(folder, kind, language, merchant, json.dumps(facts))
    return f"{told.subject}\n{told.text}\n{told.html}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_is_worded_with_little_and_with_much(kind: NoticeKind, language: str) -> None:
    """What may be missing leaves no hole; nothing of a template shows, and nothing is sold."""
    for facts in (LEAST, MOST):
        told = words(kind, facts, language)
        assert not any(sign in told for sign in ("{{", "{%", "None", "  ", "\n\n\n"))
        assert "Hearth &amp; Hook" in told
    assert "Jane Doe" in told or kind in TO_STAFF


def test_a_hostile_name_stays_a_name() -> None:
    """Escaped as HTML, on one line, and never a link."""
    told = render(
        WORDINGS, "order_confirmed", "en", HEARTH, json.dumps(MOST | {"customer_name": "<b>Jane\r\nBcc: x<b"})
    )
    assert "<b>Jane" not in told.html
    assert "&lt;b&gt;Jane Bcc: x" in told.html
    assert "spam.example" not in words("order_confirmed", MOST | {"customer_name": "Win at spam.example"})
    subject = render(
        WORDINGS, "order_confirmed", "en", HEARTH, json.dumps(LEAST | {"order_number": "1\r\nBcc: x"})
    ).subject
    assert subject == "We have your order 1 Bcc: x"


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_whatever_a_customer_is_called_the_frame_of_the_page_stands(name: str) -> None:
    """No name opens or closes an element, or adds a line to the subject."""
    plain = render(WORDINGS, "parcel_shipped", "en", HEARTH, json.dumps(MOST | {"customer_name": "Jane"}))
    told = render(WORDINGS, "parcel_shipped", "en", HEARTH, json.dumps(MOST | {"customer_name": name}))
    assert told.subject == plain.subject
    assert told.html.count("<") == plain.html.count("<")
    assert told.text.count("\n") == plain.text.count("\n")


def test_days_and_money_are_the_customer_s_own() -> None:
    """Half past eleven at night UTC in summer is the next day in London; money is written as the language does."""
    assert "September 8, 2026" in words("order_delayed", MOST)
    assert "8. September 2026" in words("order_delayed", MOST, "de")
    assert "September 12, 2026" in words("order_delayed", MOST)
    assert "£12.50" in words("refund_proposed", MOST)
    assert "12,50\xa0£" in words("refund_proposed", MOST, "de")


@pytest.mark.parametrize(
    ("language", "greeting"), [("de-AT", "Guten Tag"), ("fr", "Hello"), ("../..", "Hello"), ("", "Hello")]
)
def test_a_language_without_wording_falls_back(language: str, greeting: str) -> None:
    """To the merchant's language, then to English; a language is never a path."""
    assert greeting in words("order_confirmed", MOST, language)


def test_no_language_is_the_merchant_s_own() -> None:
    """Orders seldom say which language their customer reads."""
    german = replace(HEARTH, language="de")
    assert "Guten Tag" in words("order_confirmed", MOST, "", merchant=german)


def test_a_merchant_s_own_wording_comes_first(tmp_path: Path) -> None:
    """A file of the merchant's folder stands before the language's; the rest stays common."""
    for path in WORDINGS.rglob("*.j2"):
        copy = tmp_path / path.relative_to(WORDINGS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    own = tmp_path / "en" / "HEARTH" / "order_confirmed.j2"
    own.parent.mkdir()
    own.write_text(
        '{% from "parts.j2" import closing with context %}\nSubject: Ours\n\nOur words.\n\n{{ closing() }}\n'
    )
    other = Merchant("OTHER", "Other", "en", "GBP", "Europe/London", "o@other.example", "Other")
    assert "Our words." in words("order_confirmed", MOST, folder=tmp_path)
    assert "Our words." not in words("order_confirmed", MOST, folder=tmp_path, merchant=other)


def test_a_message_that_lacks_a_fact_says_so_and_quotes_nobody() -> None:
    """A refund without an amount is not sent as if there were none."""
    with pytest.raises(WordingError, match="amount_minor") as told:
        words("refund_proposed", {"order_number": "1", "subject": "RMA-1", "customer_name": "Jane Doe"})
    assert "Jane" not in str(told.value)
    with pytest.raises(WordingError):
        words("order_confirmed", {"customer_name": "Jane"})
