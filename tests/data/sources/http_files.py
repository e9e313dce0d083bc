"""A local web server that answers as real ones do, also badly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced_length: int | None = -1  # -1: the true one, None: none at all


@dataclass
class HttpFiles:
    url: str
    answers: dict[str, Answer]
    requested: list[str]


@contextmanager
def serve() -> Iterator[HttpFiles]:
    answers: dict[str, Answer] = {}
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            answer = answers.get(self.path, Answer(status=404))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.announced_length is not None:
                length = len(answer.body) if answer.announced_length < 0 else answer.announced_length
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield HttpFiles(f"http://127.0.0.1:{server.server_address[1]}", answers, requested)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
