import math
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.errors import RecsysError
from recsys.runtime.user_features import MAX_VALUES, UserFeatures, joined_features

COLUMNS = (
    EncodedColumn("job", FeatureKind.CATEGORICAL, None, ("1", "2", "true")),
    EncodedColumn("tags", FeatureKind.MULTI_VALUED, "|", ("a", "b", "c")),
    EncodedColumn("lists", FeatureKind.MULTI_VALUED, None, ("a", "b")),
    EncodedColumn("about", FeatureKind.TEXT, None, ("sea", "the")),
    EncodedColumn("age", FeatureKind.NUMBER, None, None),
)
TABLE = pa.table(
    {
        "job": ["2", "1"],
        "tags": ["a|b", None],
        "lists": [["b"], []],
        "about": ["the sea", "the"],
        "age": [30, 40],
    }
)
FEATURES = UserFeatures(COLUMNS, TABLE)


def told(**values):
    features, unknown = FEATURES.of(-1, values)
    return {name: features[name].tolist() for name in values}, unknown


def test_of_a_known_user_the_table_says_what_is_not_told():
    features, unknown = FEATURES.of(0, {"age": 18})
    assert {name: values.tolist() for name, values in features.items()} == {
        "job": [[1]],
        "tags": [[0, 1]],
        "lists": [[1]],
        "about": [[1, 0]],
        "age": [18],
    }
    assert unknown == ()


def test_of_a_stranger_nothing_is_known_but_what_is_told():
    features, _ = FEATURES.of(-1, {"job": "1"})
    assert features["job"].tolist() == [[0]] and np.isnan(features["age"]).tolist() == [True]
    assert features["tags"].tolist() == [[-1]]


@pytest.mark.parametrize(
    ("value", "codes"), [("2", [[1]]), (2, [[1]]), (2.0, [[1]]), (True, [[2]]), (None, [[-1]]), ("", [[-1]])]
)
def test_one_value_is_compared_as_text(value, codes):
    assert told(job=value) == ({"job": codes}, ())


@pytest.mark.parametrize(
    ("value", "codes"), [(["c", "a"], [[2, 0]]), (" c| a|", [[2, 0]]), ([], [[-1]]), (("a", "b", "c"), [[0, 1, 2]])]
)
def test_several_values_are_a_list_or_a_text_with_separators(value, codes):
    assert told(tags=value) == ({"tags": codes}, ())


def test_what_is_not_in_the_vocabulary_is_named():
    assert told(job="9", tags=["a", "x"], lists=["y"], about="the lake") == (
        {"job": [[-1]], "tags": [[0]], "lists": [[-1]], "about": [[1]]},
        ("job: 9", "tags: x", "lists: y"),
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"age": "old"}, "age must be a number, but it is 'old'"),
        ({"age": math.nan}, "age must be a number, but it is nan"),
        ({"age": True}, "age must be a number, but it is True"),
        ({"job": ["1"]}, r"job must be one value, but it is \['1'\]"),
        ({"tags": 3}, r"tags must be a list of values, or one text with \| between them, but it is 3"),
        ({"lists": "a"}, "lists must be a list of values, but it is 'a'"),
        ({"lists": ["a", None]}, "lists must be a list of values, but it is"),
        ({"lists": b"ab"}, "lists must be a list of values, but it is b'ab'"),
        ({"age": 10**400}, "age must be a number, but it is 1000"),
        ({"about": "\ud800"}, "about must be a text, but it is"),
        ({"tags": ["a"] * (MAX_VALUES + 1)}, "tags may have 1,000 values, but 1,001 came"),
        ({"about": 3}, "about must be a text, but it is 3"),
        ({"size": 3}, "size was given, but for these models only job, tags, lists, about, age count. Leave it out"),
    ],
)
def test_what_cannot_be_read_is_refused(values, message):
    with pytest.raises(RecsysError, match=message):
        FEATURES.of(0, values)


def test_where_no_columns_count_none_may_be_told():
    assert UserFeatures((), None).of(3, {}) == ({}, ())
    with pytest.raises(RecsysError, match="age was given, but for these models no columns of users count"):
        UserFeatures((), None).of(3, {"age": 3})


def test_without_a_table_nothing_is_known_of_anyone():
    features, _ = UserFeatures(COLUMNS, None).of(1, {"job": "1"})
    assert features["job"].tolist() == [[0]] and features["tags"].tolist() == [[-1]] and np.isnan(features["age"]).all()


def test_numbers_of_any_size_and_texts_of_any_kind_are_values():
    assert told(job=2**70, tags=["\ud800", 1.5]) == (
        {"job": [[-1]], "tags": [[-1]]},
        (f"job: {2**70}", "tags: \ud800", "tags: 1.5"),
    )


def test_a_batch_is_about_as_wide_as_its_widest_row():
    rows = [FEATURES.of(user, values)[0] for user, values in ((0, {}), (-1, {"tags": ["c", "b", "a"]}), (1, {}))]
    together = joined_features(rows)
    assert together["tags"].tolist() == [[0, 1, -1, -1], [2, 1, 0, -1], [-1, -1, -1, -1]]
    assert together["job"].tolist() == [[1], [-1], [0]]
    np.testing.assert_array_equal(together["age"], np.array([30, np.nan, 40], dtype=np.float32))


def test_a_date_is_told_as_a_date_or_as_days_since_1970():
    column = EncodedColumn("joined", FeatureKind.NUMBER, None, None)
    features = UserFeatures([column], pa.table({"joined": pa.array([date(1970, 1, 3), None])}))
    assert features.of(0, {})[0]["joined"].tolist() == [2]
    assert features.of(0, {"joined": "1970-01-11"})[0]["joined"].tolist() == [10]
    assert features.of(0, {"joined": "1970-01-01T12:00:00Z"})[0]["joined"].tolist() == [0.5]
    assert features.of(0, {"joined": 7})[0]["joined"].tolist() == [7]
    with pytest.raises(RecsysError, match="joined must be a date such as 2024-05-31, but it is 'soon'"):
        features.of(0, {"joined": "soon"})
    with pytest.raises(RecsysError, match="age must be a number, but it is '1970-01-11'"):
        FEATURES.of(0, {"age": "1970-01-11"})


def test_a_date_may_be_told_also_where_nothing_is_kept_of_users():
    column = EncodedColumn("joined", FeatureKind.NUMBER, None, None, is_date=True)
    features, _ = UserFeatures([column], None).of(-1, {"joined": "1970-01-03"})
    assert features["joined"].tolist() == [2]
    with pytest.raises(RecsysError, match="must be a number, but it is '1970-01-03'"):
        UserFeatures([EncodedColumn("age", FeatureKind.NUMBER, None, None)], None).of(-1, {"age": "1970-01-03"})
