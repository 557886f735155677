"""The types of flow parameters: choices of this installation, moments, days and numbers.

Choices are read from the configuration each time a form is shown or a value is checked.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator

from tasks.clock import NOW
from tasks.configured import warehouses
from tasks.domain.receiving.export_kinds import KINDS
from tasks.runs.form_fields import OneOf, WordOr, refusal

T = TypeVar("T")
ALL: Literal["all"] = "all"
AS_PLANNED: Literal["as planned"] = "as planned"
TODAY: Literal["today"] = "today"
_DEFAULT_WORDS = (ALL, AS_PLANNED, TODAY)
_WHEN: dict[str, object] = {"type": "string", "format": "date-time"}
_MOMENT = "a moment such as 2026-03-02 09:00"


def specific(value: T | Literal["all", "as planned", "today"]) -> T | None:
    """The value of a parameter; None where it is the default word (all, as planned, today)."""
    return None if value in _DEFAULT_WORDS else value


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _day(value: Any) -> date:
    return value if type(value) is date else date.fromisoformat(value)


def _people(value: Any) -> int:
    number = int(str(value))
    if number < 1:
        raise ValueError
    return number


def _folder(path: str) -> str:
    if path and not (Path(path) / "inbox").is_dir():
        raise refusal(path, "a folder that contains a folder named inbox")
    return path


def _carriers() -> list[str]:
    return sorted({carrier.name for site in warehouses() for carrier in site.carriers})


WarehouseChoice = Annotated[str, OneOf(lambda: [ALL, *(site.code for site in warehouses())])]
CarrierChoice = Annotated[str, OneOf(lambda: [ALL, *_carriers()])]
KindChoice = Annotated[str, OneOf(lambda: list(KINDS))]
Moment = Annotated[datetime | Literal["now"], WordOr(NOW, "another moment", _WHEN, _MOMENT, _moment)]
Asking = Annotated[datetime | Literal["all"], WordOr(ALL, "one list", _WHEN, _MOMENT, _moment)]
Day = Annotated[
    date | Literal["today"],
    WordOr(TODAY, "another day", {"type": "string", "format": "date"}, "a day such as 2026-03-02", _day),
]
Counters = Annotated[
    int | Literal["as planned"],
    WordOr(AS_PLANNED, "people", {"type": "integer", "minimum": 1}, "a whole number of at least 1", _people),
]
SourceFolder = Annotated[str, AfterValidator(_folder)]
