"""Strict reading of YAML decisions into the dataclass its reader asks for."""

from dataclasses import is_dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_type_hints

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from config.problems import not_yaml, problems
from config.settings import settings

T = TypeVar("T")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times as quick where libyaml is there


class ConfigError(ValueError):
    """A configuration file says something its reader does not understand."""


def read(path: str | Path, schema: type[T]) -> T:
    """Read `path` (below the configuration folder) as `schema`.

    A misspelt, missing or ill-typed key raises ConfigError naming the file, the key's path, what was found and
    what was expected, one line a problem.
    """
    file = settings().config / path
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start + 1}: found no UTF-8, expected the file saved as UTF-8") from None
    return cast("T", _understood(file, text, schema))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _understood(file: Path, text: str, schema: Any) -> Any:
    """What the text says, understood once: a day reads a few files hundreds of times."""
    try:
        content = yaml.load(text, Loader=_LOADER)  # noqa: S506 - either is a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: {not_yaml(error)}") from None
    try:
        return _adapter(schema).validate_python(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{file}: {one}" for one in problems(error, content, schema))) from None


def names(folder: str, suffix: str = ".yaml") -> list[str]:
    """The names of the files in `folder` (below the configuration folder), sorted, without their suffix."""
    return sorted(file.stem for file in (settings().config / folder).glob(f"*{suffix}"))


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    _refuse_unknown_keys(schema)
    return TypeAdapter(schema)


def _refuse_unknown_keys(schema: object) -> None:
    """Tell the validator to refuse keys that `schema`, or a dataclass inside it, does not have."""
    if is_dataclass(schema) and isinstance(schema, type):
        schema.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
        for kind in get_type_hints(schema).values():
            _refuse_unknown_keys(kind)
    for inner in get_args(schema):
        _refuse_unknown_keys(inner)
