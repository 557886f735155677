"""Deploys the flows to a Prefect server: the work pool and every deployment of prefect.yaml."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from config.prefect_environment import POOL
from tasks.service import launch
from tasks.service.parts import ROOT, ServiceError, log_of

OBSOLETE_AUTOMATIONS = ("Mark lost runs as crashed",)  # of earlier versions


def deploy(client: SyncPrefectClient) -> int:
    """Create or update the work pool and every deployment of prefect.yaml. Returns the number of deployments."""
    _make_pool(client)
    with log_of("deploy").open("wb") as log:
        result = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
            env=dict(os.environ), cwd=ROOT, stdout=log, stderr=log, check=False,
        )  # fmt: skip
    if result.returncode != 0:
        raise ServiceError(f"the deployments of prefect.yaml were refused: see {log_of('deploy')}")
    for name in OBSOLETE_AUTOMATIONS:
        for automation in client.read_automations_by_name(name):
            client.delete_automation(automation.id)
    return len(client.read_deployments())


def _make_pool(client: SyncPrefectClient) -> None:
    template = job_template()
    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    else:
        client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))


def job_template() -> dict[str, Any]:
    """The job template of the work pool: the project's own command, which no run and no deployment can change."""
    template = ProcessWorker.get_default_base_job_template()
    command = shlex.join([sys.executable, "-E", "-S", str(Path(launch.__file__).resolve())])
    configuration = template["job_configuration"] | {"command": command, "env": {}, "working_dir": None}
    settable = {name: one for name, one in template["variables"]["properties"].items() if name in _HARMLESS}
    return {"job_configuration": configuration, "variables": {"type": "object", "properties": settable}}


_HARMLESS = ("labels", "name", "stream_output")
