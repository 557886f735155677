"""`python -m benchmarks` and the processes it starts: asking for help runs and writes nothing."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.counting import one_reconciliation
from benchmarks.ordering import one_allocation
from benchmarks.picking import one_release
from benchmarks.receiving import one_load

sample = importlib.import_module("benchmarks.sample.__main__")
command = importlib.import_module("benchmarks.__main__")
PARTS = (one_load, one_allocation, one_reconciliation, one_release, sample)


@pytest.mark.parametrize("main", [command.main, *(module.main for module in PARTS)])
def test_help_is_printed_and_nothing_is_written(
    main: Callable[[list[str]], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """--help names no folder and no file: the sample once went into a folder called --help."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: python -m benchmarks")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_every_benchmark_explains_its_arguments(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks NAME --help` is that benchmark's own help."""
    with pytest.raises(SystemExit) as ended:
        command.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m benchmarks {name} ")


def test_the_benchmarks_are_listed_where_one_is_misspelt(capsys: pytest.CaptureFixture[str]) -> None:
    """The error names every benchmark there is."""
    with pytest.raises(SystemExit) as ended:
        command.main(["recieve"])
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert [name for name in command.BENCHMARKS if name not in message] == []
