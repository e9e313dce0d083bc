import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.recommending.cursor import MAX_SHOWN, CursorCodec

from recsys.errors import RequestError

CODEC = CursorCodec(b"secret" * 6)


@given(st.lists(st.text(max_size=20), max_size=30))
def test_what_was_shown_comes_back(shown):
    assert CODEC.decode(CODEC.encode("hash", shown), "hash") == shown


@pytest.mark.parametrize("number", [1, 30, 60, 900])
def test_a_cursor_of_any_length_comes_back(number):
    shown = [f"item-{place}" for place in range(number)]
    assert CODEC.decode(CODEC.encode("hash", shown), "hash") == shown


def test_ten_pages_of_ten_are_short_enough_for_an_address():
    assert len(CODEC.encode("0" * 32, [str(item) for item in range(100_000, 100_100)])) < 1_000


def test_a_list_without_end_ends():
    assert CODEC.encode("hash", [str(item) for item in range(MAX_SHOWN)]) is None


def test_another_query_is_refused():
    with pytest.raises(RequestError, match="belongs to another query"):
        CODEC.decode(CODEC.encode("hash", ["a"]), "other")


def test_another_secret_is_refused():
    with pytest.raises(RequestError, match="not one of this service"):
        CursorCodec(b"other").decode(CODEC.encode("hash", ["a"]), "hash")


def test_a_changed_one_is_refused():
    signed = bytearray(base64.urlsafe_b64decode(CODEC.encode("hash", ["a", "b"]) + "=="))
    for place in range(0, len(signed), 7):
        changed = bytes([*signed[:place], signed[place] ^ 1, *signed[place + 1 :]])
        with pytest.raises(RequestError, match="not one of this service"):
            CODEC.decode(base64.urlsafe_b64encode(changed).decode(), "hash")


@pytest.mark.parametrize("cursor", ["", "?", "ä", "a", "YWJj", "a" * 300_000])
def test_anything_else_is_refused(cursor):
    with pytest.raises(RequestError, match="not one of this service"):
        CODEC.decode(cursor, "hash")
