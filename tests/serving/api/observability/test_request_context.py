import json
import logging

import pytest
from recsys_serving.api.observability.logs import configure_logs

from tests.serving.api.conftest import Api


@pytest.fixture
def logged(api: Api, tmp_path):
    import structlog

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    with (tmp_path / "log").open("w+") as stream:
        configure_logs("info", stream)

        def read() -> list[dict[str, object]]:
            stream.flush()
            return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]

        yield read
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


def test_an_answer_has_the_id_of_its_request(api: Api):
    answer = api.client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["X-Request-ID"] == "abc-1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_ids_differ_where_the_client_has_none(api: Api):
    ids = {api.client.get("/healthz").headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3


def test_a_request_is_one_line_without_its_body_its_key_and_the_user(api: Api, logged):
    body = {"user_id": "private-user", "item_id": "private-item"}
    api.client.post("/v1/interactions", json=body, headers={"X-Request-ID": "req-7"})
    api.client.get("/v1/users/private-user/interactions")
    first, second = logged()
    assert (first["route"], first["status"], first["request_id"]) == ("/v1/interactions", 201, "req-7")
    assert second["route"] == "/v1/users/{user_id}/interactions"
    text = json.dumps([first, second])
    assert "private" not in text and api.key not in text
    assert first["key_id"] == api.key.split("_")[1]


def test_a_key_that_is_refused_is_not_logged(api: Api, logged):
    key = "rk_" + "0" * 16 + "_" + "s" * 43
    api.client.get("/v1/elicitation", headers={"Authorization": f"Bearer {key}"})
    assert key not in json.dumps(logged())


def test_a_bug_is_logged_with_its_traceback_under_the_id(api: Api, logged):
    answer = api.client.post("/v1/recommendations", json={"scenario": "bug"})
    failed = next(line for line in logged() if line["event"] == "failed")
    assert failed["request_id"] == answer.headers["X-Request-ID"]
    assert failed["exception"][0]["exc_type"] == "ZeroDivisionError"


def test_health_is_not_worth_a_line(api: Api, logged):
    api.client.get("/healthz")
    api.client.get("/metrics")
    assert logged() == []
