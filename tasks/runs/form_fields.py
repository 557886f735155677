"""Fields of the form in which a run is started: what they offer, and the sentence that refuses anything else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class OneOf:
    """One of the values that are offered: a list to choose from in the form."""

    offered: Callable[[], list[str]]

    def __get_pydantic_core_schema__(self, _kind: object, _inner: GetCoreSchemaHandler) -> CoreSchema:
        """How a value is judged."""
        return core_schema.no_info_plain_validator_function(self._judged)

    def __get_pydantic_json_schema__(self, _schema: object, _inner: object) -> dict[str, Any]:
        """How the parameter looks in the form."""
        return {"type": "string", "enum": self.offered()}

    def _judged(self, value: object) -> object:
        if value in self.offered():
            return value
        raise refusal(value, f"one of {', '.join(self.offered())}")


@dataclass(frozen=True, eq=False)
class WordOr:
    """The word for what is usual, or a value: two tabs in the form."""

    word: str
    tab: str
    shape: dict[str, object]
    expected: str
    reader: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, _kind: object, _inner: GetCoreSchemaHandler) -> CoreSchema:
        """How a value is judged."""
        return core_schema.no_info_plain_validator_function(self._judged)

    def __get_pydantic_json_schema__(self, _schema: object, _inner: object) -> dict[str, Any]:
        """How the parameter looks in the form."""
        usual = {"title": self.word, "type": "string", "enum": [self.word]}
        return {"anyOf": [usual, {"title": self.tab, **self.shape}]}

    def _judged(self, value: object) -> object:
        if value == self.word:
            return value
        try:
            return self.reader(value)
        except (TypeError, ValueError):
            raise refusal(value, f"{self.word} or {self.expected}") from None


def refusal(value: object, expected: str) -> PydanticCustomError:
    """Prefect and the command line put the parameter's name before it."""
    words = {"found": repr(value), "expected": expected}
    return PydanticCustomError("parameter", "found {found}, expected {expected}", words)
