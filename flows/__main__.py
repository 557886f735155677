"""Lists the flows, runs one in this process, or serves them all.

python -m flows                                     what there is
python -m flows reconcile-counts --warehouse MAIN   runs one and says what it counted
python -m flows reconcile-counts --help             its parameters
python -m flows serve                               server, UI, schedules and triggers
python -m flows health                              whether all of that works
"""

import argparse
import ast
import atexit
import gc
import importlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, getdoc, signature
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from config.prefect_environment import in_process
from config.settings import settings
from tasks.service.commands import COMMANDS, command

OWN = ("config", "flows", "tasks")


def main(arguments: list[str]) -> int:
    """Do what the command line asks; 0 done, 2 refused."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(listing())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name in COMMANDS:
        return _command(name, rest)
    if name not in flows():
        print(f"there is no flow {name!r}; there are:\n{listing()}", file=sys.stderr)
        return 2
    return _run(name, rest)


def flows() -> dict[str, str]:
    """Every flow's name and the first line of its docstring, without importing it."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == file.stem:
                found[file.stem.replace("_", "-")] = (ast.get_docstring(node) or "").partition("\n")[0]
    return found


def listing() -> str:
    """One line a flow, and how to run one."""
    lines = [f"  {name:<18} {line}" for name, line in flows().items()]
    serving = [f"  {name:<18} {one.about}" for name, one in COMMANDS.items()]
    return "\n".join([*lines, "", *serving, "", "python -m flows NAME --help shows its parameters"])


def _command(name: str, arguments: list[str]) -> int:
    try:
        return command(name, arguments)
    except RuntimeError as error:
        if not _own(error):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        return 2


def _run(name: str, arguments: list[str]) -> int:
    _surround(in_process(settings().home))
    gc.disable()  # what is imported stays: to look through it over and over takes a second
    flow = getattr(importlib.import_module(f"flows.{name.replace('-', '_')}"), name.replace("-", "_"))
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from tasks.domain.reporting.findings import lines
    from tasks.domain.reporting.run_counts import in_words
    from tasks.runs.operation import noting, result_of
    from tasks.service.prefect_api import prefect_api
    from tasks.steps.prepare_database import prepare_database

    parameters = _parameters(name, flow.fn, arguments)
    _without_traceback()
    try:
        prepare_database.fn()
        with (
            prefect_api(settings().home),
            temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
            noting() as findings,
        ):
            _collect_what_is_new()
            counts, failure = result_of(state := flow(**parameters, return_state=True))
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        if not _own(error):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    if failure:
        print(f"{name}: {failure if _own(failure) else state.message}", file=sys.stderr)
        return 2
    to_do = ["", "for a person:", *lines(findings)] if findings else []
    print("\n".join([f"{name} is done", *(f"  {line}" for line in in_words(counts)), *to_do]))
    return 0


def _collect_what_is_new() -> None:
    """Garbage is looked for again, but not in what has been imported, and not at the very end."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
    atexit.register(gc.freeze)


def _surround(environment: Mapping[str, str]) -> None:
    """Make the data folder, and set what the environment does not say already: Prefect reads it when imported."""
    settings().home.mkdir(parents=True, exist_ok=True)
    for name, value in environment.items():
        os.environ.setdefault(name, value)


def _own(error: BaseException) -> bool:
    """Whether the error is one of ours, whose message says all an analyst needs."""
    return type(error).__module__.partition(".")[0] in OWN


def _without_traceback() -> None:
    """Keep off the screen how Prefect logs the end of a run: the command says it. Its server gets every line."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: not getattr(record, "ends_the_run", False))


# ── parameters ───────────────────────────────────────────────────────────────────────────────────────────────────
def _parameters(name: str, function: Callable[..., Any], arguments: list[str]) -> dict[str, Any]:
    """What the command line says, in the types of the flow's signature; a model's fields are options of their own."""
    hints, said = get_type_hints(function, include_extras=True), described(getdoc(function) or "")
    parser = argparse.ArgumentParser(prog=f"python -m flows {name}", description=flows()[name])
    models = {}
    for parameter in signature(function).parameters.values():
        kind = hints[parameter.name]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            models[parameter.name] = kind
            for field, info in kind.model_fields.items():
                _option(parser, field, info.annotation, info.get_default(call_default_factory=True), info.description)
        else:
            _option(parser, parameter.name, kind, parameter.default, said.get(parameter.name))
    asked = vars(parser.parse_args(arguments))
    for parameter_name, model in models.items():
        chosen = {field: asked.pop(field) for field in model.model_fields if field in asked}
        asked[parameter_name] = model(**chosen)
    return asked


def _option(parser: argparse.ArgumentParser, name: str, kind: Any, default: Any, about: str | None) -> None:
    flag, shown = "--" + name.replace("_", "-"), (about or "").replace("%", "%%")
    always: dict[str, Any] = {"dest": name, "help": shown, "default": argparse.SUPPRESS}
    always["required"] = default is Parameter.empty
    kind = _present(kind)
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, **always)
    elif get_origin(kind) in {list, tuple, set, frozenset, Sequence}:
        each = get_args(kind)[0]
        parser.add_argument(flag, nargs="*", type=_reader(each), metavar=_shape(each, name), **always)
    else:
        parser.add_argument(flag, type=_reader(kind), metavar=_shape(kind, name), **always)


def _present(kind: Any) -> Any:
    """The type of what may also be left out: `str` of `str | None`."""
    given = [one for one in get_args(kind) if one is not type(None)]
    return given[0] if len(given) == 1 and type(None) in get_args(kind) else kind


def _shape(kind: Any, name: str) -> str:
    """The choices where there are some, otherwise the parameter's name in capitals."""
    choices = TypeAdapter(kind).json_schema().get("enum", ())
    return "{" + ",".join(map(str, choices)) + "}" if choices else name.upper()


def _reader(kind: Any) -> Callable[[str], Any]:
    def read(said: str) -> Any:
        try:
            return TypeAdapter(kind).validate_python(said)
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise argparse.ArgumentTypeError(why if why.startswith("found ") else f"{said!r}: {why}") from None

    return read


def described(docstring: str) -> dict[str, str]:
    """Each parameter's words in the `Args:` section."""
    said: dict[str, str] = {}
    last = ""
    for line in docstring.partition("Args:\n")[2].splitlines():
        if not line.startswith("    "):
            break
        if line.startswith("     ") and last:
            said[last] += " " + line.strip()
        else:
            last, _, words = line.strip().partition(":")
            last = last.partition(" ")[0]
            said[last] = words.strip()
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
