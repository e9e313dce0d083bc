import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.triton.guard.request_check import checked

from recsys.errors import RequestError


def request(shape: object = (1, 2), **more: object) -> bytes:
    return json.dumps({"inputs": [{"name": "k", "shape": shape, "datatype": "INT64", "data": [5, 7], **more}]}).encode()


def test_what_is_right_is_passed_on_with_what_follows_it():
    body = request(parameters={"binary_data_size": 3}) + b"abc"
    passed, length = checked(body, str(len(body) - 3))
    assert json.loads(passed[:length]) == json.loads(body[:-3])
    assert passed[length:] == b"abc"


def test_a_history_of_texts_is_passed_on_as_it_is():
    body = '{"inputs": [{"name": "history", "shape": [1, 2], "datatype": "BYTES", "data": ["é", "\\ud83d\\ude00"]}]}'
    passed, length = checked(body.encode(), None)
    assert length == len(passed) and json.loads(passed)["inputs"][0]["data"] == ["é", "\U0001f600"]


@pytest.mark.parametrize("shape", [[1, 2**40], [2**31], [2**32, 2**32], [1, 1000], [10**30]])
def test_a_shape_that_states_more_than_there_is_is_refused(shape):
    with pytest.raises(RequestError, match=r"The input k has [\d,]+ values by its shape, but the request has only"):
        checked(request(shape), None)


@pytest.mark.parametrize("shape", [[1, -2], [1.0], ["2"], [True], [], [1] * 9, None, 3, {"a": 1}])
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(RequestError, match="The shape of the input k must be a list of 1 to 8 whole numbers"):
        checked(request(shape), None)


def test_of_a_name_that_comes_twice_the_server_gets_one():
    huge, small = (request(shape).decode()[1:-1] for shape in ([1, 2**40], [1, 2]))
    passed, _ = checked(f"{{{huge}, {small}}}".encode(), None)
    assert passed.count(b"inputs") == 1 and str(2**40).encode() not in passed
    with pytest.raises(RequestError, match="by its shape"):
        checked(f"{{{small}, {huge}}}".encode(), None)


@pytest.mark.parametrize("size", [-1, 10**9, "7", 1.5, True])
def test_binary_data_must_have_come(size):
    with pytest.raises(RequestError, match="binary_data_size of the input k must be a number of bytes that came"):
        checked(request(parameters={"binary_data_size": size}), None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "must begin with JSON"),
        (b"\xff\xfe", "must begin with JSON"),
        (b"[" * 100_000, "must begin with JSON"),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "must begin with JSON"),
        (b'{"inputs": [NaN]}', "NaN is no number of JSON"),
        (b'{"inputs": [' + b"9" * 5000 + b"]}", "must begin with JSON"),
        (b"[]", "a JSON object with a list of inputs"),
        (b'{"inputs": {}}', "a JSON object with a list of inputs"),
        (b'{"inputs": [7]}', "Each input must be a JSON object"),
        (b'{"inputs": [], "outputs": [7]}', "outputs must be a list of JSON objects"),
        (b'{"inputs": [{"shape": [1], "parameters": 7}]}', "binary_data_size"),
    ],
)
def test_what_is_no_request_is_refused(body, message):
    with pytest.raises(RequestError, match=message):
        checked(body, None)


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "999999", "\u0663", ""])
def test_a_length_that_cannot_be_is_refused(length):
    with pytest.raises(RequestError, match="Inference-Header-Content-Length|by its header"):
        checked(request(), length)


@given(st.binary(max_size=60), st.none() | st.text(max_size=4))
def test_whatever_comes_is_passed_on_or_refused(body, length):
    try:
        checked(body, length)
    except RequestError:
        return
