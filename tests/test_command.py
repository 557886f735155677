"""`python -m flows`: what it lists, how it reads a flow's parameters, and what it says."""

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from shutil import copytree
from typing import Literal

import pytest
from project import ROOT
from pydantic import BaseModel, Field

from tasks.domain.reporting.run_counts import in_words

command = importlib.import_module("flows.__main__")


class Speed(StrEnum):
    """A choice."""

    CALM = "calm"
    HASTY = "hasty"


class Limits(BaseModel):
    """A group of parameters."""

    lines_max: int = Field(10, description="how many lines")
    zone: str = "A"


def _sample(  # noqa: D417 - not every parameter is described
    warehouse: str,
    as_of: datetime | None = None,
    kinds: list[str] | None = None,
    speed: Speed = Speed.CALM,
    order: Literal["near", "far"] = "near",
    *,
    final: bool = False,
    limits: Limits | None = None,
) -> None:
    """Does it.

    Args:
        warehouse: Code of the warehouse,
            as in config/warehouses.
        as_of: The moment; 100 % optional.
        kinds: Which.

    Returns:
        Nothing.
    """


def _modelled(limits: Limits) -> None:
    """Does it within limits."""


def _read(*arguments: str) -> dict[str, object]:
    found: dict[str, object] = command._parameters("receive-exports", _sample, list(arguments))
    return found


def test_every_flow_is_listed_by_its_docstring() -> None:
    """One line a flow file, without importing any."""
    listed = command.flows()
    assert sorted(name.replace("-", "_") for name in listed) == sorted(
        p.stem for p in (ROOT / "flows").glob("[!_]*.py")
    )
    assert all(line.endswith((".", ":")) or line for line in listed.values())


