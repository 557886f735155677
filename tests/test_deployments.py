"""prefect.yaml against the flows; that all of it runs is shown in tests/service."""

import inspect
from importlib import import_module
from typing import Any

import pytest
import yaml
from project import ROOT

from config.prefect_environment import POOL
from tasks.domain.receiving.export_kinds import KINDS
from tasks.steps.receiving.announce_files import RECEIVED

FLOWS = sorted(path.stem for path in (ROOT / "flows").glob("[!_]*.py"))
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports


def _name(deployment: dict[str, Any]) -> str:
    return str(deployment["name"])


def _flow(deployment: dict[str, Any]) -> Any:
    module = deployment["entrypoint"].partition(":")[0].removesuffix(".py").replace("/", ".")
    return getattr(import_module(module), deployment["entrypoint"].partition(":")[2])


each = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=_name)


def test_every_flow_has_one_deployment_and_every_deployment_a_flow() -> None:
    """One file is one flow is one deployment, all of one name."""
    assert sorted(one["name"].replace("-", "_") for one in DEPLOYMENTS) == FLOWS


@each
def test_a_deployment_is_named_like_its_flow_and_file(deployment: dict[str, Any]) -> None:
    """receive-exports is flows/receive_exports.py:receive_exports."""
    stem = deployment["name"].replace("-", "_")
    assert deployment["entrypoint"] == f"flows/{stem}.py:{stem}"
    assert _flow(deployment).name == deployment["name"]


@each
def test_a_deployment_says_what_it_does_and_runs_one_at_a_time(deployment: dict[str, Any]) -> None:
    """Description and tags for the analyst; a second run waits for the first."""
    assert deployment["description"].endswith(".")
    assert deployment["tags"]
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert deployment["work_pool"] == {"name": POOL}


@each
def test_parameters_in_prefect_yaml_are_the_flows_own(deployment: dict[str, Any]) -> None:
    """Defaults, schedules and triggers pass only parameters the flow has, and all it cannot do without."""
    from prefect.utilities.callables import parameter_schema

    flow = _flow(deployment)
    known = set(inspect.signature(flow.fn).parameters)
    given = set(deployment.get("parameters", {}))
    for start in [*deployment.get("schedules", []), *deployment.get("triggers", [])]:
        passed = given | set(start.get("parameters", {}))
        assert passed <= known
        assert set(parameter_schema(flow).required) <= passed


@each
def test_every_parameter_is_described_in_the_form(deployment: dict[str, Any]) -> None:
    """The form of the UI has words beside each field, and words above them all."""
    from prefect.utilities.callables import parameter_schema

    flow = _flow(deployment)
    schema = parameter_schema(flow)
    for name, field in schema.properties.items():
        referred = field.get("$ref", "") or str(field.get("allOf", ""))
        model = next((one for key, one in schema.definitions.items() if f"/{key}" in referred), None)
        assert field.get("description") or (model and model.get("description")), f"{flow.name}: {name}"
    assert flow.description


@each
def test_a_choice_is_a_list_and_nothing_is_called_none(deployment: dict[str, Any]) -> None:
    """What the configuration names is chosen from a list, with a word for all; the usual is a word, never a null."""
    from prefect.utilities.callables import parameter_schema

    form = parameter_schema(_flow(deployment)).properties
    for name, field in form.items():
        assert "null" not in str(field), name
        assert field["default"] is not None, name
        words = field.get("enum") or field.get("items", {}).get("enum")
        assert (words is not None) == (name in {"warehouse", "carrier", "kinds"}), name
        assert field["default"] == ([] if name == "kinds" else "all") or words is None, name
    assert form["as_of"]["default"] == "now"
    assert {"title": "another moment", "type": "string", "format": "date-time"} in form["as_of"]["anyOf"]
    assert "time zone" in form["as_of"]["description"]


@each
def test_schedules_say_when_and_on_whose_clock(deployment: dict[str, Any]) -> None:
    """Each schedule is a cron line that can be read, in a named zone, with a slug to know it by."""
    from prefect.client.schemas.schedules import CronSchedule

    schedules = deployment.get("schedules", [])
    for schedule in schedules:
        assert CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]).timezone == "Europe/London"
    assert len({schedule["slug"] for schedule in schedules}) == len(schedules)


@each
def test_triggers_are_understood_word_for_word(deployment: dict[str, Any]) -> None:
    """Prefect ignores a misspelt key: each key is one it knows, each inbox kind one that exists."""
    from prefect.events import DeploymentEventTrigger

    for trigger in deployment.get("triggers", []):
        assert set(trigger) <= set(DeploymentEventTrigger.model_fields)
        DeploymentEventTrigger.model_validate(trigger)
        assert trigger["expect"] == [RECEIVED]


def test_every_kind_of_file_starts_a_flow_that_has_a_schedule_too() -> None:
    """No kind is without a trigger, none is named that does not exist, and an event that is lost is made good."""
    started = {
        kind: {one["name"] for one in DEPLOYMENTS for trigger in one.get("triggers", [])
               if kind in trigger["match_related"]["prefect.resource.name"]}
        for kind in KINDS
    }  # fmt: skip
    assert {kind for kind, flows in started.items() if not flows} == set()
    assert {one["name"] for one in DEPLOYMENTS if one.get("schedules")} >= set().union(*started.values())
    named = {kind for one in DEPLOYMENTS for trigger in one.get("triggers", [])
             for kind in trigger["match_related"]["prefect.resource.name"]}  # fmt: skip
    assert named == set(KINDS)
