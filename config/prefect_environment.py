"""What Prefect is told by its environment: where its files lie, patience while it starts, and no telemetry."""

from pathlib import Path

POOL = "fulfilment"  # the work pool of prefect.yaml


def in_process(home: Path) -> dict[str, str]:
    """For a run in this process; `temporary_server` where it brings its own server with it."""
    return {
        "PREFECT_HOME": str(home.resolve() / ".prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # of a flow called from Python, in a new data folder
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",  # a step decides from what is true now, never from a result of before
        "GX_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",  # stopped in mid-request, it would print a traceback
    }


def temporary_server() -> dict[str, str]:
    """For a server that lives as long as one run: it records flow runs, and does nothing beside."""
    services = ("EVENT_LOGGER", "EVENT_PERSISTER", "TASK_RUN_RECORDER", "TRIGGERS")
    return {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in services} | {
        "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
        "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "false",
        "PREFECT_UI_ENABLED": "false",
        "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",  # `make serve` does; a flow run needs none
        "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",  # otherwise it imports Dask to see what blocks there are
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",  # it is the same version
    }


def served(home: Path, host: str, port: int) -> dict[str, str]:
    """For a server that stays, its worker, and every run the worker starts."""
    return in_process(home) | {
        "PREFECT_API_URL": f"http://{host}:{port}/api",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_WORKER_QUERY_SECONDS": "2",  # an event becomes a run within seconds
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # what the automation for lost runs listens to
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # old runs go, otherwise they stay for ever
    }
