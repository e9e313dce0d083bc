from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.feature_kinds import Declaration, declare_features, infer_features
from recsys.errors import DataError

CATEGORICAL, MULTI_VALUED, NUMBER, TEXT = (
    FeatureKind.CATEGORICAL,
    FeatureKind.MULTI_VALUED,
    FeatureKind.NUMBER,
    FeatureKind.TEXT,
)


@pytest.mark.parametrize(
    ("values", "type_", "kind"),
    [
        ([["a"], ["b", "c"], None, []], pa.list_(pa.string()), MULTI_VALUED),
        ([[1], [2, 3], [], []], pa.large_list(pa.int64()), MULTI_VALUED),
        ([1, 2, 3, None], pa.int16(), NUMBER),
        ([1.5, 2, 3, 4], pa.float64(), NUMBER),
        ([True, False, None, True], pa.bool_(), CATEGORICAL),
        (["a", "b", "a", "b"], pa.string(), CATEGORICAL),  # 2 values, each twice on average
        (["a", "b", "c", "a"], pa.string(), TEXT),  # 3 values in 4 rows
        (["a", "a", None, None], pa.string(), CATEGORICAL),  # missing values do not count
        (["a", None, None, None], pa.string(), TEXT),
        ([None] * 4, pa.string(), None),
        ([[0.1], [0.2], [], []], pa.list_(pa.float32()), None),
        ([date(2020, 1, 1)] * 4, pa.date32(), NUMBER),
        ([{"a": 1}] * 4, pa.struct({"a": pa.int64()}), None),
    ],
)
def test_the_kind_follows_from_the_values(values: list[object], type_: pa.DataType, kind: FeatureKind | None) -> None:
    table = pa.table({"item_id": ["1", "1", "2", "2"], "column": pa.array(values, type_)})
    expected = () if kind is None else (FeatureColumn("column", kind),)
    assert infer_features(table, "item_id") == expected


def test_title_is_text_however_often_titles_repeat() -> None:
    table = pa.table({"item_id": ["1", "2"], "title": ["Same", "Same"]})
    assert infer_features(table, "item_id") == (FeatureColumn("title", TEXT),)


def test_too_many_categories_are_text() -> None:
    values = [str(number % 10_001) for number in range(20_002)]
    table = pa.table({"item_id": values, "column": values, "other": [value[:1] for value in values]})
    assert infer_features(table, "item_id") == (FeatureColumn("column", TEXT), FeatureColumn("other", CATEGORICAL))


def _declare(declared: dict[str, Declaration]) -> tuple[pa.Table, tuple[FeatureColumn, ...]]:
    table = pa.table(
        {
            "item_id": ["1", "2"],
            "genres": ["Drama|War", ""],
            "tags": pa.array([["a"], ["b"]], pa.large_list(pa.large_string())),
            "year": ["1995", ""],
            "code": [7, 8],
            "blob": [{"a": 1}, {"a": 2}],
            "words": ["['a', 'b']", "[]"],
            "day": ["2024-05-31", ""],
        }
    )
    return declare_features(table, declared, "item_id", "items.csv", "data.item_features")


def test_lists_need_no_separator_and_text_of_lists_is_parsed() -> None:
    table, features = _declare({"tags": {"kind": "multi_valued", "separator": "|"}, "words": "multi_valued"})
    assert features == (FeatureColumn("tags", MULTI_VALUED), FeatureColumn("words", MULTI_VALUED))
    assert table["words"].to_pylist() == [["a", "b"], []]


def test_dates_may_be_declared() -> None:
    table, features = _declare({"day": "date"})
    assert features == (FeatureColumn("day", NUMBER),)
    assert table["day"].to_pylist() == [date(2024, 5, 31), None]
    with pytest.raises(DataError, match=r"year is date, so items\.csv must have dates there, .* such as '1995'"):
        _declare({"year": "date"})


def test_text_that_may_hold_several_values_is_multi_valued_by_its_separator() -> None:
    table = pa.table({"item_id": ["1"], "tags": ["a|b"]})
    assert infer_features(table, "item_id", {"tags": "|"}) == (FeatureColumn("tags", MULTI_VALUED, "|"),)


def test_declared_columns_are_features_in_the_declared_order() -> None:
    table, features = _declare(
        {
            "code": "categorical",
            "year": "number",
            "genres": {"kind": "multi_valued", "separator": "|"},
            "tags": "multi_valued",
        }
    )
    assert features == (
        FeatureColumn("code", CATEGORICAL),
        FeatureColumn("year", NUMBER),
        FeatureColumn("genres", MULTI_VALUED, "|"),
        FeatureColumn("tags", MULTI_VALUED),
    )
    assert table["code"].to_pylist() == ["7", "8"]
    assert table["year"].to_pylist() == [1995.0, None]
    assert table["genres"].to_pylist() == ["Drama|War", ""]
    assert table["tags"].type == pa.list_(pa.string())
    assert table.column_names == ["item_id", "genres", "tags", "year", "code", "blob", "words", "day"]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"yeer": "number"}, "declares the column 'yeer', but items.csv has the columns 'genres', 'tags'"),
        ({"item_id": "categorical"}, "declares the column 'item_id'"),
        (
            {"year": "numeric"},
            r"item_features\.year must be one of categorical, multi_valued, number, text, .* 'numeric'",
        ),
        ({"year": {"type": "number"}}, r"item_features\.year must be one of"),
        ({"year": {"kind": "number", "sep": "|"}}, r"item_features\.year must be one of"),
        ({"genres": "number"}, "column 'genres' must hold numbers, but row 1 has 'Drama|War'"),
        ({"genres": "multi_valued"}, "must have lists there or a separator must be given, but .* type string"),
        ({"genres": {"kind": "text", "separator": "|"}}, "only multi_valued columns have a separator"),
        ({"blob": "categorical"}, "must have text there, but the column is of type struct"),
    ],
)
def test_declarations_that_do_not_fit_are_refused(declared: dict[str, Declaration], message: str) -> None:
    with pytest.raises(DataError, match=message):
        _declare(declared)
