import datetime

import pytest
from streamlit.testing.v1 import AppTest

from app.components.filters import condition_of, is_filterable
from tests.app.conftest import PATIENCE_SECONDS

BARE = {
    "multiple": False,
    "num_missing": 0,
    "num_values": None,
    "values": [],
    "minimum": None,
    "maximum": None,
    "whole": False,
}
YEAR = BARE | {"name": "year", "kind": "number", "minimum": 1922.0, "maximum": 1998.0, "whole": True, "num_missing": 3}
PRICE = BARE | {"name": "price", "kind": "number", "minimum": 0.5, "maximum": 9.75}
DAY = BARE | {"name": "day", "kind": "date", "minimum": "1995-01-01", "maximum": "1996-12-31"}
DRAMA, CRIME = {"value": "Drama", "num_items": 7}, {"value": "Crime", "num_items": 2}
GENRES = BARE | {"name": "genres", "kind": "category", "values": [DRAMA, CRIME]}
STOCK = BARE | {"name": "in_stock", "kind": "boolean", "values": [{"value": "true", "num_items": 7}], "num_missing": 2}
LINK = BARE | {"name": "link", "kind": "text", "num_values": 90}


@pytest.mark.parametrize(
    ("column", "chosen", "condition"),
    [
        (YEAR, (1922, 1998), None),
        (YEAR, (1950, 1998), {"gte": 1950}),
        (YEAR, (1922, 1960), {"lte": 1960}),
        (PRICE, (1.5, 2.5), {"gte": 1.5, "lte": 2.5}),
        (DAY, (datetime.date(1995, 6, 1), datetime.date(1996, 12, 31)), {"gte": "1995-06-01"}),
        (GENRES, ["Drama"], {"any_of": ["Drama"]}),
        (GENRES, [], None),
        (STOCK, "yes", {"any_of": [True]}),
        (STOCK, "no", {"any_of": [False]}),
        (STOCK, None, None),
    ],
    ids=str,
)
def test_a_choice_is_a_condition(column, chosen, condition):
    assert condition_of(column, chosen) == condition


def test_columns_with_nothing_to_choose_have_no_filter():
    assert all(map(is_filterable, (YEAR, PRICE, DAY, GENRES, STOCK)))
    same_for_all = (GENRES | {"values": [DRAMA]}, STOCK | {"num_missing": 0})
    nothing = (LINK, YEAR | {"maximum": 1922.0}, YEAR | {"minimum": None}, GENRES | {"values": []}, *same_for_all)
    assert not any(map(is_filterable, nothing))


def drawn(columns):
    import streamlit

    from app.components.filters import show_filters

    streamlit.json(show_filters(columns))


def test_each_kind_has_a_widget_and_all_are_cleared():
    page = AppTest.from_function(
        drawn, kwargs={"columns": [YEAR, PRICE, DAY, GENRES, STOCK, LINK]}, default_timeout=PATIENCE_SECONDS
    )
    page.run()
    assert not page.exception and page.json[0].value == "{}"
    page.slider("filter year").set_value((1950, 1960)).run()
    page.multiselect("filter genres").set_value(["Drama"]).run()
    assert '"gte":1950' in page.json[0].value.replace(" ", "") and "Drama" in page.json[0].value
    page.button[0].click().run()
    assert page.json[0].value == "{}" and not page.exception
