from __future__ import annotations

import warnings

import pytest

from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.errors import DataWarning


def test_warnings_about_data_are_collected_once_and_in_order() -> None:
    with collected_warnings() as texts:
        for text in ("b", "a", "b"):
            warnings.warn(text, DataWarning, stacklevel=1)
    assert texts == ["b", "a"]


def test_other_warnings_are_not() -> None:
    with pytest.warns(UserWarning, match="another"), collected_warnings() as texts:
        warnings.warn("another", UserWarning, stacklevel=1)
    assert texts == []


def test_collected_warnings_can_be_told_again() -> None:
    with pytest.warns(DataWarning) as caught:
        tell_again(["a", "b"])
    assert [str(warning.message) for warning in caught] == ["a", "b"]
    with collected_warnings() as texts:
        tell_again(())
    assert texts == []
