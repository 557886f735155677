"""The documents name what there is, and what they name is there."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from project import ROOT

from config.settings import Settings
from tasks.domain.notices import NoticeKind
from tasks.domain.parcels.inspection import FindingCode
from tasks.domain.receiving.export_kinds import KINDS
from tasks.domain.returns.return_policy import Answer
from tasks.domain.states import Disposition, MessageState, ParcelState, Verdict
from tasks.service.commands import COMMANDS
from tasks.store.schema import metadata

DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FLOWS = sorted(path.stem.replace("_", "-") for path in (ROOT / "flows").glob("[!_]*.py"))
OPERATE = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "operate").glob("*.md"))}
RUNNING = OPERATE["running"]
MAP = (ROOT / "docs" / "change" / "map.md").read_text(encoding="utf-8")
RULES = (ROOT / "docs" / "change" / "rules.md").read_text(encoding="utf-8")


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _sentences() -> set[str]:
    """The names of all constraints and indexes."""
    tables = metadata.tables.values()
    return {str(one.name) for table in tables for one in table.constraints} | {
        str(one.name) for table in tables for one in table.indexes
    }


@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_is_in_the_readme_and_in_the_timetable(flow: str) -> None:
    """A flow is introduced in the README; running.md says when it runs."""
    assert f"| `{flow}` |" in _text("README.md")
    assert f"| `{flow}` |" in RUNNING


def test_no_flow_is_promised_that_is_not_there() -> None:
    """Each flow the tables name has its file."""
    for text in (_text("README.md"), RUNNING):
        assert set(re.findall(r"^\| `([a-z]+-[a-z]+)` \|", text, re.MULTILINE)) == set(FLOWS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_inbox_kind_is_named(kind: str) -> None:
    """running.md lists the folders of the inbox, exports.md says what each file must say."""
    assert f"`{kind}`" in RUNNING
    assert kind in _text("docs/operate/exports.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_named(name: str) -> None:
    """Each variable of the environment has its line in running.md."""
    alias = Settings.model_fields[name].validation_alias
    assert f"| `{alias or 'FULFILMENT_' + name.upper()}` |" in RUNNING


def test_every_file_of_decisions_is_named_where_an_analyst_looks_for_it() -> None:
    """Each is linked from the list in running.md and from the page of what it decides."""
    for folder in ("rules", "procedures"):
        for path in sorted((ROOT / "config" / folder).glob("*.yaml")):
            link = f"](../../config/{folder}/{path.name})"
            assert link in RUNNING, path
            assert path.stem == "outcomes" or [
                page for name, page in OPERATE.items() if name != "running" and link in page
            ], path


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("parcels", [*FindingCode, *Verdict, *ParcelState]),
        ("returns", [*Answer, *Disposition, "approved", "rejected", "manual", "received", "closed"]),
        ("messages", [*NoticeKind, *MessageState]),
    ],
)
def test_words_of_documents_are_explained(page: str, words: list[str]) -> None:
    """Every word a column of states, findings or answers may hold is on the page."""
    assert [str(word) for word in words if f"`{word}`" not in OPERATE[page]] == []


def test_the_ten_walks_end_at_what_is_there() -> None:
    """Each question of map.md is answered by a file and what is defined in it, or by a file of config/."""
    walks = re.findall(r"^\| (.+\?) \| (.+) \|$", MAP, re.MULTILINE)
    assert len(walks) == 10
    for question, answer in walks:
        ends = re.findall(r"`([\w/]+\.py): (\w+)`", answer)
        assert ends, question
        for file, name in ends:
            assert name in _defined(file), (question, file, name)


def _defined(file: str) -> set[str]:
    """The functions, classes and values of a module."""
    names = set()
    for node in ast.parse(_text(file)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return names


def test_every_page_is_linked_from_the_readme() -> None:
    """A page nobody is sent to is not read."""
    pages = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f"]({page})" not in _text("README.md")] == []


def test_the_map_knows_every_folder_and_no_module_that_is_gone() -> None:
    """Paths in its tables are below tasks/; each folder of modules is named somewhere."""
    for module in re.findall(r"`((?:steps|domain|store|inbox|documents|messages|gates|runs|service)/[\w/]+\.py)`", MAP):
        assert (ROOT / "tasks" / module).exists(), module
    folders = {path.parent for path in (ROOT / "tasks").rglob("*.py")}
    assert [folder for folder in folders if not re.search(rf"\b{folder.name}\b", MAP)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named(command: str) -> None:
    """Each command beside the flows has a word in running.md."""
    assert f"flows {command}" in RUNNING


def test_every_make_target_is_named() -> None:
    """Each target of the Makefile has its line, and each line its target."""
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    lines = re.findall(r"^\| (`make .*?) \|", RUNNING, re.MULTILINE)
    assert targets == {name for line in lines for name in re.findall(r"`make (\w+)`", line)}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link is a file or folder of the project, each anchor a heading of it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, link


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_files_and_tests_that_are_named_exist(path: Path) -> None:
    """`tests/x.py::test_y` is a test, `tasks/x.py` is a file, `test_y` is one somewhere."""
    text = path.read_text(encoding="utf-8")
    for file, test in re.findall(
        r"`((?:tests|tasks|flows|config|benchmarks)/[\w/]+\.(?:py|yaml|md))(?:::(\w+))?", text
    ):
        assert (ROOT / file).exists(), file
        assert not test or f"def {test}(" in _text(file), test
    sources = "\n".join(one.read_text(encoding="utf-8") for one in (ROOT / "tests").rglob("test_*.py"))
    for test in re.findall(r"`(test_\w+)`", text):
        assert f"def {test}(" in sources, test


def test_every_numbered_constraint_is_in_the_rules() -> None:
    """A constraint named after an invariant is told with it."""
    missing = [name for name in _sentences() if re.match(r"i\d+_", name) and f"`{name}`" not in RULES]
    assert missing == []


def test_every_invariant_has_a_constraint_or_a_test() -> None:
    """I1 to I10, each with what makes it hold."""
    sections = re.split(r"^## ", RULES, flags=re.MULTILINE)[1:]
    numbered = {match[1]: section for section in sections if (match := re.match(r"I(\d+)", section))}
    assert sorted(numbered, key=int) == [str(number) for number in range(1, 11)]
    for number, section in numbered.items():
        assert re.search(r"`test_\w+`", section), f"I{number} names no test"


def test_constraints_the_rules_name_exist() -> None:
    """What rules.md calls a constraint is one of the schema's."""
    names = _sentences()
    guards = _text("tasks/store/schema.py")
    for name in re.findall(r"`([a-z]\w+_\w+)`", RULES):
        if not name.startswith("test_") and name not in metadata.tables:
            assert name in names or name in guards, name


