"""Which clock a time is on, and how moments are shown."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from prefect.context import FlowRunContext
from project import ROOT

from flows.plan_waves import plan_waves
from flows.receive_exports import receive_exports
from tasks.clock import ClockError, clock_time, moment
from tasks.runs.artifact_tables import records

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports


@pytest.fixture(autouse=True)
def far_apart(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MAIN is in London, NORTH in Tokyo."""
    assert home
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    north = config / "warehouses" / "NORTH.yaml"
    north.write_text(north.read_text(encoding="utf-8").replace("Europe/London", "Asia/Tokyo"), encoding="utf-8")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(config))


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Auckland"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine whose own clock is somewhere else."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("said", "warehouse", "meant"),
    [
        ("2026-07-02 09:00", "all", "2026-07-02T08:00:00+00:00"),
        ("2026-03-02 09:00", "MAIN", "2026-03-02T09:00:00+00:00"),
        ("2026-03-02 09:00", "NORTH", "2026-03-02T00:00:00+00:00"),
        ("2026-07-02 09:00+02:00", "NORTH", "2026-07-02T07:00:00+00:00"),
        ("2026-10-25 01:30+01:00", "MAIN", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_on_the_clock_of_the_warehouse(said: str, warehouse: str, meant: str) -> None:
    """The chosen one's, otherwise the first one's; never the machine's, and never against what the time says itself."""
    assert moment(datetime.fromisoformat(said), warehouse).isoformat() == meant


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "2026-03-29 01:30",
            "as_of: found 2026-03-29 01:30, a time Europe/London leaves out; expected a time before or",
        ),
        (
            "2026-10-25 01:30",
            "as_of: found 2026-10-25 01:30, a time Europe/London has twice; expected its offset as well",
        ),
    ],
)
def test_a_time_that_is_not_one_moment_is_refused(said: str, sentence: str) -> None:
    """The hour that is left out in spring and the one that comes twice in autumn, as in files."""
    with pytest.raises(ClockError, match=sentence):
        moment(datetime.fromisoformat(said))


def test_now_is_whole_seconds_of_utc() -> None:
    """What the machine's clock says, as every moment is kept."""
    now = moment()
    assert (now.tzinfo, now.microsecond) == (UTC, 0)


@pytest.mark.usefixtures("machine")
def test_a_moment_is_shown_on_the_clock_of_the_warehouse() -> None:
    """With the zone, so that nobody has to guess; a time without a zone is on that clock already."""
    noon = datetime(2026, 7, 2, 12, tzinfo=UTC)
    assert clock_time(noon) == "2026-07-02 13:00 Europe/London"
    assert clock_time(noon, "NORTH") == "2026-07-02 21:00 Asia/Tokyo"
    assert clock_time(noon.replace(tzinfo=None)) == "2026-07-02 12:00 Europe/London"


def test_an_artifact_shows_moments_with_their_zone() -> None:
    """Blank where there is none."""
    asked = pd.Series(["2026-07-02 12:00:00", None], dtype="datetime64[s]").dt.tz_localize("UTC")
    rows = records(pd.DataFrame({"finding": [1, 2], "asked_at": asked}))
    assert [row["asked_at"] for row in rows] == ["2026-07-02 13:00 Europe/London", ""]


@pytest.mark.parametrize(
    ("flow", "told", "name"),
    [
        (plan_waves, {"warehouse": "all", "carrier": "all", "as_of": "now"}, "plan waves"),
        (plan_waves, {"warehouse": "NORTH", "carrier": "DPD"}, "plan waves in NORTH for DPD"),
        (plan_waves, {"warehouse": "NORTH", "as_of": datetime(2026, 7, 2, tzinfo=UTC)},
         "plan waves in NORTH as of 2026-07-02 09:00 Asia/Tokyo"),
        (receive_exports, {"kinds": []}, "receive exports"),
        (receive_exports, {"kinds": ["return_requests", "counts"]}, "receive exports: return requests, counts"),
    ],
)  # fmt: skip
def test_a_run_is_named_by_what_is_not_as_usual(flow: SimpleNamespace, told: dict[str, object], name: str) -> None:
    """Choices that were made and the moment on the warehouse's clock; not a word of the rest."""
    with FlowRunContext.model_construct(flow=flow, parameters=told):
        assert flow.flow_run_name() == name
