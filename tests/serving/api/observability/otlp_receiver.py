"""A collector of traces by OTLP over HTTP, for tests: decodes what comes and keeps the spans."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span


class OtlpReceiver:
    """Listens on a port of this machine; a context manager."""

    def __init__(self) -> None:
        self.resources: list[ResourceSpans] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                is_right = (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
                if is_right:
                    receiver.resources += ExportTraceServiceRequest.FromString(body).resource_spans
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200 if is_right else 400)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def endpoint(self) -> str:
        """Where it takes traces."""
        return f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    @property
    def spans(self) -> list[Span]:
        """All that came."""
        return [span for one in self.resources for scope in one.scope_spans for span in scope.spans]

    def __enter__(self) -> OtlpReceiver:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
