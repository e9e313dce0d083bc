from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from recsys.cli.settings.setting_types import described, fits

NODE = {"_target_": "recsys.models.mf.MF"}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (3, int),
        (3, float),
        (0.5, float),
        (True, bool),
        ("a", str),
        ("a", str | Path),
        (None, int | None),
        ("time", Literal["random", "time"]),
        ([1, 2], Sequence[int]),
        ([1, 2], tuple[int, ...]),
        ([], list[str]),
        ({"a": 1}, Mapping[str, float]),
        ({"a": None}, Mapping[str, str | None]),
        (NODE, Path.__class__),
        (object(), Any),
    ],
)
def test_a_value_of_the_type_fits(value, hint):
    assert fits(value, hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("3", int),
        (3.0, int),
        (True, int),
        (True, float),
        (1, bool),
        ("true", bool),
        (5, str),
        (None, int),
        ("abc", Literal["random", "time"]),
        (True, Literal[1]),
        ("ab", Sequence[str]),
        (3, Sequence[int]),
        ([1, "a"], Sequence[int]),
        ([1], Mapping[str, int]),
        ({"a": "b"}, Mapping[str, int]),
        ("abc", Path.__class__),
        (NODE, int),
        (NODE, str),
    ],
)
def test_a_value_of_another_type_does_not(value, hint):
    assert not fits(value, hint)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "a whole number"),
        (int | None, "a whole number or null"),
        (bool, "true or false"),
        (str | Path | None, "text or null"),
        (Literal["a", "b"], "a or b"),
        (Literal["a", "b"] | None, "a, b or null"),
        (bool | Literal["warn"] | None, "true or false, warn or null"),
        (Sequence[int], "a list of whole numbers"),
        (tuple[float, ...], "a list of numbers"),
        (list[Any], "a list"),
        (Mapping[str, int] | None, "a mapping or null"),
        (float | Exception, "a number"),
        (Exception, "a Exception"),
    ],
)
def test_a_type_is_told_in_words(hint, words):
    assert described(hint) == words
