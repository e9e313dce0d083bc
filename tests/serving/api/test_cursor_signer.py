from datetime import UTC, datetime

import pytest
from recsys_serving.api.cursor_signer import CursorSigner
from recsys_serving.api.problems import ProblemError

SIGNER = CursorSigner(b"a secret of this test")


def test_a_cursor_leads_back_to_its_place():
    place = {"after": "ä/1", "number": 7}
    assert SIGNER.read("items", SIGNER.write("items", place)) == place


def test_a_moment_and_an_id_come_back():
    place = (datetime(2024, 5, 1, 12, 30, 15, 123456, UTC), "event")
    assert SIGNER.read_moment("rows", SIGNER.write_moment("rows", place)) == place


@pytest.mark.parametrize("cursor", ["", "x", "é", "A" * 40, "%%%"], ids=["empty", "x", "é", "long", "percent"])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(ProblemError) as refused:
        SIGNER.read("items", cursor)
    assert refused.value.status_code == 422


def test_the_cursor_of_another_list_is_refused():
    with pytest.raises(ProblemError):
        SIGNER.read("users", SIGNER.write("items", "a"))


def test_the_cursor_of_another_installation_is_refused():
    with pytest.raises(ProblemError):
        CursorSigner(b"another secret").read("items", SIGNER.write("items", "a"))


def test_no_byte_of_a_cursor_can_be_changed():
    cursor = SIGNER.write("items", "a")
    for place in range(len(cursor) - 1):  # the last character has bits that mean nothing
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(ProblemError):
            SIGNER.read("items", changed)
