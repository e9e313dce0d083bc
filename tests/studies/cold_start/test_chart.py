import math

import pytest
from matplotlib.image import imread

from recsys.studies.cold_start.chart import draw
from recsys.studies.cold_start.measured import Estimate, Row

ROWS = [
    Row("cold_items", None, "Content", {"ndcg@10": Estimate(0.3, 0.2, 0.4, 7)}),
    Row("cold_users", 3, "MF", {}, cannot="scores only the users that it was trained on"),
    Row("cold_users", 3, "Popularity", {"ndcg@10": Estimate(0.4, 0.3, 0.5, 5)}),
    Row("cold_users", 10, "Popularity", {"ndcg@10": Estimate(0.45, math.nan, math.nan, 5)}),
]


def test_the_chart_has_a_panel_for_each_protocol_with_new_users(tmp_path):
    assert draw(ROWS, 10, "Content on toy", tmp_path / "one.png")
    both = [*ROWS, Row("cold_both", 3, "Popularity", {"ndcg@10": Estimate(0.4, 0.3, 0.5, 5)})]
    assert draw(both, 10, "Content on toy", tmp_path / "two.png")
    one, two = imread(tmp_path / "one.png"), imread(tmp_path / "two.png")
    assert two.shape[1] == 2 * one.shape[1]
    assert one.std() > 0


def test_without_new_users_there_is_no_chart(tmp_path):
    assert not draw(ROWS[:2], 10, "Content on toy", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_another_cut_off_has_nothing_to_draw(tmp_path):
    assert not draw(ROWS, 5, "Content on toy", tmp_path / "none.png")


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """The figure that is written."""
    figures = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, path: figures.append(figure))
    assert draw(ROWS, 10, "Content on toy", tmp_path / "one.png")
    return figures[0]


def test_a_line_has_a_point_for_each_number_of_interactions(drawn):
    (axes,) = drawn.axes
    (line,) = axes.lines
    assert line.get_xdata().tolist() == [3, 10]
    assert line.get_ydata().tolist() == [0.4, 0.45]
    assert axes.get_xlabel() == "fold-in interactions"
    assert axes.get_ylabel() == "NDCG@10"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Popularity"]
