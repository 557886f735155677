"""The import law, and the other rules of the house that a machine can check."""

import ast
import dataclasses
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median
from typing import Any, TypeGuard, get_args, get_type_hints

import pytest
from project import ROOT

from config.settings import Settings

CODE = ("flows", "tasks", "config", "benchmarks")
VAGUE = {"utils", "helpers", "common", "constants", "base", "misc", "lib"}
VERBS = {"approve", "receive", "plan", "reconcile", "allocate", "inspect", "track", "process", "send", "report", "run"}

VALUES = {"numpy", "pandas", "tasks.domain"}  # what a rule is made of
STEP = VALUES | {"prefect", "config", "tasks"}
ALLOWED = {  # folder or file, longest match first -> what it may import beside the standard library
    "flows/__main__.py": {"prefect", "pydantic", "config", "tasks", "flows"},
    "flows": {"prefect", "flows", "tasks.domain", "tasks.clock", "tasks.runs", "tasks.steps"},
    "config": {"pydantic", "pydantic_settings", "yaml", "config"},
    "tasks/clock.py": {"tasks.configured"},
    "tasks/configured.py": {"config", "tasks.domain"},
    "tasks/domain/picking": VALUES | {"numba", "scipy", "highspy"},
    "tasks/domain/compiled.py": VALUES | {"numba"},
    "tasks/domain/solver.py": VALUES | {"highspy"},
    "tasks/domain": VALUES | {"babel", "stdnum", "email_validator", "holidays"},
    "tasks/store": VALUES | {"sqlalchemy", "alembic", "config", "tasks.store", "pyarrow", "pgpq", "adbc_driver_sqlite"},
    "tasks/inbox": VALUES | {"tasks.inbox", "pyarrow", "filelock", "python_calamine", "watchfiles"},
    "tasks/documents": VALUES | {"tasks.documents", "jinja2", "matplotlib", "reportlab", "barcode", "PIL",
                                 "xlsxwriter"},
    "tasks/gates": VALUES | {"great_expectations", "tasks.gates"},
    "tasks/messages": VALUES | {"jinja2", "markupsafe", "babel", "sendgrid", "python_http_client", "config",
                                "tasks.messages"},
    "tasks/runs/form_fields.py": {"pydantic", "pydantic_core"},
    "tasks/runs/parameters.py": {"pydantic", "tasks"},
    "tasks/runs": STEP,
    "tasks/steps/counting/approval_form.py": STEP | {"pydantic"},  # the words beside the fields of a form
    "tasks/steps/picking/parallel_planners.py": STEP | {"prefect_dask"},
    "tasks/steps": STEP | {"sqlalchemy"},
    "tasks/service": STEP | {"sqlalchemy", "httpx", "uvicorn"},  # Prefect's server, worker and watch
    "benchmarks": STEP | {"benchmarks", "sqlalchemy", "pyarrow", "adbc_driver_sqlite", "adbc_driver_postgresql", "yaml",
                          "great_expectations", "holidays", "xlsxwriter", "stdnum", "numpy", "scipy", "highspy",
                          "httpx", "psutil"},
}  # fmt: skip
AREAS = {  # layer -> area -> the other areas of the layer that it may lean on
    "domain": {
        "sites": set(), "returns": set(),
        "stock": {"sites"},
        "counting": {"sites"},
        "ordering": {"sites", "stock"},
        "parcels": {"ordering"},
        "picking": {"ordering", "sites"},
        "receiving": {"counting", "sites"},
        "reporting": {"ordering"},
    },
    "store": {
        "database": set(),
        "counting": {"database"},
        "messaging": {"database"},
        "picking": {"database"},
        "stock": {"counting", "database"},
        "ordering": {"database", "stock"},
        "parcels": {"database", "stock"},
        "reporting": {"database", "messaging"},
        "receiving": {"counting", "database", "ordering", "parcels", "picking", "stock"},
        "migrations": {"database"},
    },
    "steps": {
        "counting": set(), "messaging": set(), "picking": set(), "receiving": set(),
        "ordering": {"messaging"},
        "parcels": {"messaging"},
        "returns": {"messaging"},
    },
}  # fmt: skip
NAMELESS = {"told", "said", "found", "asked", "known", "mine", "made", "gone", "given", "held", "here", "same", "of"}
SAID_TO_PEOPLE = {"ProcedureStep.says"}  # read by those who follow the procedure, not by the program
LISTS = {"tasks/store/receiving/loaders", "benchmarks/sample", "tests/support"}  # one file a kind, export or helper
PURE = {  # the standard library, as far as a rule may use it
    "abc", "array", "binascii", "bisect", "calendar", "collections", "concurrent", "csv", "dataclasses", "datetime",
    "decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "html", "io", "itertools",
    "json", "math", "operator", "random", "re", "statistics", "string", "textwrap", "types", "typing", "unicodedata",
    "zlib", "zoneinfo",
}  # fmt: skip


