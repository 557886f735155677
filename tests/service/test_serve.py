"""`python -m flows serve` for real: schedules fire, files start their flows, questions wait, lost runs are ended."""

import sqlite3
import time
from contextlib import closing
from typing import Any

import httpx
import pytest
import yaml
from counted_floor import moment, sheet
from installation import ENDED, Installation, wait
from project import ROOT
from sqlalchemy import create_engine, select

from tasks.clock import moment as moment_now
from tasks.store.schema import imports, variances

DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
SAMPLE = ROOT / "data" / "sample" / "inbox"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Prefect's own imports
    pytest.mark.skipif(
        sorted(one["name"].replace("-", "_") for one in DEPLOYMENTS)
        != sorted(path.stem for path in (ROOT / "flows").glob("[!_]*.py")),
        reason="prefect.yaml and flows/ differ",
    ),
]


# ── schedules ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_schedule_fires_by_itself(served: Installation) -> None:
    """A run that nobody asked for is Completed within a minute or so of its schedule."""
    every_minute = {"schedule": {"cron": "* * * * *", "timezone": "UTC"}, "active": True}
    path = f"/deployments/{served.deployment('send-messages')}/schedules"
    served.client.post(path, json=[every_minute]).raise_for_status()
    since = f"{moment_now():%Y-%m-%dT%H:%M:%S}"
    fired = wait(lambda: [run for run in served.runs("send-messages", *ENDED)
                          if run["auto_scheduled"] and run["expected_start_time"] > since
                          and run["state_type"] != "CANCELLED"])  # fmt: skip  # one that another due run made needless
    assert fired, served.logs()
    assert fired[0]["state_type"] == "COMPLETED", served.logs()


def test_every_schedule_has_runs_to_come_with_a_name_that_says_what_and_when(served: Installation) -> None:
    """The list of upcoming runs reads `report kpis, due Fri 27 Nov 18:00`, on the clock of the schedule."""
    scheduled = [one["name"] for one in DEPLOYMENTS if one.get("schedules")]
    assert len(scheduled) >= 10

    def named(flow: str) -> bool:
        names = [run["name"] for run in served.runs(flow, "SCHEDULED")]
        return bool(names) and all(name.startswith(f"{flow.replace('-', ' ')}, due ") for name in names)

    wait(lambda: all(map(named, scheduled)))
    assert [name for name in scheduled if not named(name)] == []


def test_health_says_that_all_is_well(served: Installation) -> None:
    """One line for each thing, exit code 0."""
    wait(lambda: served.command("health").returncode == 0)
    said = served.command("health")
    assert said.returncode == 0, said.stdout + said.stderr + served.logs()
    lines = [line.split(":")[0].removeprefix("ok").strip() for line in said.stdout.splitlines()]
    assert {"server", "scheduler", "worker", "watch", "events", "database", "disk", "sender"} < set(lines)
    assert {one["name"] for one in DEPLOYMENTS} < set(lines)


# ── parameters ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("flow", "parameters", "words"),
    [
        ("plan-waves", {"warehouse": "NOWHERE"}, "'NOWHERE' is not one of ['all', 'MAIN', 'NORTH']"),
        ("plan-waves", {"carrier": "Pigeon"}, "'Pigeon' is not one of ['all', 'DPD', 'Royal Mail']"),
        ("receive-exports", {"kinds": ["nonsense"]}, "'nonsense' is not one of ['products', "),
    ],
)
def test_a_run_with_an_unknown_choice_is_not_made(
    served: Installation, flow: str, parameters: dict[str, Any], words: str
) -> None:
    """Prefect's API refuses it, and says what it knows: no run waits for what is not there."""
    path = f"/deployments/{served.deployment(flow)}/create_flow_run"
    refused = served.client.post(path, json={"parameters": parameters})
    assert refused.status_code == httpx.codes.CONFLICT
    assert words in refused.json()["detail"]


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("kind", "file", "flow"),
    [
        ("orders", "shopify-orders-1-monday.csv", "allocate-orders"),
        ("picks", "handhelds.txt", "allocate-orders"),
        ("packs", "benches.csv", "inspect-parcels"),
        ("shipments", "manifests-friday.csv", "track-shipments"),
        ("return_requests", "portal.csv", "process-returns"),
        ("message_events", "provider.csv", "send-messages"),
    ],
)
def test_a_dropped_file_is_received_and_what_needs_it_runs(
    served: Installation, kind: str, file: str, flow: str
) -> None:
    """Within seconds receive-exports takes it in, and the flow that needs its kind runs by itself, to a green end."""
    before = {run["id"] for run in served.runs(flow)}
    encoding = "utf-16" if kind == "picks" else "utf-8"
    first_lines = (SAMPLE / kind / file).read_text(encoding=encoding).splitlines(keepends=True)[:3]
    path = served.drop(kind, f"dropped-{kind}.csv", "".join(first_lines))

    def followed() -> list[dict[str, Any]]:
        ended = [run for run in served.runs(flow, *ENDED) if run["id"] not in before]
        return [run for run in ended if (run["created_by"] or {}).get("type") == "AUTOMATION"]

    runs = wait(followed)
    assert not path.exists(), served.logs()
    assert _states_of(served, path.name) == {"loaded"}
    assert [run["state_type"] for run in runs or ()] == ["COMPLETED"], served.logs()