def test_without_a_name_the_flows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m flows` says what there is and ends well."""
    assert command.main([]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in command.flows())


def test_an_unknown_flow_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what there is instead."""
    assert command.main(["recieve-exports"]) == 2
    assert "there is no flow 'recieve-exports'" in capsys.readouterr().err


def test_options_take_the_types_of_the_signature() -> None:
    """Moments, lists, choices and switches arrive as what the flow declares."""
    assert _read(
        "--warehouse", "MAIN", "--as-of", "2026-03-02T12:00:00Z", "--kinds", "counts", "packs",
        "--speed", "hasty", "--order", "far", "--final",
    ) == {
        "warehouse": "MAIN",
        "as_of": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "kinds": ["counts", "packs"],
        "speed": Speed.HASTY,
        "order": "far",
        "final": True,
    }  # fmt: skip


def test_what_is_not_said_is_left_to_the_flow() -> None:
    """A default lives in the signature and nowhere else."""
    assert _read("--warehouse", "MAIN") == {"warehouse": "MAIN"}


@pytest.mark.parametrize(
    "arguments", [["--speed", "slow"], ["--as-of", "noon"], ["--order", "left"], ["--nonsense", "1"], []]
)
def test_a_wrong_option_is_refused(arguments: list[str]) -> None:
    """A misspelt choice, moment or option and a missing one end with exit code 2."""
    with pytest.raises(SystemExit) as refused:
        _read(*([*arguments, "--warehouse", "MAIN"] if arguments else []))
    assert refused.value.code == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports
@pytest.mark.parametrize(
    ("flow", "arguments", "words"),
    [
        ("plan-waves", ["--warehouse", "NOWHERE"], "--warehouse: found 'NOWHERE', expected one of all, MAIN, NORTH"),
        ("receive-exports", ["--kinds", "nonsense"], "--kinds: found 'nonsense', expected one of products, locations,"),
        (
            "plan-counts",
            ["--counters", "0"],
            "--counters: found '0', expected as planned or a whole number of at least",
        ),
        ("plan-waves", ["--as-of", "noon"], "--as-of: found 'noon', expected now or a moment such as 2026-03-02 09:00"),
        ("run-day", ["--source", "nowhere"], "--source: found 'nowhere', expected a folder that contains a folder"),
        ("plan-waves", ["--help"], "--carrier {all,DPD,Royal Mail}"),
    ],
)
@pytest.mark.usefixtures("home")
def test_the_shell_offers_and_refuses_what_the_form_does(
    flow: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and exit code 2 for what nobody configured; the choices in the help."""
    module = importlib.import_module(f"flows.{flow.replace('-', '_')}")
    with pytest.raises(SystemExit) as ended:
        command._parameters(flow, getattr(module, flow.replace("-", "_")).fn, arguments)
    assert ended.value.code == (0 if arguments == ["--help"] else 2)
    assert words in "".join(capsys.readouterr())


def test_the_fields_of_a_model_are_options_of_their_own() -> None:
    """A group of parameters is typed flat and arrives as the model."""
    found = command._parameters("receive-exports", _modelled, ["--lines-max", "3"])
    assert found == {"limits": Limits(lines_max=3)}


def test_the_words_of_an_option_come_from_the_docstring() -> None:
    """The `Args:` section, continued lines included, up to the next section."""
    assert command.described(_sample.__doc__.replace("\n    ", "\n")) == {  # type: ignore[union-attr]
        "warehouse": "Code of the warehouse, as in config/warehouses.",
        "as_of": "The moment; 100 % optional.",
        "kinds": "Which.",
    }


def test_counts_are_said_in_words() -> None:
    """Field names become words, thousands are grouped, one is singular, a flow is one line of what is not zero."""

    @dataclass(frozen=True)
    class Part:
        files_refused: int
        page: str = "data/reports/index.html"

    @dataclass(frozen=True)
    class Whole:
        rows_loaded: int
        done: dict[str, Part]

    assert in_words(Whole(12345, {"picks received": Part(2), "packs received": Part(0), "counts": Part(1)})) == [
        "rows loaded: 12,345",
        "picks received: 2 files refused",
        "packs received: nothing to do",
        "counts: 1 file refused",
    ]


def _flows(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`python -m flows` with a data folder of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FULFILMENT_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments], cwd=ROOT,
        env=clean | {"FULFILMENT_HOME": str(home)} | environment,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def test_trouble_of_ours_is_told_in_one_line(tmp_path: Path) -> None:
    """A configuration that cannot be read is named, once, without a traceback; exit code 2."""
    done = _flows(tmp_path, "receive-exports", FULFILMENT_CONFIG=str(_broken_config(tmp_path)))
    assert done.returncode == 2, done.stderr
    [line] = [one for one in done.stderr.splitlines() if "BROKEN.yaml" in one]
    assert line.startswith("receive-exports: ")
    assert "Traceback" not in done.stderr
    assert "merchants/BROKEN.yaml: line 3, column 1: found no YAML" in line


def test_what_a_person_must_look_at_is_said_after_the_counts(tmp_path: Path) -> None:
    """A refused file is said with its reason and what to do; the command did its work, so its exit code is 0."""
    inbox = tmp_path / "inbox" / "orders"
    inbox.mkdir(parents=True)
    (inbox / "strange.csv").write_text("size,colour\nXL,red\n", encoding="utf-8")
    done = _flows(tmp_path, "receive-exports", "--as-of", "2026-03-06T18:00:00Z")
    assert done.returncode == 0, done.stderr
    counts, _, to_do = done.stdout.partition("\nto do:\n")
    assert "  files refused: 1" in counts
    assert to_do.startswith("  strange.csv: 1 file was refused (the header is no known layout of orders: nearest is ")
    assert f"and drop it in {tmp_path.name}/inbox/orders again." in to_do
    assert "refused" not in done.stderr, "it is said once"


def _broken_config(folder: Path) -> Path:
    merchants = folder / "config" / "merchants"
    merchants.mkdir(parents=True)
    (merchants / "BROKEN.yaml").write_text("# broken\ncode: [\n", encoding="utf-8")
    copytree(ROOT / "config" / "rules", folder / "config" / "rules")
    return folder / "config"
