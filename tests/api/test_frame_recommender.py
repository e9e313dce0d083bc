import numpy as np
import pandas as pd
import polars
import pytest

import recsys
from recsys.api import frame_recommender
from recsys.errors import DataWarning, RecsysError, RequestError


def test_a_list_for_each_user(model):
    lists = model.recommend([104, 101], k=3)
    assert list(lists.columns) == ["user_id", "item_id", "score", "rank"]
    assert lists["user_id"].tolist() == [104] * 3 + [101] * 3
    assert lists["rank"].tolist() == [1, 2, 3] * 2
    assert lists.dtypes.astype(str).tolist() == ["int64", "int64", "float64", "int64"]
    assert (lists.groupby("user_id")["score"].diff().dropna() <= 0).all()
    # users of the board have all items of their colour: what is left has the other one
    assert (lists[lists["user_id"] == 104]["item_id"] % 2 == 1).all()
    assert (lists[lists["user_id"] == 101]["item_id"] % 2 == 0).all()


@pytest.mark.parametrize(
    "users",
    [
        [104, 101],
        np.array([104, 101], dtype="int32"),
        pd.Series([104, 101], index=[7, 7]),
        pd.DataFrame({"user_id": [104, 101], "age": [3, 4]}),
        polars.Series([104, 101]),
        polars.DataFrame({"user_id": [104, 101]}),
        ["104", "101"],
    ],
)
def test_users_come_back_as_they_were_given(model, users):
    lists = model.recommend(users, k=2)
    given = users["user_id"] if hasattr(users, "columns") else users
    assert lists["user_id"].tolist() == [one for one in list(given) for _ in range(2)]
    assert lists["item_id"].tolist() == model.recommend([104, 101], k=2)["item_id"].tolist()


def test_everyone_is_asked_for_at_once(model, data, monkeypatch):
    monkeypatch.setattr(frame_recommender, "BATCH_SIZE", 7)
    lists = model.recommend(k=2)
    assert lists["user_id"].unique().tolist() == data.user_ids.tolist()
    alone = pd.concat([model.recommend(user, k=2) for user in data.user_ids], ignore_index=True)
    pd.testing.assert_frame_equal(lists.drop(columns="score"), alone.drop(columns="score"))
    assert np.allclose(lists["score"], alone["score"])
    pd.testing.assert_frame_equal(data.recommend(model, k=2), lists)
    pd.testing.assert_frame_equal(model.recommend_all(k=2), lists)


def test_a_filter_that_names_what_no_item_has_is_warned_of(model):
    with pytest.warns(DataWarning) as told:
        lists = model.recommend([104], k=10, filters={"year": {"any_of": [1492]}})
    assert len(lists) == 0
    of_filters, of_users = (str(one.message) for one in told)
    assert of_filters == "No item has what the filters name: year: 1492."
    assert of_users.endswith("1 of 1 users got no item, the first of them 104: The filters leave 0 unseen items.")


def test_filters_titles_and_excluded_items(model):
    lists = model.recommend(104, k=10, filters={"year": {"gte": 2021}}, exclude_items=[23], titles=True)
    assert set(lists["item_id"]) <= {21, 25, 27, 29} and len(lists) == 4
    assert lists["title"].tolist() == [f"Square {item}" for item in lists["item_id"]]


def test_what_is_seen_may_come_again(model, split):
    assert set(model.recommend(104, k=3, exclude_seen=False)["item_id"] % 2) == {0}
    keeping = recsys.EASE(l2=1.0, exclude_seen=False).fit(split.train)
    pd.testing.assert_frame_equal(keeping.recommend(104, k=3), model.recommend(104, k=3, exclude_seen=False))


@pytest.mark.parametrize(
    ("histories", "users"),
    [
        ([["10", "12"], ["11"]], [0, 1]),
        ([[10, 12], [11]], [0, 1]),
        ({"anna": [10, 12], "ben": [11]}, ["anna", "ben"]),
        (pd.DataFrame({"user_id": ["anna", "ben", "anna"], "item_id": [10, 11, 12]}), ["anna", "ben"]),
    ],
)
def test_histories_in_place_of_users(model, histories, users):
    lists = model.recommend(histories=histories, k=4)
    assert lists["user_id"].unique().tolist() == users
    first = lists[lists["user_id"] == users[0]]["item_id"]
    assert (first % 2 == 0).all() and not set(first) & {10, 12}


def test_a_user_that_the_data_do_not_have_is_told_of(model):
    with pytest.warns(DataWarning, match=r"1 of 2 users got what is popular .* the first of them 999: User 999 is not"):
        lists = model.recommend([104, 999], k=2)
    assert len(lists) == 4


def test_nobody_gets_an_empty_table(model):
    lists = model.recommend([], k=2)
    assert lists.empty and list(lists.columns) == ["user_id", "item_id", "score", "rank"]


def test_similar_items(model):
    similar = model.similar([10, 11], k=3)
    assert list(similar.columns) == ["item_id", "similar_item_id", "similarity", "rank"]
    assert similar["item_id"].tolist() == [10] * 3 + [11] * 3
    assert (similar["item_id"] % 2 == similar["similar_item_id"] % 2).all()
    assert similar["similar_item_id"].dtype == np.int64
    assert (model.similar(10, k=3, by="content")["similarity"] > 0).all()


def test_explanations_add_up(model):
    reasons = model.explain(histories=[[10, 12]], k=2)
    assert list(reasons.columns)[-3:] == ["because_item_id", "contribution", "shared"]
    lists = model.recommend(histories=[[10, 12]], k=2)
    by_rank = reasons.groupby("rank")
    assert by_rank["score"].first().tolist() == lists["score"].tolist()
    assert by_rank["contribution"].sum().tolist() == pytest.approx(lists["score"].tolist())
    assert set(reasons["because_item_id"]) == {10, 12} and reasons["because_item_id"].dtype == np.int64
    assert "black" in reasons["shared"].iloc[0]


def test_a_score_that_comes_from_nothing_has_no_item(model):
    # user 104 has all items of their colour; of the others none goes with them
    reasons = model.explain([104], k=1)
    assert reasons["because_item_id"].isna().all() and reasons["because_item_id"].dtype == "Int64"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda model: model.recommend([104], histories=[[10]]), "Give either users or histories"),
        (lambda model: model.recommend(104, k=0), "k must be a whole number of at least 1"),
        (lambda model: model.recommend(104, filters={"weight": {"gte": 1}}), "weight"),
        (lambda model: model.recommend([104, None]), "at position 1 nothing is there"),
        (lambda model: model.similar(99), "99"),
    ],
)
def test_what_cannot_be_answered_is_refused(model, ask, message):
    with pytest.raises(RecsysError, match=message):
        ask(model)


def test_options_that_do_not_exist_are_refused(model):
    with pytest.raises(RequestError, match=r"There is no option 'filter'.*filters"):
        model.recommend(104, filter={})


def test_a_model_with_one_list_for_everyone_has_nothing_to_tell(split):
    assert len(recsys.Popularity().fit(split.train).recommend([104, 105], k=2)) == 4


def test_a_model_that_does_not_fold_in_says_so(split):
    model = recsys.MF(embedding_dim=4, epochs=1).fit(split.train)
    with pytest.warns(DataWarning, match="1 of 1 users got what is popular"):
        assert len(model.recommend(histories=[[10]], k=2)) == 2
