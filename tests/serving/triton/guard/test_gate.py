"""The gate before a server that only echoes what it gets."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from recsys_serving.triton.guard.gate import Gate

INFER = "/v2/models/recommend/infer"
GOOD = json.dumps({"inputs": [{"name": "k", "shape": [1, 1], "datatype": "INT64", "data": [5]}]}).encode()
BOMB = GOOD.replace(b"[1, 1]", b"[1, 1099511627776]")

Answer = tuple[int, str]
Body = bytes | io.BytesIO


async def echo(request: web.Request) -> web.Response:
    if b"no number" in (body := await request.read()):
        message = "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer"
        return web.Response(status=500, text=f'{{"error":"{message}"}}')
    return web.Response(text=f"{request.method} {request.path} {body.decode()}")


async def ask(directory: Path, method: str, path: str, answers: bool, is_there: bool, **more: object) -> Answer:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    if is_there:
        await web.UnixSite(runner, str(directory / "s")).start()
    try:
        async with Gate("127.0.0.1", port, directory / "s", lambda: answers), aiohttp.ClientSession() as client:
            async with client.request(method, f"http://127.0.0.1:{port}{path}", **more) as answer:  # type: ignore[arg-type]
                return answer.status, await answer.text()
    finally:
        await runner.cleanup()


def asked(
    directory: Path, path: str, body: bytes | io.BytesIO | None = None, answers: bool = True, **more: object
) -> Answer:
    method = "GET" if body is None else "POST"
    return asyncio.run(ask(directory, method, path, answers, is_there=True, data=body, **more))


def test_a_request_that_is_right_is_passed_on(tmp_path: Path):
    assert asked(tmp_path, INFER, GOOD) == (200, f"POST {INFER} {GOOD.decode()}")
    version = "/v2/models/recommend/versions/20260131120000/infer"
    assert asked(tmp_path, version, GOOD) == (200, f"POST {version} {GOOD.decode()}")
    assert asked(tmp_path, "/v2/models/similar/config") == (200, "GET /v2/models/similar/config ")


def test_a_request_that_is_wrong_is_not(tmp_path: Path):
    status, text = asked(tmp_path, INFER, BOMB)
    assert status == 400 and "1,099,511,627,776 values by its shape" in json.loads(text)["error"]


def test_what_the_server_cannot_read_is_the_fault_of_who_asks(tmp_path: Path):
    assert asked(tmp_path, INFER, GOOD.replace(b"[5]", b'["no number"]'))[0] == 400


def test_compressed_and_oversized_requests_are_refused(tmp_path: Path):
    assert asked(tmp_path, INFER, gzip.compress(BOMB), headers={"Content-Encoding": "gzip"})[0] == 415
    status, text = asked(tmp_path, INFER, io.BytesIO(b" " * (2**25 + 1)))
    assert status == 413 and "33,554,432 bytes" in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/repository/models/recommend/load", b"{}"),
        ("/v2/repository/index", b""),
        ("/v2/systemsharedmemory/region/a/register", b"{}"),
        ("/v2/trace/setting", None),
        ("/v2/logging", b"{}"),
        ("/v2/models/recommend/generate", GOOD),
        ("/v2/models/a%2Fb/infer", GOOD),
        ("/v2/models/recommend/infer/", GOOD),
        (INFER, None),
        ("/metrics", None),
    ],
)
def test_nothing_else_is_passed_on(tmp_path: Path, path: str, body: bytes | None):
    status, text = asked(tmp_path, path, body)
    assert status == 403 and "This interface asks models" in text


@pytest.mark.parametrize("path", ["/v2/health/ready", "/v2/models/recommend/ready", "/v2/models/a/versions/3/ready"])
def test_ready_is_what_answers(tmp_path: Path, path: str):
    assert asked(tmp_path, path)[0] == 200
    status, text = asked(tmp_path, path, answers=False)
    assert status == 503 and "does not answer" in text
    assert asked(tmp_path, "/v2/health/live", answers=False)[0] == 200


def test_while_the_server_is_away_it_is_said_so(tmp_path: Path):
    status, text = asyncio.run(ask(tmp_path, "POST", INFER, True, is_there=False, data=GOOD))
    assert status == 503 and "it is being started again" in text


def test_a_port_that_is_taken_is_an_error(tmp_path: Path):
    async def opened(port: int) -> None:
        async with Gate("127.0.0.1", port, tmp_path / "s", lambda: True):
            raise AssertionError("it must not open")

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="address already in use"):
            asyncio.run(opened(other.getsockname()[1]))
