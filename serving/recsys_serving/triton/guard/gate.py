"""The HTTP interface that others reach: it checks requests, and passes them on to the server behind it.

The server listens on a socket that only its owner can reach. What is passed on is asking models and reading about them;
loading models, shared memory, traces and settings of the log are not, with or without a key. ``/v2/health/ready`` and
``/v2/models/MODEL/ready`` are true only as long as the server answers real questions.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from types import TracebackType

import aiohttp
from aiohttp import web

from recsys.errors import RequestError
from recsys_serving.triton.guard.request_check import MAX_BYTES, checked

#: Seconds that an answer may take.
TIMEOUT_SECONDS = 60.0

_MODEL = r"/v2/models/[A-Za-z0-9_.-]+(/versions/[0-9]+)?"
_READY = re.compile(rf"/v2/health/ready|{_MODEL}/ready")
_READABLE = re.compile(rf"/v2/?|/v2/health/(live|ready)|/v2/models/stats|{_MODEL}(/(ready|config|stats))?")
_ASKED = re.compile(rf"{_MODEL}/infer")
#: What the server says, as if it were its own fault, of values that are none of their tensor's type.
_OF_REQUEST = re.compile(rb'\{"error":"(Unable to |failed to parse )')
_JSON_LENGTH = "Inference-Header-Content-Length"


class Gate:
    """Listens until it is closed; an asynchronous context.

    Args:
        address: where to listen.
        port: of it.
        upstream: the socket of the server.
        answers: whether the server answers.
    """

    def __init__(self, address: str, port: int, upstream: Path, answers: Callable[[], bool]) -> None:
        self._address, self._port = address, port
        self._upstream = upstream
        self._answers = answers

    async def __aenter__(self) -> Gate:
        # An open connection would make the server wait when it is told to stop.
        connector = aiohttp.UnixConnector(str(self._upstream), force_close=True, limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
        )
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address, self._port).start()
        except BaseException:
            await self._session.close()
            await self._runner.cleanup()
            raise
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        if request.method == "POST" and _ASKED.fullmatch(path):
            return await self._asked(request, path)
        if request.method not in ("GET", "HEAD") or not _READABLE.fullmatch(path):
            return _error(
                HTTPStatus.FORBIDDEN,
                "This interface asks models and reads about them. Models are loaded by gRPC, with the server's key.",
            )
        if _READY.fullmatch(path) and not self._answers():
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, "The server does not answer questions.")
        return await self._passed_on(request.method, path, b"", {})

    async def _asked(self, request: web.Request, path: str) -> web.Response:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return _error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A request must not be compressed, but this one is.")
        try:
            body = await request.read()
            body, length = checked(body, request.headers.get(_JSON_LENGTH))
        except web.HTTPRequestEntityTooLarge:
            message = f"A request may have {MAX_BYTES:,} bytes, but this one has more."
            return _error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        except RequestError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error))
        return await self._passed_on("POST", path, body, {_JSON_LENGTH: str(length)})

    async def _passed_on(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> web.Response:
        content = io.BytesIO(body) if body else None  # which is sent in parts
        try:
            async with self._session.request(method, f"http://triton{path}", data=content, headers=headers) as answer:
                said = await answer.read()
                kept = {name: answer.headers[name] for name in ("Content-Type", _JSON_LENGTH) if name in answer.headers}
                is_wrong = answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and _OF_REQUEST.match(said)
                status = HTTPStatus.BAD_REQUEST.value if is_wrong else answer.status
                return web.Response(status=status, body=said, headers=kept)
        except TimeoutError:
            return _error(HTTPStatus.GATEWAY_TIMEOUT, f"The server did not answer in {TIMEOUT_SECONDS:g} seconds.")
        except (aiohttp.ClientError, OSError):
            return _error(
                HTTPStatus.SERVICE_UNAVAILABLE, "The server is not there; it is being started again. Ask again soon."
            )


def _error(status: HTTPStatus, message: str) -> web.Response:
    """As the server itself says what is wrong."""
    return web.json_response({"error": message}, status=status.value)
