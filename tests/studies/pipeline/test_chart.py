from __future__ import annotations

import pytest
from matplotlib.image import imread
from matplotlib.text import Annotation

from recsys.studies.pipeline.chart import draw
from tests.studies.pipeline.test_report import lists, report

DIVERSIFIED = {
    ("mmr", 0.5): lists([0.6, 0.4], 0.8, 0.1),
    ("mmr", 0.0): lists([1.0, 0.6], 0.5, 0.25),
    ("calibrated", 0.3): lists([0.8, 0.6], 0.6, 0.2),
}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draws a report and returns the figure instead of writing it."""
    figures = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, path: figures.append(figure))

    def figure_of(**settings):
        draw(report(**settings), tmp_path / "pipeline.png")
        return figures.pop()

    return figure_of


def test_the_chart_is_a_picture(tmp_path):
    draw(report(diversified=DIVERSIFIED), tmp_path / "pipeline.png")
    assert imread(tmp_path / "pipeline.png").std() > 0


def test_each_panel_has_a_line_for_each_re_ranker(drawn):
    panels = drawn(diversified=DIVERSIFIED).axes
    assert [axes.get_xlabel() for axes in panels] == [
        "diversity@2",
        "divergence from the history, nats",
        "coverage@2, share of the catalogue",
    ]
    for axes in panels:
        # The last axes may have lines that connect a label with its point.
        assert [line.get_label() for line in axes.lines[:2]] == ["mmr", "calibrated"]
    assert panels[0].get_ylabel() == "ndcg@2"


def test_points_are_in_the_order_of_the_weights(drawn):
    mmr = drawn(diversified=DIVERSIFIED).axes[0].lines[0]
    assert mmr.get_xdata().tolist() == [0.5, 0.8]
    assert mmr.get_ydata().tolist() == [0.8, 0.5]  # means of the two users


def test_points_are_labelled_with_their_weight(drawn):
    axes = drawn(diversified=DIVERSIFIED).axes[0]
    texts = [child.get_text() for child in axes.get_children() if isinstance(child, Annotation)]
    assert sorted(texts) == ["0", "0.3", "0.5"]


def test_equal_points_have_one_label(drawn):
    same = {("mmr", 0.0): lists([1.0, 0.6]), ("calibrated", 0.0): lists([1.0, 0.6])}
    axes = drawn(diversified=same).axes[0]
    assert len([child for child in axes.get_children() if isinstance(child, Annotation)]) == 1


def test_what_was_not_measured_has_no_points(drawn):
    without = {("mmr", 0.5): lists([0.6, 0.4], diversity=None, divergence=None)}
    diversity, divergence, coverage = drawn(diversified=without).axes
    assert len(diversity.lines[0].get_xdata()) == len(divergence.lines[0].get_xdata()) == 0
    assert coverage.lines[0].get_xdata().tolist() == [0.75]