def _states_of(served: Installation, file: str) -> set[str]:
    with create_engine(f"sqlite:///{served.home / 'fulfilment.db'}").connect() as connection:
        told = select(imports.c.state).where(imports.c.file_name.like(f"%{file}"))
        return {str(state) for state in connection.execute(told).scalars()}


def test_a_refused_file_is_seen_in_the_list_of_runs(served: Installation) -> None:
    """The run is red, its name says why, and so does the only line of its log; nobody has to open a traceback."""
    path = served.drop("packs", "cut-off.csv", "order_number,parcel,sku,quantity\n")

    def refused() -> list[dict[str, Any]]:
        return [run for run in served.runs("receive-exports", "FAILED") if "1 file was refused" in run["name"]]

    (run,) = wait(refused) or [{}]
    assert run, served.logs()
    assert (run["state_name"], path.exists()) == ("Failed with findings", False)
    lines = wait(lambda: served.post("/logs/filter", logs={"flow_run_id": {"any_": [run["id"]]}}))
    assert [(line["level"], line["message"]) for line in lines] == [(40, "1 file was refused.")]
    page = served.post(
        "/artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": ["outcome"]}}
    )
    assert "What to do" in page[0]["data"]


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_run_that_waits_for_a_person_takes_nobodys_turn_and_is_never_lost(served: Installation) -> None:
    """Two roles are asked at once; with every event of theirs lost they still are; an answer in the form posts."""
    dear = [("A-02", "VASE", 10), ("B-02", "JUG", 10)]  # 9,000.00: finance; 600.00: inventory manager
    sheet(served.home, "CC-1", dear, moment(2, "09:30"))
    waiting = wait(lambda: len(runs := served.runs("approve-counts", "PAUSED")) == len(dear) and runs)
    assert waiting, served.logs()
    assert [run["state_name"] for run in waiting] == ["Suspended", "Suspended"]
    with closing(sqlite3.connect(served.home / ".prefect" / "prefect.db", timeout=60)) as prefect, prefect:
        for run in waiting:
            prefect.execute("DELETE FROM events WHERE resource_id = ?", (f"prefect.flow-run.{run['id']}",))
    time.sleep(15)  # the watch looks after the runs every five seconds
    assert [run["state_name"] for run in served.runs("approve-counts", "PAUSED")] == ["Suspended", "Suspended"]

    vase = next(run["id"] for run in waiting if run["parameters"]["role"] == "finance")
    nameless = served.post(f"/flow_runs/{vase}/resume", run_input={"rest": "approve", "answered_by": ""})
    assert nameless["status"] == "REJECT"
    served.post(f"/flow_runs/{vase}/resume", run_input={"answered_by": "Ann", "rest": "approve", "comment": "seen it"})
    done = wait(lambda: served.runs("approve-counts", *ENDED))
    assert [run["state_name"] for run in done or ()] == ["Completed"], served.logs()
    with create_engine(f"sqlite:///{served.home / 'fulfilment.db'}").connect() as connection:
        told = select(variances.c.answer, variances.c.answered_by, variances.c.comment, variances.c.decision)
        assert [tuple(row) for row in connection.execute(told.order_by(variances.c.id))] == [
            ("approved", "Ann", "seen it", "posted"), (None, None, None, "review")]  # fmt: skip
    adjusted = [path.read_text(encoding="utf-8") for path in (served.home / "outgoing").rglob("adjustments.csv")]
    assert any("VASE" in text for text in adjusted)


def test_a_question_whose_run_crashed_is_asked_again(served: Installation) -> None:
    """The next run of reconcile-counts asks anew; a question whose run a person cancelled is not asked again."""
    jug = served.runs("approve-counts", "PAUSED")[0]["id"]
    served.post(f"/flow_runs/{jug}/set_state", state={"type": "CRASHED", "name": "Crashed"}, force=True)
    served.post(f"/deployments/{served.deployment('reconcile-counts')}/create_flow_run", parameters={"ask": True})
    asked = wait(lambda: served.runs("approve-counts", "PAUSED"))
    assert asked, served.logs()
    assert asked[0]["id"] != jug
    served.post(f"/flow_runs/{asked[0]['id']}/set_state", state={"type": "CANCELLED", "name": "Cancelled"}, force=True)
    run = served.post(f"/deployments/{served.deployment('reconcile-counts')}/create_flow_run", parameters={"ask": True})
    assert wait(lambda: served.run(run["id"])["state_type"] == "COMPLETED"), served.logs()
    time.sleep(3)
    assert served.runs("approve-counts", "PAUSED", "SCHEDULED", "PENDING", "RUNNING") == []


def test_prefects_database_was_never_locked(served: Installation) -> None:
    """After all that went on here, no request and no event of the server's was refused by its own database."""
    assert "database is locked" not in (served.home / ".prefect" / "server.log").read_text(encoding="utf-8")
    assert not list((served.home / ".prefect" / "dlq").glob("*"))
