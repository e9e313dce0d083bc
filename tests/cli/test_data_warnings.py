from __future__ import annotations

import warnings

import pytest

from recsys.cli.data_warnings import told_data_warnings
from recsys.errors import DataError, DataWarning


def test_a_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with told_data_warnings():
        for _ in range(2):
            warnings.warn("3 of 4 rows [/b]: mend them.", DataWarning, stacklevel=1)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "warning: 3 of 4 rows [/b]: mend them.\n" * 2)


def test_other_warnings_are_shown_as_ever() -> None:
    with pytest.warns(UserWarning, match="another"), told_data_warnings():
        warnings.warn("another", UserWarning, stacklevel=1)


def test_strict_makes_a_warning_an_error() -> None:
    with (
        pytest.raises(DataError, match=r"^3 rows\. This is an error because of strict=true\.$"),
        told_data_warnings(True),
    ):
        warnings.warn("3 rows.", DataWarning, stacklevel=1)
