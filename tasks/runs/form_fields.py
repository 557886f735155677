"""Fields of the form that starts a run: the values they offer, and the sentence that refuses any other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class OneOf:
    """One of the offered values: a list to choose from in the form."""

    offered: Callable[[], list[str]]

    def __get_pydantic_core_schema__(self, _kind: object, _inner: GetCoreSchemaHandler) -> CoreSchema:
        """How a value is checked."""
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(self, _schema: object, _inner: object) -> dict[str, Any]:
        """How the parameter looks in the form."""
        return {"type": "string", "enum": self.offered()}

    def _checked(self, value: object) -> object:
        if value in self.offered():
            return value
        raise refusal(value, f"one of {', '.join(self.offered())}")


@dataclass(frozen=True, eq=False)
class WordOr:
    """The default word, or a value: two tabs in the form."""

    word: str
    tab: str
    shape: dict[str, object]
    expected: str
    reader: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, _kind: object, _inner: GetCoreSchemaHandler) -> CoreSchema:
        """How a value is checked."""
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(self, _schema: object, _inner: object) -> dict[str, Any]:
        """How the parameter looks in the form."""
        default = {"title": self.word, "type": "string", "enum": [self.word]}
        return {"anyOf": [default, {"title": self.tab, **self.shape}]}

    def _checked(self, value: object) -> object:
        if value == self.word:
            return value
        try:
            return self.reader(value)
        except (TypeError, ValueError):
            raise refusal(value, f"{self.word} or {self.expected}") from None


def refusal(value: object, expected: str) -> PydanticCustomError:
    """A refusal as 'found …, expected …'; Prefect and the command line put the parameter's name before it."""
    context = {"found": repr(value), "expected": expected}
    return PydanticCustomError("parameter", "found {found}, expected {expected}", context)
