"""A mail provider on loopback that answers as told: what tests of sending talk to through the real library."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider:
    """A mail provider on loopback: keeps what it takes, and answers as told."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], int] = lambda _: 202
        self.arrived = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.taken.append(body)
                provider.arrived.set()
                status = provider.answer(body)
                if status == 0:
                    return
                told = json.dumps({"errors": [{"message": "no jane@mail.example", "field": "from.email"}]}).encode()
                self.send_response(status)
                self.send_header("X-Message-Id", f"id-{len(provider.taken)}")
                self.send_header("Content-Length", "0" if status == 202 else str(len(told)))
                self.end_headers()
                self.wfile.write(b"" if status == 202 else told)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more."""
        self.server.shutdown()
        self.server.server_close()

    def keys(self) -> list[str]:
        """The messages it took, by their key."""
        return sorted(one["custom_args"]["dedupe_key"] for one in self.taken)
