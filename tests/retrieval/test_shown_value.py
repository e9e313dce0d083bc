import pytest

from recsys.retrieval.shown_value import MAX_SHOWN, shown_value


class Silent:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(("value", "shown"), [("a", "'a'"), (None, "None"), ([1, "b"], "[1, 'b']")])
def test_values_are_shown_as_python_writes_them(value, shown):
    assert shown_value(value) == shown


@pytest.mark.parametrize("value", [10**5000, Silent()], ids=["many digits", "no repr"])
def test_what_cannot_be_written_is_shown_by_its_type(value):
    assert shown_value(value) == f"of the type {type(value).__name__}"


def test_what_is_long_is_cut():
    assert shown_value("b" * 1000) == "'" + "b" * (MAX_SHOWN - 1) + "..."
