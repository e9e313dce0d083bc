import json
from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import RequestError, RetrievalError
from recsys.retrieval.filtering.filter_language import MAX_DEPTH, ColumnCondition, Combination, parse_filters
from recsys.retrieval.item_columns import ItemColumns

COLUMNS = ItemColumns(
    pa.table(
        {
            "genres": [["Drama", "War"], ["Comedy"], [], ["War"]],
            "year": pa.array([1994, 1999, None, 1990]),
            "new": [True, False, None, True],
        }
    )
)


def allowed(filters):
    return np.flatnonzero(parse_filters(filters).mask(COLUMNS)).tolist()


def test_any_of_needs_one_of_the_values():
    assert allowed({"genres": {"any_of": ["War", "Comedy"]}}) == [0, 1, 3]
    assert allowed({"genres": {"any_of": "Comedy"}}) == [1]


def test_none_of_needs_none_of_the_values_and_allows_items_without_any():
    assert allowed({"genres": {"none_of": ["War"]}}) == [1, 2]


def test_ranges_include_their_ends_and_may_be_open():
    assert allowed({"year": {"gte": 1990, "lte": 1994}}) == [0, 3]
    assert allowed({"year": {"gte": 1994}}) == [0, 1]
    assert allowed({"year": {"lte": 1994.5}}) == [0, 3]


def test_numbers_and_truth_values_are_values_too():
    assert allowed({"year": {"any_of": [1994, 1990.0]}}) == [0, 3]
    assert allowed({"year": {"none_of": [1994]}}) == [1, 2, 3]
    assert allowed({"new": {"any_of": [True]}}) == [0, 3]


def test_all_conditions_must_hold():
    assert allowed({"genres": {"any_of": ["War"], "none_of": ["Drama"]}, "year": {"lte": 1999}}) == [3]


def test_filters_are_combined():
    war, old = {"genres": {"any_of": ["War"]}}, {"year": {"lte": 1990}}
    assert allowed({"or": [{"genres": {"any_of": ["Comedy"]}}, old]}) == [1, 3]
    assert allowed({"and": [war, {"not": old}]}) == [0]
    assert allowed({"not": {"or": [war, {"year": {"gte": 1999}}]}}) == [2]
    assert allowed({"genres": {"any_of": ["War"]}, "not": old}) == [0]


def test_nothing_is_no_filter():
    assert parse_filters(None) is None
    assert parse_filters({}) is None


def test_what_was_parsed_stays_as_it_is_and_can_be_written_again():
    written = {"or": [{"genres": {"any_of": ["War"]}}, {"not": {"year": {"gte": 1990, "lte": 1994}}}]}
    parsed = parse_filters(written)
    assert parse_filters(parsed) == parsed
    assert parsed.as_mapping() == written
    assert hash(parsed) == hash(parse_filters(json.loads(json.dumps(written))))
    written["or"].clear()
    assert len(parsed.parts) == 2


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("Drama", "filters must be columns with conditions"),
        (["genres"], "filters must be columns with conditions"),
        ({"genres": ["Drama"]}, "The filter of the column genres must have any_of, none_of, gte or lte"),
        ({"genres": {"some_of": ["Drama"]}}, "must have any_of, none_of, gte or lte"),
        ({"genres": {}}, "must have any_of, none_of, gte or lte"),
        ({"genres": {"any_of": []}}, "any_of of the column genres must be one value or a list"),
        ({"genres": {"any_of": [None]}}, "texts, numbers or truth values, but None came"),
        ({"genres": {"any_of": [float("nan")]}}, "texts, numbers or truth values, but nan came"),
        ({"genres": {"any_of": None}}, "no condition that is not null"),
        ({"year": {"gte": "1990"}}, "gte of the column year must be a number"),
        ({"year": {"gte": True}}, "gte of the column year must be a number"),
        ({"year": {"lte": float("inf")}}, "lte of the column year must be a finite number"),
        ({"year": {"lte": pa.scalar(None)}}, "lte of the column year must be a number"),
        ({"year": {"gte": 2, "lte": 1}}, r"must go from low to high, but it is \[2, 1\]"),
        ({"or": {"year": {"gte": 1}}}, "'or' combines a list of filters"),
        ({"and": []}, "'and' combines a list of filters"),
        ({"not": [1]}, "filters must be columns with conditions"),
        ({7: {"gte": 1}}, "by the names of columns"),
    ],
)
def test_what_is_not_in_the_language_is_refused(filters, message):
    with pytest.raises(RequestError, match=message):
        parse_filters(filters)


def test_columns_must_exist_and_values_be_of_their_kind():
    with pytest.raises(RetrievalError, match="There is no column genre"):
        allowed({"genre": {"any_of": ["War"]}})
    with pytest.raises(RetrievalError, match="holds numbers, so numbers are required, but 'x' came"):
        allowed({"year": {"any_of": ["x"]}})


def test_filters_do_not_grow_without_bounds():
    deep: dict = {"year": {"gte": 1}}
    for _ in range(MAX_DEPTH + 1):
        deep = {"not": deep}
    with pytest.raises(RequestError, match=f"up to {MAX_DEPTH} deep"):
        parse_filters(deep)
    with pytest.raises(RequestError, match="1,000 columns and combinations"):
        parse_filters({"or": [{"year": {"gte": 1}}] * 1001})


