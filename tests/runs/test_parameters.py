"""What flows may be told: choices follow the configuration, and one sentence refuses what nobody configured."""

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema
from project import ROOT

from flows.approve_counts import approve_counts
from flows.plan_counts import plan_counts
from flows.plan_waves import plan_waves
from flows.receive_exports import receive_exports
from flows.report_kpis import report_kpis
from flows.run_day import run_day
from tasks.runs.parameters import ALL, AS_PLANNED, TODAY, specific
from tasks.runs.plain_errors import explained

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports


@pytest.mark.parametrize(
    ("flow", "told", "sentence"),
    [
        (plan_waves, {"warehouse": "NOWHERE"}, "warehouse: found 'NOWHERE', expected one of all, MAIN, NORTH"),
        (plan_waves, {"warehouse": "main"}, "warehouse: found 'main', expected one of all, MAIN, NORTH"),
        (plan_waves, {"carrier": "Pigeon"}, "carrier: found 'Pigeon', expected one of all, DPD, Royal Mail"),
        (plan_waves, {"carrier": None}, "carrier: found None, expected one of all, DPD, Royal Mail"),
        (
            receive_exports,
            {"kinds": ["nonsense"]},
            "kinds: found 'nonsense', expected one of products, locations,",
        ),
        (receive_exports, {"as_of": "noon"}, "as_of: found 'noon', expected now or a moment such as 2026-03-02 09:00"),
        (receive_exports, {"as_of": 5}, "as_of: found 5, expected now or a moment such as 2026-03-02 09:00"),
        (plan_counts, {"counters": 0}, "counters: found 0, expected as planned or a whole number of at least 1"),
        (plan_counts, {"counters": 2.5}, "counters: found 2.5, expected as planned or a whole number of at least 1"),
        (report_kpis, {"day": "monday"}, "day: found 'monday', expected today or a day such as 2026-03-02"),
        (run_day, {"source": "nowhere"}, "source: found 'nowhere', expected a folder that contains a folder named"),
        (approve_counts, {"asked_at": "x"}, "asked_at: found 'x', expected all or a moment such as 2026-03-02 09:00"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_nobody_configured_is_refused_in_one_sentence(flow: Any, told: dict[str, Any], sentence: str) -> None:
    """The parameter, what was found and what is expected; the flow itself refuses, whoever calls it."""
    with pytest.raises(ParameterTypeError) as refused:
        Flow.validate_parameters(flow, told)
    assert (explained(refused.value, told) or "").startswith(sentence)
    assert len(str(refused.value).splitlines()) == 1 + len(told)


@pytest.mark.parametrize(
    ("flow", "told", "taken"),
    [
        (plan_waves, {"warehouse": "MAIN", "carrier": "DPD"}, {"warehouse": "MAIN", "carrier": "DPD", "as_of": "now"}),
        (receive_exports, {"kinds": ["counts"]}, {"kinds": ["counts"], "as_of": "now"}),
        (receive_exports, {"as_of": "2026-03-02 09:00"}, {"kinds": (), "as_of": datetime(2026, 3, 2, 9)}),  # noqa: DTZ001
        (report_kpis, {"day": "2026-03-02"}, {"as_of": "now", "day": date(2026, 3, 2)}),
        (run_day, {"source": str(ROOT / "data" / "sample")}, {"source": str(ROOT / "data" / "sample"), "as_of": "now"}),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_is_configured_is_taken(flow: Any, told: dict[str, Any], taken: dict[str, Any]) -> None:
    """Values arrive in the types of the flow; what is not told stays as usual."""
    assert flow.validate_parameters(told) == taken


def test_choices_follow_the_configuration(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warehouse that is added can be chosen at once, in the form and in the flow; nothing is kept from before."""
    assert home
    assert parameter_schema(plan_waves.fn).properties["warehouse"]["enum"] == ["all", "MAIN", "NORTH"]
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    more = (config / "warehouses" / "NORTH.yaml").read_text(encoding="utf-8")
    more = more.replace("code: NORTH", "code: SOUTH").replace("name: DPD", "name: Pigeon")
    (config / "warehouses" / "SOUTH.yaml").write_text(more, encoding="utf-8")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(config))
    form = parameter_schema(plan_waves.fn).properties
    assert form["warehouse"]["enum"] == ["all", "MAIN", "NORTH", "SOUTH"]
    assert form["carrier"]["enum"] == ["all", "DPD", "Pigeon", "Royal Mail"]
    assert plan_waves.validate_parameters({"warehouse": "SOUTH"})["warehouse"] == "SOUTH"


@pytest.mark.parametrize("word", [ALL, AS_PLANNED, TODAY])
def test_the_usual_singles_nothing_out(word: str) -> None:
    """Steps are handed a value to look for, or nothing."""
    assert specific(word) is None
    assert specific("MAIN") == "MAIN"
