import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.cli.data_text import data_text, visible
from tests.cli.hostile import CONTROL, PLAIN, SHOWN


@pytest.mark.parametrize("text", [*PLAIN, "", "é", "日本", "می\u200cخواهم", "👩\u200d💻"])
def test_what_can_be_seen_stays(text):
    assert visible(text) == text
    assert data_text(text).plain == text


@pytest.mark.parametrize(("text", "shown"), [*zip(CONTROL, SHOWN, strict=True)])
def test_control_characters_are_written_out(text, shown):
    assert visible(text) == shown
    assert data_text(text, "bold").plain == shown


def test_lines_may_be_kept():
    assert visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_a_surrogate_is_written_out():
    assert visible("a\udc80") == r"a\udc80"


@given(st.text())
def test_what_is_visible_can_be_printed_on_one_line(text):
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert visible(shown) == shown