SLOW = (
    "great_expectations", "matplotlib", "numba", "scipy", "highspy", "reportlab", "xlsxwriter", "barcode",
    "PIL", "distributed", "sendgrid", "prefect.server",
)  # fmt: skip
LOADED_BY_NAME = {"fastapi", "psycopg"}  # Prefect's server is held below a version; SQLAlchemy's driver for PostgreSQL
BROUGHT_ALONG = {"psutil"}  # asked for by tests and benchmarks, and by Dask
LONGER = {  # and why
    "tasks/domain/receiving/export_kinds.py",  # a table of every field of every kind of export
    "tasks/domain/receiving/cells.py",  # one reader per type of cell, side by side
}


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[str]:
    """Every module `path` imports, anywhere in it; `from tasks import x` is tasks.x."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}: a relative import"
            own = (node.module or "").partition(".")[0] in CODE
            folder = ROOT.joinpath(*(node.module or "").split("."))
            for alias in node.names:
                inner = own and (folder.with_suffix("").joinpath(f"{alias.name}.py").exists())
                yield f"{node.module}.{alias.name}" if inner else str(node.module)


def _law(name: str) -> set[str]:
    place = max((place for place in ALLOWED if name == place or name.startswith(f"{place}/")), key=len)
    return ALLOWED[place]


def _lawful(name: str, module: str) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return not name.startswith("tasks/domain/") or top in PURE
    law = _law(name)
    return any(module == one or module.startswith(f"{one}.") for one in law)


def test_a_file_imports_what_its_folder_may() -> None:
    """Each folder has a list of what it may import; a new library is refused until someone writes it in."""
    found = [(_name(path), module) for path in _files(*CODE) for module in _imports(path)]
    assert [(name, module) for name, module in found if not _lawful(name, module)] == []


def _area(name: str) -> tuple[str, str]:
    """Layer and area of a file or module: domain and counting for tasks/domain/counting/approvals.py."""
    parts = name.removesuffix(".py").replace("/", ".").split(".")
    return (parts[1], parts[2]) if len(parts) > 3 else (parts[1] if len(parts) > 1 else "", "")


def _leanings(layer: str) -> set[tuple[str, str]]:
    """Which area of a layer imports which other."""
    found = set()
    for path in _files(f"tasks/{layer}"):
        own = _area(_name(path))[1]
        others = {_area(module)[1] for module in _imports(path) if module.startswith(f"tasks.{layer}.")}
        found |= {(own, other) for other in others if own and other and other != own}
    return found


@pytest.mark.parametrize("layer", AREAS)
def test_areas_lean_on_each_other_as_written_and_never_in_a_circle(layer: str) -> None:
    """Within a layer an area imports those on its list and no other, and no chain of them leads back."""
    assert {(area, other) for area, others in AREAS[layer].items() for other in others} == _leanings(layer)
    assert set(TopologicalSorter(AREAS[layer]).static_order()) >= set(AREAS[layer])


def test_a_folder_is_taken_in_at_a_glance() -> None:
    """At most 14 files, but for folders that are a list of the same kind of file."""
    folders = {path.parent for path in _files(*CODE, "tests")}
    counts = {
        _name(folder): len([one for one in folder.glob("*.py") if one.name != "__init__.py"]) for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > 14 and name not in LISTS} == {}


@pytest.mark.parametrize(
    ("name", "module", "allowed"),
    [
        ("tasks/domain/counting/count_rules.py", "pandas", True),
        ("tasks/domain/counting/count_rules.py", "sqlalchemy", False),
        ("tasks/domain/counting/count_rules.py", "pathlib", False),
        ("tasks/domain/counting/count_rules.py", "tasks.store.stock.post_moves", False),
        ("tasks/domain/counting/count_rules.py", "config.read", False),
        ("tasks/store/stock/post_moves.py", "prefect", False),
        ("tasks/gates/delivery.py", "great_expectations", True),
        ("tasks/inbox/delivered_files.py", "great_expectations", False),
        ("flows/plan_waves.py", "tasks.store.database.engine", False),
        ("flows/plan_waves.py", "tasks.clock", True),
        ("flows/plan_waves.py", "sqlalchemy", False),
        ("config/read.py", "tasks.domain.states", False),
    ],
)
def test_the_law_tells_right_from_wrong(name: str, module: str, *, allowed: bool) -> None:
    """The check itself refuses what it should."""
    assert _lawful(name, module) is allowed


def _containing(pattern: str, *folders: str) -> list[str]:
    return [_name(path) for path in _files(*folders) if re.search(pattern, path.read_text(encoding="utf-8"))]


def test_a_rule_looks_at_no_clock() -> None:
    """The only clock a rule sees is the moment it is handed."""
    clock = r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time|Timestamp\.(?:now|today))\b"
    assert _containing(clock, "tasks/domain") == []


def test_a_rule_draws_only_from_a_seed() -> None:
    """No generator without a seed: the same inputs give the same output (I10)."""
    unseeded = r"default_rng\(\)|\bRandom\(\)|\brandom\.(?:random|shuffle|choice|sample)\(|np\.random\.(?:rand|seed)"
    assert _containing(unseeded, "tasks/domain") == []


def test_only_the_clock_module_reads_the_time_of_day() -> None:
    """Flows and steps take the moment from tasks.clock, so a run can be repeated as of any time."""
    reads = r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time)\("
    assert set(_containing(reads, "flows", "tasks", "config")) == {"tasks/clock.py"}


def test_a_value_is_named_after_what_it_is() -> None:
    """A bare participle or pronoun is no name: `waiting_lines`, never `found`."""
    files = [path for path in _files("flows", "tasks", "config") if "migrations" not in path.parts]
    found = [(_name(path), name) for path in files for name in _names_given(path)]
    assert len(found) > 10_000
    assert [(name, word) for name, word in found if word in NAMELESS] == []


def _names_given(path: Path) -> Iterator[str]:
    """Every name a file gives to a value, and the first word of every function's."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id.strip("_")
        elif isinstance(node, ast.arg):
            yield node.arg.strip("_")
        elif isinstance(node, ast.FunctionDef):
            yield node.name.strip("_").partition("_")[0]


