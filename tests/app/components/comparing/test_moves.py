from app.components.comparing.moves import moves_table, place_in


def candidate(item_id, removed_by=None, ranker_rank=None):
    return {"item_id": item_id, "removed_by": removed_by, "ranker_rank": ranker_rank}


def answer(ids, candidates, because="Alien"):
    contributions = {"contributions": [{"title": because}]}
    items = [{"item_id": name, "title": name.upper(), "explanation": contributions, "reasons": []} for name in ids]
    return {"items": items, "trace": {"candidates": candidates, "num_found": len(candidates), "diversity": None}}


FIRST = answer(["a", "b"], [candidate("s", "seen"), candidate("a"), candidate("b"), candidate("d", "cut")])
SECOND = answer(["b", "d", "f"], [candidate("b", None, 2), candidate("d", None, 1)], because="Brazil")


def test_each_move_says_why():
    table = moves_table(FIRST, SECOND)
    assert table[["Item", "First", "Second", "Change"]].values.tolist() == [
        ["B", "2", "1", "▲ 1"],
        ["D", "–", "2", "came in"],
        ["F", "–", "3", "came in"],
        ["A", "1", "–", "left"],
    ]
    assert table["Why"].tolist() == [
        "Because of Brazil; in the first, because of Alien.",
        "In the first, it is number 3; because of Brazil.",
        "In the first, it is not among the 4 that were looked at; because of Brazil.",
        "In the second, it is not among the 2 that were looked at; because of Alien.",
    ]


def test_where_an_item_was_on_the_way():
    assert place_in(FIRST, "s") == "the user knows it"
    assert place_in(SECOND, "b") == "it is number 2"


def test_a_good_item_that_a_diverse_list_leaves_out_says_so():
    diverse = answer(["a", "c"], [candidate("a"), candidate("b"), candidate("c"), candidate("d")])
    diverse["trace"]["diversity"] = {"kind": "mmr", "weight": 0.5, "column": "genres"}
    assert place_in(diverse, "b") == "it is number 2, and left out to make the list diverse"
    assert place_in(diverse, "d") == "it is number 4"
