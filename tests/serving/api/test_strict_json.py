import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.api.problems import ProblemError, install_problem_handlers
from recsys_serving.api.routing import api_router, operation
from recsys_serving.api.strict_json import MAX_BODY_BYTES, MAX_JSON_DEPTH, parse_json

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_is_read_as_it_was_written(value):
    import json

    written = json.dumps(value).encode()
    if b"\\u0000" not in written and b"\\ud" not in written:
        assert parse_json(written, 100) == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "must be JSON"),
        (b'{"a": NaN}', "must be JSON"),
        (b'{"a": Infinity}', "must be JSON"),
        (b'{"a": 1e999}', "must be JSON"),
        (b'{"a": "\\ud800"}', "must be JSON"),
        (b'"\xff"', "must be JSON"),
        (b'{"a": "x\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b"[[[[1]]]]", "3 levels deep"),
        (b"[" * 100_000, "must be JSON"),
    ],
    ids=["cut", "nan", "infinity", "too-large", "surrogate", "utf8", "nul", "nul-key", "deep", "bomb"],
)
def test_what_is_refused(body, message):
    with pytest.raises(ProblemError, match=message) as refused:
        parse_json(body, 3)
    assert refused.value.status_code == 400


def test_the_deepest_that_is_allowed():
    assert parse_json(b"[[[1]]]", 3) == [[[1]]]


@pytest.fixture
def client():
    app, router = FastAPI(), api_router("test")

    @router.post("/echo", **operation(None, summary="Echo"))
    def echo(body: dict[str, int]) -> dict[str, int]:
        return body

    @router.delete("/echo", **operation(None, summary="Nothing"))
    def nothing() -> None:
        return None

    setattr(app.state, MAX_BODY_BYTES, 50)
    setattr(app.state, MAX_JSON_DEPTH, 3)
    app.include_router(router)
    install_problem_handlers(app)
    return TestClient(app)


def test_a_body_that_says_that_it_is_too_large_is_not_read(client):
    answer = client.post("/echo", content=b"x" * 51)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert "at most 50 bytes" in answer.json()["detail"]


def test_a_body_that_does_not_say_its_size_is_read_up_to_the_limit(client):
    chunks = (b"x" * 30 for _ in range(10))
    answer = client.post("/echo", content=chunks, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_body_that_nobody_reads_is_bounded_as_well(client):
    assert client.request("DELETE", "/echo", content=b"x" * 51).status_code == 413


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_media_type_is_refused(client, media):
    headers = {} if media is None else {"content-type": media}
    assert client.post("/echo", content=b'{"a": 1}', headers=headers).status_code == 415


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_json_of_any_kind_is_read(client, media):
    answer = client.post("/echo", content=b'{"a": 1}', headers={"content-type": media})
    assert answer.json() == {"a": 1}
