"""What is wrong in a YAML file, one sentence a problem: the key, what was found, what was expected."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from itertools import groupby
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import ValidationError

QUOTED_MAX = 60
WHOLE = "the whole file"
Problem = Mapping[str, Any]


def not_yaml(error: yaml.YAMLError) -> str:
    """Where a file stops being YAML: the line, counted from 1, and what the reader stumbled over."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or "it cannot be read"
    context, begun = getattr(error, "context", None), getattr(error, "context_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else WHOLE
    since = f" {context}{f' of line {begun.line + 1}' if begun else ''}" if context else ""
    return f"{where}: found no YAML, expected YAML: {problem}{since}"


def problems(error: ValidationError, content: object, schema: object) -> Iterator[str]:
    """Each problem of `found`, a file's content, that was to be read as `schema`."""
    errors = error.errors(include_url=False)
    for (path, choices), together in groupby(errors, key=lambda one: _place(one, content)):
        if choices:
            yield from _choice_problems(path, list(together), content, schema)
        else:
            yield from (_sentence(path, one, schema) for one in together)


def _place(problem: Problem, content: object) -> tuple[tuple[Any, ...], bool]:
    """The keys that lead to a problem; and whether they end where the schema allows several types."""
    inside: Any = content
    for depth, step in enumerate(problem["loc"]):
        path = problem["loc"][:depth]
        if not (step in inside if isinstance(inside, Mapping) else isinstance(inside, list)):
            last = depth + 1 == len(problem["loc"])
            missing = problem["type"] == "missing" and last  # otherwise the step is the name of one of several types
            return (*path, step) if missing else path, not missing
        inside = inside[step]
    return problem["loc"], False


def _choice_problems(path: tuple[Any, ...], problems: list[Problem], content: object, schema: object) -> Iterator[str]:
    """A value that is none of several types: every type, or what the nearest one lacks of it."""
    depth = len(path) + 1
    types = [list(together) for _, together in groupby(problems, key=lambda one: one["loc"][:depth])]
    if all(len(one["loc"]) == depth for one in problems):
        expected = " or ".join(dict.fromkeys(_expected(one, schema) for one in problems))
        yield f"{_where(path)}: found {_quoted(problems[0]['input'])}, expected {expected}"
        return
    for one in min(types, key=len):
        inner = {**one, "loc": one["loc"][: depth - 1] + one["loc"][depth:]}
        yield _sentence(_place(inner, content)[0], inner, schema)


def _sentence(path: tuple[Any, ...], problem: Problem, schema: object) -> str:
    if problem["type"] == "value_error":  # a rule of the schema itself, in its own words
        words = str(problem["msg"]).removeprefix("Value error, ")
        return ".".join([*map(str, path), words]) if re.match(r"\w+: found ", words) else f"{_where(path)}: {words}"
    inside = _at(schema, path[:-1])
    if problem["type"] == "missing":
        return f"{_where(path)}: found nothing, expected {_described(_hints(inside).get(path[-1]))}"
    if problem["type"] == "unexpected_keyword_argument":
        return f"{_where(path)}: found a key that is not known, expected {_nearest(str(path[-1]), _hints(inside))}"
    return f"{_where(path)}: found {_quoted(problem['input'])}, expected {_expected(problem, _at(schema, path))}"


def _where(path: Iterable[Any]) -> str:
    return ".".join(map(str, path)) or WHOLE


def _quoted(value: object) -> str:
    """A value as a person wrote it; of what holds other values only what it is."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value)) or 'nothing in it'}"[:QUOTED_MAX]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a list of {len(value)}"
    return repr(value)[:QUOTED_MAX] if isinstance(value, str | int | float) else str(value)[:QUOTED_MAX]


def _expected(problem: Problem, schema: object) -> str:
    """What the reader wanted, without the words around it."""
    if problem["type"] == "dataclass_type":
        return _described(schema)
    words = str(problem["msg"]).partition(", unable to")[0].removeprefix("Input should be ")
    return {"a valid dictionary": "a mapping", "a valid string": "a text", "a valid integer": "a whole number",
            "a valid number": "a number", "a valid boolean": "true or false", "a valid list": "a list",
            "a valid tuple": "a list"}.get(words, words)  # fmt: skip


# ── the schema ───────────────────────────────────────────────────────────────────────────────────────────────────
def _at(schema: Any, path: Iterable[Any]) -> Any:
    """The type of what lies at `path`; nothing where the schema leaves it open."""
    for step in path:
        keys = _hints(schema)
        if keys:
            schema = keys.get(step)
        else:  # a mapping by its values, a list by its items
            inside = [one for one in get_args(_present(schema)) if one is not Ellipsis]
            schema = inside[-1] if inside else None
    return _present(schema)


def _present(schema: Any) -> Any:
    """The type of what may also be left out, otherwise the type itself."""
    types = [one for one in get_args(schema) if one is not type(None)]
    return types[0] if len(types) == 1 and type(None) in get_args(schema) else schema


def _hints(schema: Any) -> dict[Any, Any]:
    """The keys of a mapping that has its own, and their types; of several such types all of them."""
    of_several = get_args(schema) if get_origin(schema) in {Union, UnionType} else (schema,)
    types = [one for one in of_several if is_dataclass(one) and isinstance(one, type)]
    return {key: kind for one in types for key, kind in get_type_hints(one).items()}


def _described(schema: Any) -> str:
    schema = _present(schema)
    if is_dataclass(schema) and isinstance(schema, type):
        return f"a mapping with {', '.join(_needed(schema))}"
    plain = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    kind = get_origin(schema) or schema
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a mapping"
    if isinstance(kind, type) and issubclass(kind, Sequence) and kind is not str and not hasattr(kind, "__members__"):
        return "a list"
    words = getattr(schema, "__members__", None)
    return f"one of {', '.join(one.value for one in words.values())}" if words else plain.get(schema, "a value")


def _needed(schema: Any) -> list[str]:
    """The keys a mapping cannot do without; all it may have where it can do without any."""
    needed = [one.name for one in fields(schema) if one.default is MISSING and one.default_factory is MISSING]
    return needed or [one.name for one in fields(schema)]


def _nearest(name: str, names: Mapping[Any, Any]) -> str:
    close = get_close_matches(name, names, n=1, cutoff=0.75)
    return str(close[0]) if close else f"one of {', '.join(names)}"