def test_a_file_name_says_what_is_in_it() -> None:
    """utils, helpers, common, constants, base say nothing."""
    names = [path for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    assert [_name(path) for path in names if VAGUE & {part.removesuffix(".py").lower() for part in path.parts}] == []


def test_a_flow_file_is_a_verb_and_a_noun() -> None:
    """Prefect puts flows/ first on the path: flows/config.py or flows/tasks.py would hide the real packages."""
    for path in (ROOT / "flows").glob("[!_]*"):
        if path.is_dir():
            continue
        verb, _, noun = path.stem.partition("_")
        assert path.suffix == ".py", path
        assert verb in VERBS, path
        assert noun, path
        assert not (ROOT / path.stem).exists(), path


@pytest.mark.parametrize("path", sorted((ROOT / "flows").glob("[!_]*.py")), ids=_name)
def test_a_flow_is_the_order_of_work_and_nothing_else(path: Path) -> None:
    """One function, named like its file; no try, no SQL, no submit; short enough to recite."""
    tree = _tree(path)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert functions == [path.stem]
    assert path.read_text(encoding="utf-8").count("\n@operation(") == 1, "tasks/runs/operation.py says how its run ends"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    assert ".submit(" not in path.read_text(encoding="utf-8")
    assert 15 <= len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_a_run_is_named_in_plain_words() -> None:
    """What an analyst reads in Prefect's UI: `ship parcels`, never ship_parcels-3f1; parameters only where given."""
    plain = r"[a-z][a-z, ]* [a-z, ]*(?:\{[a-z]+\})?"
    names = [(_name(path), words) for path in _files("flows", "tasks") for words in _run_names(path)]
    assert len(names) > 50
    assert [(name, words) for name, words in names if not re.fullmatch(plain, words)] == []


def _run_names(path: Path) -> Iterator[str]:
    """How each run that a file defines is called, without its parameters."""
    for node in ast.walk(_tree(path)):
        for one in node.decorator_list if isinstance(node, ast.FunctionDef) else []:
            if (kind := ast.unparse(one).partition("(")[0]) in {"task", "step", "operation"}:
                keywords = one.keywords if isinstance(one, ast.Call) else []
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords}
                name = given.get("flow_run_name" if kind == "operation" else "task_run_name", "")
                yield name.removeprefix("named(").partition("', ")[0].strip("')")


