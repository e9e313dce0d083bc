import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from recsys_serving.api.observability.logs import configure_logs
from recsys_serving.api.observability.request_ids import set_request_id


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("info", stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    set_request_id("")


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_the_id_of_its_request(stream):
    set_request_id("req-1")
    structlog.get_logger("recsys_serving.test").info("answered", status=200)
    (line,) = lines(stream)
    assert line.pop("at")
    assert line == {
        "event": "answered",
        "status": 200,
        "level": "info",
        "logger": "recsys_serving.test",
        "request_id": "req-1",
    }


def test_nobody_can_write_a_line_of_their_own(stream):
    structlog.get_logger("x").warning("a", text='b"}\n{"event": "forged"}\r\n\x1b[31m')
    logging.getLogger("library").warning('c\n{"event": "forged"}')
    assert [line["event"] for line in lines(stream)] == ["a", 'c\n{"event": "forged"}']


def test_libraries_write_the_same_lines(stream):
    logging.getLogger("uvicorn.error").info("Started %s", "worker")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("Started worker", "info", "uvicorn.error")


def test_what_is_less_than_the_level_is_not_written(stream):
    structlog.get_logger("x").debug("a")
    logging.getLogger("uvicorn.access").info("a")
    assert lines(stream) == []


def test_a_traceback_has_no_values(stream):
    def fail(password: str) -> None:
        raise ValueError("no")

    try:
        fail("hush-hush")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    assert "hush-hush" not in stream.getvalue().replace('fail("hush-hush")', "")
    assert lines(stream)[0]["exception"][0]["exc_type"] == "ValueError"
