import pandas as pd
import pytest

from recsys.api.list_options import users_by_history, users_by_id
from recsys.errors import RequestError


def test_users_keep_their_labels():
    audience = users_by_id(pd.Series([7, 8], dtype="int16", index=[3, 4]))
    assert audience.user_ids == ["7", "8"] and len(audience) == 2
    assert audience.labels.dtype == "int16" and audience.labels.index.tolist() == [0, 1]
    assert audience.request(1, {"k": 3}).user_id == "8"


def test_a_table_needs_the_column():
    with pytest.raises(RequestError, match="A column 'user_id' is required, but the table has 'who'"):
        users_by_id(pd.DataFrame({"who": [1]}))


def test_a_table_of_histories_is_put_in_the_order_of_time():
    table = pd.DataFrame(
        {
            "user_id": ["b", "a", "b"],
            "item_id": [1, 2, 3],
            "rating": [5.0, 4.0, 3.0],
            "timestamp": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-01"]),
        }
    )
    audience = users_by_history(table)
    assert audience.labels.tolist() == ["b", "a"]
    second = audience.request(0, {})
    assert second.user_id is None and second.history == ("3", "1") and second.ratings == (3.0, 5.0)
    assert second.timestamps == (1_704_067_200, 1_704_153_600)


def test_what_is_no_time_is_refused_when_it_is_asked():
    audience = users_by_history(pd.DataFrame({"user_id": [1], "item_id": [1], "timestamp": ["soon"]}))
    with pytest.raises(RequestError, match="timestamps"):
        audience.request(0, {})


def test_numbers_are_seconds():
    table = pd.DataFrame({"user_id": [1, 1], "item_id": ["x", "y"], "timestamp": [20, 10]})
    assert users_by_history(table).request(0, {}).timestamps == (10, 20)


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        (["50", "172"], r"such as \[\['50', '172'\], \['1'\]\]; a single id came"),
        ("50", "must be a list of item ids for each user"),
        ([[None]], "The history of user 0 must be ids"),
        (pd.DataFrame({"user_id": [1]}), "A column 'item_id' is required"),
    ],
)
def test_what_is_no_history_is_refused(histories, message):
    with pytest.raises(RequestError, match=message):
        users_by_history(histories)