def _length_max(path: Path) -> int | None:
    name = _name(path)
    if name in LONGER:
        return None
    if name.startswith("tasks/domain/"):
        return 350
    if name.startswith("tasks/steps/"):
        return 200
    return None


def test_a_module_is_read_in_one_sitting() -> None:
    """A step has at most 200 lines, a rule's module at most 350."""
    lengths = [
        (_name(path), len(path.read_text(encoding="utf-8").splitlines()), _length_max(path)) for path in _files("tasks")
    ]
    assert [(name, lines) for name, lines, most in lengths if most and lines > most] == []


def test_functions_are_short() -> None:
    """Half of all functions have at most 8 lines of code, nine in ten fewer than 25."""
    lengths = sorted(
        sum((one.end_lineno or 0) - one.lineno + 1 for one in node.body if not _is_docstring(one))
        for path in _files("flows", "tasks", "config")
        if "migrations" not in path.parts
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef)
    )
    assert median(lengths) <= 8
    assert lengths[int(len(lengths) * 0.9)] < 25


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_errors_are_not_swallowed() -> None:
    """`except Exception`, a bare except and a postponed repair are nowhere."""
    broad = r"except(?:\s+\(?(?:Base)?Exception\b|\s*:)"
    late = r"\b(?:TO" + "DO|FIX" + "ME|X" + r"XX)\b"
    found = [_name(path) for path in _files(*CODE, "tests") if re.search(f"{broad}|{late}", path.read_text())]
    assert [name for name in found if name != "tests/test_architecture.py"] == []


def test_no_query_asks_for_what_is_not_in_another_table() -> None:
    """PostgreSQL scans the whole table of a NOT IN once a row where it is large; NOT EXISTS goes by its key.

    What follows `not_in` is therefore a list that is written out or a constant, never a query, by whatever name.
    """
    calls = [(_name(path), node) for path in _files("tasks") for node in ast.walk(_tree(path)) if _is_not_in(node)]
    assert len(calls) > 2
    assert [(name, ast.unparse(call)) for name, call in calls if not _is_list(call.args[0])] == []


def _is_not_in(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"not_in", "notin_"}
    )


def _is_list(node: ast.expr) -> bool:
    """Whether a value is a list that is written out, or a constant of a module."""
    if isinstance(node, ast.Name | ast.Attribute):
        return (node.id if isinstance(node, ast.Name) else node.attr).isupper()
    return isinstance(node, ast.List | ast.Tuple | ast.Set | ast.ListComp)


def test_the_check_of_not_in_cannot_be_dodged() -> None:
    """A query that was given a name first is a query."""
    words = {"x.not_in(select(t))": False, "x.not_in(waiting)": False, "x.not_in(query.subquery())": False,
             "x.not_in(_CLOSED)": True, "x.not_in(states.CLOSED)": True, "x.not_in(['a'])": True}  # fmt: skip
    calls = {text: ast.parse(text, mode="eval").body for text in words}
    assert {text: isinstance(call, ast.Call) and _is_list(call.args[0]) for text, call in calls.items()} == words


