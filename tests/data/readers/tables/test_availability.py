from recsys.data.readers.tables.availability import availability_filters
from recsys.data.readers.tables.table_sample import TableSample


def test_truth_values_that_say_what_can_be_had_are_filters():
    columns = {"In Stock": ["true", "False"], "discontinued": ["false"], "price": ["1"], "organic": ["true"]}
    assert availability_filters(TableSample(columns)) == {
        "In Stock": {"any_of": [True]},
        "discontinued": {"none_of": [True]},
    }


def test_other_values_and_names_that_no_setting_can_have_are_none():
    columns = {"in_stock": ["17", "0"], "available": [], "in.stock": ["true"]}
    assert availability_filters(TableSample(columns)) == {}
