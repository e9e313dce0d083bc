import numpy as np

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.runtime.onnx_inputs import NO_TIMESTAMP, feature_input, query_inputs, ranker_feeds

NAN = np.nan
HISTORY = RaggedItems(
    np.array([0, 2, 2, 3]),
    np.array([4, 7, 5]),
    np.array([5, 3, 4], dtype=np.float32),
    np.array([100, 200, 300]),
)


def batch(history, **features):
    return RequestBatch(
        np.arange(len(history), dtype=np.int32), history, history, RaggedItems.empty(len(history)), features
    )


def test_a_column_of_users_has_an_input_of_its_own():
    assert feature_input("age") == "user.age"


def test_histories_are_filled_up_at_their_end():
    inputs = query_inputs(batch(HISTORY))
    assert inputs["user_index"].tolist() == [0, 1, 2]
    assert inputs["history"].tolist() == [[4, 7], [-1, -1], [5, -1]]
    np.testing.assert_array_equal(inputs["rating"], [[5, 3], [NAN, NAN], [4, NAN]])
    assert inputs["timestamp"].tolist() == [[100, 200], [NO_TIMESTAMP] * 2, [300, NO_TIMESTAMP]]


def test_the_types_are_those_of_the_models():
    inputs = query_inputs(batch(HISTORY))
    assert {name: values.dtype.name for name, values in inputs.items()} == {
        "user_index": "int64",
        "history": "int64",
        "rating": "float32",
        "timestamp": "int64",
    }


def test_without_ratings_and_times_these_are_padding():
    inputs = query_inputs(batch(RaggedItems.of([[4, 7], []])))
    assert inputs["rating"].shape == (2, 2) and np.isnan(inputs["rating"]).all()
    assert (inputs["timestamp"] == NO_TIMESTAMP).all()


def test_there_is_always_a_position():
    assert query_inputs(batch(RaggedItems.of([[], []])))["history"].tolist() == [[-1], [-1]]
    assert query_inputs(batch(RaggedItems.empty(0)))["history"].shape == (0, 1)


def test_rows_may_be_wider_than_the_longest_history_but_not_narrower():
    assert query_inputs(batch(HISTORY), min_width=4)["history"].tolist()[0] == [4, 7, -1, -1]
    assert query_inputs(batch(HISTORY), min_width=1)["history"].shape == (3, 2)


def test_columns_of_users_go_in_as_they_are():
    age = np.array([20, 30, NAN], dtype=np.float32)
    assert query_inputs(batch(HISTORY, age=age))["user.age"] is age


def test_a_ranker_gets_the_candidates_as_well():
    queries = query_inputs(batch(HISTORY))
    inputs = ranker_feeds(queries, np.array([[1, -1]] * 3, dtype=np.int32))
    assert inputs["candidates"].tolist() == [[1, -1]] * 3 and inputs["candidates"].dtype == np.int64
    assert set(inputs) == {*queries, "candidates"} and "candidates" not in queries