def test_a_slow_library_waits_until_it_is_used() -> None:
    """Great Expectations takes seconds to import: inside the gate that uses it, never at the top.

    Importing every flow loads none of the libraries that only some runs need.
    """
    for path in _files(*CODE):
        top = [node for node in _tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert "great_expectations" not in " ".join(ast.unparse(node) for node in top), path
    flows = ", ".join(f"flows.{path.stem}" for path in (ROOT / "flows").glob("[!_]*.py"))
    loaded = f"import sys, {flows}; print([name for name in {SLOW!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tests_mirror_the_source() -> None:
    """A test file's folder exists among the sources, file names are unique, and there is no package under tests/."""
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert not [path for path in tests if path.name == "__init__.py"]
    assert len({path.name for path in tests}) == len(tests)


def test_no_link_is_part_of_the_project() -> None:
    """A symbolic link leads to a path of one machine; `.venv` above all is made by `make setup` and never kept."""
    command = ["git", "ls-files", "--stage"]
    if (ROOT / ".git").exists():
        files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        assert [line for line in files if line.startswith("120000") or line.endswith("\t.venv")] == []


@pytest.mark.parametrize("folder", ["rules", "warehouses", "merchants"])
def test_a_decision_says_who_may_change_it(folder: str) -> None:
    """Each YAML file of decisions starts with what it decides and who may change it."""
    for path in sorted((ROOT / "config" / folder).rglob("*.yaml")):
        head = re.match(r"(?:#.*\n)+", path.read_text(encoding="utf-8"))
        assert head, path
        assert "may change" in head[0].replace("\n#", ""), path


def test_every_setting_is_read() -> None:
    """What nobody looks at is no setting: of the environment, and of every YAML file (docs/change/rules.md)."""
    read = _names_read()
    fields = {f"Settings.{name}" for name in Settings.model_fields}
    fields |= {f"{kind.__name__}.{field.name}" for kind in _kinds_of_yaml() for field in dataclasses.fields(kind)}
    assert len(fields) > 200
    assert {one for one in fields if one.partition(".")[2] not in read} - SAID_TO_PEOPLE == set()


def _names_read() -> set[str]:
    """Attributes that are looked at and names that stand in strings, but for what a class asks of its own values."""
    found = set()
    for path in _files("flows", "tasks", "config"):
        tree = _tree(path)
        own = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__post_init__"]
        inside = {id(node) for one in own for node in ast.walk(one)}
        nodes = [node for node in ast.walk(tree) if id(node) not in inside]
        found |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        found |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found


def _kinds_of_yaml() -> set[Any]:
    """Every class that a YAML file is read as, and those of the values in it."""
    waiting: list[Any] = []
    found: set[Any] = set()
    for path in _files("flows", "tasks"):
        names = re.findall(r"\bread\([^)]*, ([A-Z]\w+)\)", path.read_text(encoding="utf-8"))
        module = import_module(_name(path).removesuffix(".py").replace("/", ".")) if names else None
        waiting += [getattr(module, name) for name in names]
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if dataclasses.is_dataclass(kind) and kind not in found:
            found.add(kind)
            waiting += get_type_hints(kind).values()
    return found


@pytest.mark.filterwarnings("ignore")
def test_prefects_server_can_be_imported() -> None:
    """The pinned web framework is one Prefect's server works with."""
    assert import_module("prefect.server.api.server").create_app


def _pinned(file: str) -> dict[str, str]:
    """Each package of a lock file with its version and hashes."""
    text = (ROOT / file).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?(==[^\n]+(?:\n +--hash=[^\n]+)+)", text, re.MULTILINE)
    assert "://" not in text, f"{file} names a host"
    assert text.count("==") - text.count(" == ") == len(pins), f"{file} pins a package without a hash"
    return {_package(name): pin for name, pin in pins}


def _package(requirement: str) -> str:
    return re.split(r"[\[<>=!;~ ]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def _required() -> tuple[set[str], set[str]]:
    """What pyproject.toml asks for: to run, and to check and measure."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    developing = project["optional-dependencies"]["dev"]
    return {_package(one) for one in project["dependencies"]}, {_package(one) for one in developing}


def test_every_dependency_is_pinned() -> None:
    """The lock for running pins what running needs, the other all of that at the same version, and the rest."""
    running, developing = _required()
    lock, lock_of_all = _pinned("requirements.txt"), _pinned("requirements-dev.txt")
    assert running - lock.keys() == set()
    assert developing - lock_of_all.keys() == set()
    assert lock.items() <= lock_of_all.items()


def test_running_needs_no_package_of_the_tests() -> None:
    """What only checks and benchmarks import is not in the lock for running, but where a library brings it."""
    developing = _required()[1] - BROUGHT_ALONG
    assert {"pytest", "hypothesis", "mypy", "ruff"} <= developing
    assert developing & _pinned("requirements.txt").keys() == set()


def test_every_dependency_is_imported() -> None:
    """A package nobody imports is no dependency, but for those another library loads by name."""
    imported = {module.partition(".")[0] for path in _files("flows", "tasks", "config") for module in _imports(path)}
    packages = packages_distributions()
    found = {_package(package) for module in imported for package in packages.get(module, [])}
    assert _required()[0] - found == LOADED_BY_NAME