conditions = st.sampled_from(
    [
        ColumnCondition("genres", any_of=("War",)),
        ColumnCondition("genres", none_of=("Comedy",)),
        ColumnCondition("year", gte=1991),
        ColumnCondition("year", lte=1995, any_of=(1994, 1990)),
    ]
)
expressions = st.recursive(
    conditions,
    lambda parts: st.builds(
        lambda kind, chosen: Combination(kind, tuple(chosen[:1] if kind == "not" else chosen)),
        st.sampled_from(["and", "or", "not"]),
        st.lists(parts, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@given(expressions)
def test_any_filter_is_read_as_it_is_written(expression):
    again = parse_filters(json.loads(json.dumps(expression.as_mapping())))
    assert again.mask(COLUMNS).tolist() == expression.mask(COLUMNS).tolist()


@given(expressions, expressions)
def test_combinations_follow_the_laws_of_sets(one, other):
    both = Combination("and", (one, other)).mask(COLUMNS)
    neither = Combination("not", (Combination("or", (Combination("not", (one,)), Combination("not", (other,)))),))
    assert both.tolist() == (one.mask(COLUMNS) & other.mask(COLUMNS)).tolist() == neither.mask(COLUMNS).tolist()


DATED = ItemColumns(pa.table({"since": pa.array([date(2024, 5, 30), date(2024, 5, 31), None])}))


@pytest.mark.parametrize("end", ["2024-05-31", date(2024, 5, 31), datetime(2024, 5, 31)])
def test_ranges_of_dates_are_written_as_dates(end):
    condition = parse_filters({"since": {"gte": end}})
    assert condition.mask(DATED).tolist() == [False, True, False]
    assert parse_filters(json.loads(json.dumps(condition.as_mapping()))) == condition
    assert hash(condition) == hash(parse_filters({"since": {"gte": end}}))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"gte": "2024-05-31", "lte": "2024-05-30"}, "must go from low to high"),
        ({"gte": "2024-05-31", "lte": 2025}, "must be of numbers or of dates"),
        ({"gte": "2024-02-30"}, "must be a number, or a date such as '2024-05-31', but it is '2024-02-30'"),
    ],
)
def test_ranges_of_dates_that_are_none_are_refused(condition, message):
    with pytest.raises(RequestError, match=message):
        parse_filters({"since": condition})


def test_a_range_may_be_one_day():
    assert parse_filters({"since": {"gte": "2024-05-31", "lte": "2024-05-31"}}).mask(DATED).tolist() == [
        False,
        True,
        False,
    ]


def test_items_that_are_not_discontinued_are_asked_for_whether_or_not_one_is():
    for gone in ([False, False, None], [True, False, None]):
        columns = ItemColumns(pa.table({"discontinued": gone}))
        mask = parse_filters({"discontinued": {"none_of": [True]}}).mask(columns)
        assert mask.tolist() == [value is not True for value in gone]


@pytest.mark.parametrize(
    "made",
    [
        ColumnCondition("year", gte=pd.NA),
        ColumnCondition("year", lte=np.array([1, 2])),
        ColumnCondition("year", any_of=(pd.NaT,)),
        ColumnCondition("year", gte=10**400),
        ColumnCondition("year", none_of=(2**63,)),
        ColumnCondition(7, gte=1),
        ColumnCondition("year"),
        Combination("or", ()),
        Combination("or", ("year",)),
        Combination("xor", (ColumnCondition("year", gte=1),)),
    ],
    ids=repr,
)
def test_what_was_made_by_hand_is_checked_as_what_is_written(made):
    with pytest.raises(RequestError, match="filter|column|combines|Values of"):
        parse_filters(made)


def test_what_was_made_too_deep_is_refused():
    made = ColumnCondition("year", gte=1)
    for _ in range(5_000):
        made = Combination("not", (made,))
    with pytest.raises(RequestError, match="filters"):
        parse_filters(made)


def test_values_that_no_item_has_are_named_wherever_they_stand():
    sold_out = parse_filters({"genres": {"none_of": ["Silent", "War"]}})
    assert sold_out.mask(COLUMNS).tolist() == [False, True, True, False]
    assert sold_out.without_item(COLUMNS) == ("genres: Silent",)
    nested = parse_filters({"or": [{"not": {"genres": {"any_of": ["Silent"]}}}, {"genres": {"any_of": ["Drame"]}}]})
    assert nested.without_item(COLUMNS) == ("genres: Silent", "genres: Drame")
    assert parse_filters({"year": {"gte": 1}}).without_item(COLUMNS) == ()


def test_truth_values_are_known_whether_or_not_an_item_has_them():
    columns = ItemColumns(pa.table({"gone": [False, None, False]}))
    assert parse_filters({"gone": {"none_of": [True]}}).mask(columns).tolist() == [True] * 3
    assert parse_filters({"gone": {"any_of": [True]}}).mask(columns).tolist() == [False] * 3
    assert parse_filters({"gone": {"any_of": [True]}}).without_item(columns) == ()


def test_filters_know_which_columns_they_read():
    assert parse_filters({"year": {"gte": 1990}}).columns == {"year"}
    both = parse_filters({"not": {"or": [{"genres": {"any_of": ["War"]}}, {"year": {"gte": 1999}}]}})
    assert both.columns == {"genres", "year"}
