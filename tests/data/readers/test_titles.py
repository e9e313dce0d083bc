from __future__ import annotations

import pyarrow as pa
import pytest

from recsys.data.readers.titles import split_year


@pytest.mark.parametrize(
    ("written", "title", "year"),
    [
        ("Heat (1995)", "Heat", 1995),
        ("Heat (1995) ", "Heat", 1995),
        ("Shanghai Triad (Yao a yao) (1995)", "Shanghai Triad (Yao a yao)", 1995),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("1984 (1984)", "1984", 1984),
        ("Desu nôto (2006–2007)", "Desu nôto", 2006),
        ("Series (2010-)", "Series", 2010),
        ("Babylon 5", "Babylon 5", None),
        ("unknown", "unknown", None),
        ("(1995)", "(1995)", None),
        ("Summer (1995) again", "Summer (1995) again", None),
        ("", "", None),
    ],
)
def test_split_year(written: str, title: str, year: int | None) -> None:
    titles, years = split_year(pa.chunked_array([pa.array([written])]))
    assert (titles.to_pylist(), years.to_pylist()) == ([title], [year])
