"""Lists the flows, runs one in this process, or serves them all.

python -m flows                                     lists the flows and commands
python -m flows reconcile-counts --warehouse MAIN   runs a flow and prints its counts
python -m flows reconcile-counts --help             shows its parameters
python -m flows serve                               runs server, UI, schedules and triggers
python -m flows health                              checks that all of it works
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
    """Run the command line. Returns the exit code: 0 done, 2 refused."""
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
    """The name of every flow and the first line of its docstring, without importing it."""
    lines = {}
    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == file.stem:
                lines[file.stem.replace("_", "-")] = (ast.get_docstring(node) or "").partition("\n")[0]
    return lines


def listing() -> str:
    """One line per flow and command, and how to show parameters."""
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
    _prepare(in_process(settings().home))
    gc.disable()  # imported modules stay: collecting through them again and again takes a second
    flow = getattr(importlib.import_module(f"flows.{name.replace('-', '_')}"), name.replace("-", "_"))
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from tasks.domain.reporting.findings import finding_lines
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
            _resume_collection()
            counts, failure = result_of(state := flow(**parameters, return_state=True))
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        if not _own(error):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    if failure:
        print(f"{name}: {failure if _own(failure) else state.message}", file=sys.stderr)
        return 2
    to_do = ["", "to do:", *finding_lines(findings)] if findings else []
    print("\n".join([f"{name} is done", *(f"  {line}" for line in in_words(counts)), *to_do]))
    return 0


def _resume_collection() -> None:
    """Collect garbage again, except in imported modules and at exit."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
    atexit.register(gc.freeze)


def _prepare(environment: Mapping[str, str]) -> None:
    """Make the data folder, and set variables that are not set yet: Prefect reads them when it is imported."""
    settings().home.mkdir(parents=True, exist_ok=True)
    for name, value in environment.items():
        os.environ.setdefault(name, value)


def _own(error: BaseException) -> bool:
    """Whether the error is one of ours, whose message is enough for an analyst."""
    return type(error).__module__.partition(".")[0] in OWN


def _without_traceback() -> None:
    """Keep Prefect's log of the end of a run off the screen: the command prints it. The server gets every line."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: not getattr(record, "ends_the_run", False))


# ── parameters ───────────────────────────────────────────────────────────────────────────────────────────────────
def _parameters(name: str, function: Callable[..., Any], arguments: list[str]) -> dict[str, Any]:
    """The parameters on the command line, typed as in the flow's signature; each field of a model is an option."""
    hints, texts = get_type_hints(function, include_extras=True), described(getdoc(function) or "")
    parser = argparse.ArgumentParser(prog=f"python -m flows {name}", description=flows()[name])
    models = {}
    for parameter in signature(function).parameters.values():
        kind = hints[parameter.name]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            models[parameter.name] = kind
            for field, info in kind.model_fields.items():
                _option(parser, field, info.annotation, info.get_default(call_default_factory=True), info.description)
        else:
            _option(parser, parameter.name, kind, parameter.default, texts.get(parameter.name))
    values = vars(parser.parse_args(arguments))
    for parameter_name, model in models.items():
        chosen = {field: values.pop(field) for field in model.model_fields if field in values}
        values[parameter_name] = model(**chosen)
    return values


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
    """The type of an optional value: `str` of `str | None`."""
    kinds = [one for one in get_args(kind) if one is not type(None)]
    return kinds[0] if len(kinds) == 1 and type(None) in get_args(kind) else kind


def _shape(kind: Any, name: str) -> str:
    """The choices if there are any, otherwise the parameter's name in capitals."""
    choices = TypeAdapter(kind).json_schema().get("enum", ())
    return "{" + ",".join(map(str, choices)) + "}" if choices else name.upper()


def _reader(kind: Any) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return TypeAdapter(kind).validate_python(text)
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise argparse.ArgumentTypeError(why if why.startswith("found ") else f"{text!r}: {why}") from None

    return read


def described(docstring: str) -> dict[str, str]:
    """The text of each parameter in the `Args:` section."""
    texts: dict[str, str] = {}
    last = ""
    for line in docstring.partition("Args:\n")[2].splitlines():
        if not line.startswith("    "):
            break
        if line.startswith("     ") and last:
            texts[last] += " " + line.strip()
        else:
            last, _, words = line.strip().partition(":")
            last = last.partition(" ")[0]
            texts[last] = words.strip()
    return texts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
