from app.components.history import MAX_SESSION, latest_by_item, session_without


def did(item, value, moment):
    return {"item_id": item, "value": value, "occurred_at": moment}


LATEST_FIRST = [did("a", 5.0, "t4"), did("b", None, "t3"), did("a", 1.0, "t2"), did("c", 3.0, "t1")]


def test_the_latest_of_each_item_counts():
    assert [(one["item_id"], one["value"]) for one in latest_by_item(LATEST_FIRST)] == [
        ("a", 5.0),
        ("b", None),
        ("c", 3.0),
    ]


def test_a_session_has_all_but_one_the_oldest_first():
    assert session_without(LATEST_FIRST, "c") == {
        "history": [{"item_id": "b", "timestamp": "t3"}, {"item_id": "a", "timestamp": "t4", "value": 5.0}]
    }


def test_a_long_history_keeps_its_latest():
    many = [did(str(number), 1.0, "t") for number in range(MAX_SESSION + 10)]
    history = session_without(many, "none")["history"]
    assert (len(history), history[-1]["item_id"]) == (MAX_SESSION, "0")
