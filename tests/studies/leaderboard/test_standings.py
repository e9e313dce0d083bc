from __future__ import annotations

import numpy as np
import pytest

from recsys.studies.comparison.compared_runs import open_runs
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.leaderboard.standings import Place, pairs_matrix, places, verdict
from tests.studies.comparison.made_runs import make_run, table

NOISE = np.random.default_rng(0).random(60)


def comparison(tmp_path, **levels):
    """Runs whose users all gain the same; those of level None have values of their own, half better, half worse."""
    turned = np.where(np.arange(60) % 2 == 0, 0.1, -0.1)
    values = {name: NOISE + (turned if level is None else level) for name, level in levels.items()}
    runs = open_runs([make_run(tmp_path, name, table(ndcg)) for name, ndcg in values.items()])
    return compare(runs, Settings(baseline=next(iter(levels))))


def test_a_clear_order_gives_each_one_place(tmp_path):
    found = places(comparison(tmp_path, a=0.1, c=0.5, b=0.3))
    assert [(place.label, place.text) for place in found] == [("c", "1"), ("b", "2"), ("a", "3")]


def test_those_that_cannot_be_told_apart_share_places(tmp_path):
    board = comparison(tmp_path, low=-0.5, even=0.0, mixed=None)
    assert {place.label: place.text for place in places(board)} == {"even": "1-2", "mixed": "1-2", "low": "3"}
    assert "these users cannot tell it from" in verdict(board)
    assert verdict(board).endswith("It is significantly better than the other 1.")


def test_a_first_that_beats_all_is_best(tmp_path):
    assert verdict(comparison(tmp_path, a=0.1, b=0.3)) == "b is best: significantly better than every other model."


def test_the_matrix_mirrors_itself(tmp_path):
    matrix = pairs_matrix(comparison(tmp_path, low=-0.5, even=0.0, mixed=None))
    signs = [[cell.text for cell in row[1:]] for row in matrix.rows]
    assert [signs[place][place] for place in range(3)] == ["."] * 3
    turned = {"<": ">", ">": "<", "=": "=", ".": "."}
    assert all(signs[i][j] == turned[signs[j][i]] for i in range(3) for j in range(3))
    assert signs[2][:2] == ["<", "<"]


@pytest.mark.parametrize(
    ("worse_than", "better_than", "text"),
    [((), (), "1-5"), (("a",), ("b", "c"), "2-3"), (("a", "b", "c", "d"), (), "5")],
)
def test_the_text_of_a_place(worse_than, better_than, text):
    assert Place("x", worse_than, better_than, 5).text == text
