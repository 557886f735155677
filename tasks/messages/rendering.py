"""The wording of a message: one template per kind, rendered as plain text and as HTML.

A template (config/messages/<language>/<kind>.j2) is plain text: its first line is the subject, an empty line ends a
paragraph, lines that begin with "- " are a list. The HTML is the same text, every fact escaped, set in
config/messages/layout.html.j2. A merchant's own wording is in config/messages/<language>/<MERCHANT>/.

    WordingError   a template is missing or broken, or needs a fact the message does not have
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, UndefinedError
from markupsafe import Markup

from tasks.domain.money import format_amount
from tasks.domain.sites.sites import Merchant

SUBJECT_MAX = 200
NAME_MAX = 80
# Facts that a message may lack: a template asks for them with {% if … %}.
OPTIONAL = (
    "alerts", "carrier", "currency", "customer_name", "event", "instructions", "is_complete", "items", "more",
    "new_date", "order_number", "reason", "refunded_minor", "ship_by", "subject", "total_minor", "tracking_number",
)  # fmt: skip


class WordingError(ValueError):
    """A message cannot be worded. The text names the template and the reason, never the value of a fact."""


@dataclass(frozen=True)
class Wording:
    """What a customer reads."""

    subject: str
    text: str
    html: str


def render(folder: Path, kind: str, language: str, merchant: Merchant, facts: str) -> Wording:
    """Word the message of `kind` about `facts` (JSON), in `language`, otherwise the merchant's language or English."""
    language = _language_worded(folder, kind, merchant, language)
    values = dict.fromkeys(OPTIONAL) | _without_controls(json.loads(facts)) | {"merchant_name": merchant.name}
    values["customer_name"] = _greetable(values["customer_name"])
    try:
        text = _rendered(folder, kind, language, merchant, values, html=False)
        inner = _rendered(folder, kind, language, merchant, values, html=True)
        subject, body = _split(text)
        layout = _environment(folder, language, merchant, html=True).get_template("layout.html.j2")
        html = layout.render(
            subject=subject, language=language, body=_paragraphs(_split(inner)[1]), merchant_name=merchant.name
        )
    except (TemplateError, ValueError, TypeError) as error:
        raise WordingError(f"{language}/{kind}.j2: {_reason(error)}") from None
    return Wording(subject[:SUBJECT_MAX], body, html)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, TemplateError | WordingError) else "a fact is not what the wording expects"


def _language_worded(folder: Path, kind: str, merchant: Merchant, language: str) -> str:
    for tag in (language, merchant.language, "en"):
        short = re.split(r"[-_]", tag.casefold())[0]
        if re.fullmatch(r"[a-z]{2,3}", short) and any(
            (place / f"{kind}.j2").is_file() for place in (folder / short / merchant.code, folder / short)
        ):
            return short
    raise WordingError(f"there is no wording for {kind}")


def _rendered(folder: Path, kind: str, language: str, merchant: Merchant, values: dict[str, Any], *, html: bool) -> str:
    return _environment(folder, language, merchant, html=html).get_template(f"{kind}.j2").render(values)


@cache
def _environment(folder: Path, language: str, merchant: Merchant, *, html: bool) -> Environment:
    places = [folder / language / merchant.code, folder / language, folder]
    environment = Environment(
        loader=FileSystemLoader(places), undefined=StrictUndefined, finalize=_required,
        autoescape=html,  # noqa: S701 - the plain text is not HTML
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.filters["money"] = partial(_money, language=language)
    environment.filters["date"] = partial(_date, language=language, zone=ZoneInfo(merchant.time_zone))
    return environment


def _required(value: object) -> object:
    if value is None:
        raise UndefinedError("it shows a fact that is missing")
    return value


def _money(amount_minor: int, currency: str, *, language: str) -> str:
    return format_amount(amount_minor, currency, language)


def _date(value: str, *, language: str, zone: ZoneInfo) -> str:
    """The day of a moment in the merchant's time zone, or a day as it is, in words."""
    if len(value) == len("2026-09-07"):
        return format_date(date.fromisoformat(value), format="long", locale=language)
    at = datetime.fromisoformat(value)
    return format_date((at.astimezone(zone) if at.tzinfo else at).date(), format="long", locale=language)


def _split(rendered: str) -> tuple[str, str]:
    """The subject (the first line) and the paragraphs below it."""
    subject, _, body = rendered.strip().partition("\n")
    if not subject.startswith("Subject: ") or not body.strip():
        raise WordingError("expected 'Subject: …' as the first line and a text below it")
    paragraphs = [one.strip() for one in re.split(r"\n\s*\n", body.strip())]
    return subject.removeprefix("Subject: ").strip(), "\n\n".join(paragraphs) + "\n"


def _paragraphs(body: str) -> Markup:
    """The escaped text as HTML paragraphs and lists."""
    return Markup("\n").join(_block(one.split("\n")) for one in body.strip().split("\n\n"))


def _block(lines: list[str]) -> Markup:
    if all(line.startswith("- ") for line in lines):
        inner = "".join(f"<li>{line.removeprefix('- ')}</li>" for line in lines)
        return Markup(f"<ul>{inner}</ul>")  # noqa: S704 - every fact in it was escaped when the text was rendered
    return Markup(f"<p>{'<br>'.join(lines)}</p>")  # noqa: S704 - as above


def _without_controls(value: Any) -> Any:
    """Facts without control characters, so that a name cannot break a line, a header or the writing direction."""
    if isinstance(value, str):
        return " ".join("".join(" " if _is_control(sign) else sign for sign in value).split())
    if isinstance(value, Mapping):
        return {key: _without_controls(one) for key, one in value.items()}
    return [_without_controls(one) for one in value] if isinstance(value, list) else value


def _is_control(sign: str) -> bool:
    bidirectional = unicodedata.bidirectional(sign) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return bidirectional or unicodedata.category(sign) in {"Cc", "Zl", "Zp"}


def _greetable(name: str | None) -> str | None:
    """The name, unless it could advertise: mail programs turn what looks like an address into a link."""
    if not name or len(name) > NAME_MAX or re.search(r"[/@]|www\.|\w\.\w{2}", name):
        return None
    return name