def test_schedules_in_the_timetable_are_those_of_prefect_yaml() -> None:
    """A flow without a schedule is on demand or by event; one with a schedule says how often."""
    words = {
        "*/15": "15 minutes",
        "2-59/15": "15 minutes",
        "7-59/15": "15 minutes",
        "4-59/15": "15 minutes",
        "*/5": "5 minutes",
        "10,40": "30 minutes",
        "20": "hourly",
    } | {f"{minute} {hour}": f"{hour:0>2}:{minute:0>2}" for hour in range(24) for minute in range(60)}
    for deployment in yaml.safe_load(_text("prefect.yaml"))["deployments"]:
        line = next((one for one in RUNNING.splitlines() if one.startswith(f"| `{deployment['name']}` |")), "")
        for schedule in deployment.get("schedules", []):
            minute, hour = schedule["cron"].split()[:2]
            assert words[minute if hour == "*" else f"{minute} {hour}"] in line, deployment["name"]


def test_the_glossary_explains_words_that_are_used() -> None:
    """Each of its words is used in the code, in a decision, or on a page for operations."""
    kept = [path for folder in ("flows", "tasks", "config") for path in (ROOT / folder).rglob("*")]
    sources = [path for path in kept if path.suffix in {".py", ".yaml"}]
    used = "\n".join([*(path.read_text(encoding="utf-8") for path in sources), *OPERATE.values()]).lower()
    words = re.findall(r"^\| ([^|]+) \|", _text("docs/change/glossary.md"), re.MULTILINE)[2:]
    assert len(words) > 70
    unused = [word for word in words if not re.search(r"\b" + "[ _-]".join(map(re.escape, word.lower().split())), used)]
    assert unused == []


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog: an Unreleased section, known headings."""
    text = _text("CHANGELOG.md")
    assert "## [Unreleased]" in text
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (\w+)", text, re.MULTILINE)) <= kinds
