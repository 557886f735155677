"""The server that `make serve` runs for a data folder, found by the note it leaves there: `.prefect/server.json`."""

import json
import os
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from config.prefect_environment import SERVER_FILE

HEALTH_SECONDS_MAX = 1


def served_api(home: Path) -> str | None:
    """The address of its API; None unless the process of the note (`api_url`, `pid`) lives and the API answers."""
    note = home / ".prefect" / SERVER_FILE
    if not note.is_file():
        return None
    server = json.loads(note.read_text(encoding="utf-8"))
    address = str(server["api_url"])
    return address if _lives(server["pid"]) and _answers(address) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process
        return True
    return True


def _answers(address: str) -> bool:
    url = urlsplit(address)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=HEALTH_SECONDS_MAX)
    try:
        connection.request("GET", f"{url.path}/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
