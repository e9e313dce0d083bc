from app.components.comparing.trace_numbers import candidates_table, funnel_table, stages_table

TRACE = {
    "stages": [
        {"stage": "state", "milliseconds": 1.25, "within": None},
        {"stage": "rank", "milliseconds": 3.0, "within": "model"},
    ],
    "retriever": "EASE",
    "ranker": "NeuMF",
    "diversity": {"kind": "mmr", "weight": 0.3, "column": "genres"},
    "num_found": 10,
    "num_removed": {"seen": 4, "cut": 1},
    "candidates": [
        {"title": "Alien", "score": 2.0, "removed_by": None, "ranker_score": 0.5, "ranker_rank": 1, "rank": 1},
        {
            "title": "Brazil",
            "score": 1.0,
            "removed_by": "seen",
            "ranker_score": None,
            "ranker_rank": None,
            "rank": None,
        },
    ],
}


def test_the_steps_say_how_many_candidates_are_left():
    assert funnel_table(TRACE, 3)[["Step", "Left"]].values.tolist() == [
        ["Found by EASE", 10],
        ["Taken away: the user knows it", 6],
        ["Taken away: there were enough better ones", 5],
        ["Ranked by NeuMF", 5],
        ["Made diverse by genres (mmr, weight 0.3)", 5],
        ["In the list", 3],
    ]


def test_stages_of_the_model_are_told_apart():
    assert stages_table(TRACE).values.tolist() == [["Read the user's history", "service", 1.25], ["Rank", "model", 3.0]]


def test_without_a_ranker_a_candidate_has_no_score_of_one():
    assert "Ranker's score" in candidates_table(TRACE).columns
    table = candidates_table({**TRACE, "ranker": None})
    assert list(table.columns) == ["Found", "Item", "What became of it", "Score"]
    assert table["What became of it"].tolist() == ["rank 1", "the user knows it"]
    assert candidates_table({**TRACE, "candidates": []}).empty
