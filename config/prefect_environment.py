"""What Prefect is told by its environment: where its files lie, patience while it starts, and no telemetry."""

from pathlib import Path

POOL = "fulfilment"  # the work pool of prefect.yaml
SCHEMA = "prefect"  # of Prefect's tables in PostgreSQL
SERVER_FILE = "server.json"  # in $FULFILMENT_HOME/.prefect while a server serves the folder: api_url, pid
SLOT_SECONDS = 5  # how soon a run whose flow is under way tries again


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


def served(home: Path, host: str, port: int, database: str) -> dict[str, str]:
    """For a server that stays, its worker, and every run the worker starts. `database` is where the data is."""
    return in_process(home) | _database(database) | {
        "PREFECT_API_URL": f"http://{_reachable(host)}:{port}/api",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_UI_API_URL": "/api",  # of whatever address the browser knows the server by
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_WORKER_QUERY_SECONDS": "1",  # a run starts within seconds
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": str(SLOT_SECONDS),
        # who holds a flow's turn is remembered over a restart: otherwise the turn would never be given back
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # old runs go, otherwise they stay for ever
    }  # fmt: skip


def _reachable(host: str) -> str:
    """Where a client on this machine finds a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def _database(address: str) -> dict[str, str]:
    """Prefect's own database: a schema beside the data on PostgreSQL, else a file that waits for its turn."""
    if not address.startswith("postgresql"):
        return {"PREFECT_SERVER_DATABASE_TIMEOUT": "60"}
    query = "postgresql+asyncpg:" + address.partition(":")[2].replace("sslmode=", "ssl=")
    return {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": query,
        "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_SEARCH_PATH": f"{SCHEMA}, public",
    }
