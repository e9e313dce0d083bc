import numpy as np
import pytest

from recsys.errors import RunError
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.statistics.significance import Interval
from recsys.studies.pipeline.evaluation import Lists, PipelineReport
from recsys.studies.pipeline.report import numbers, tables, write_report


def lists(ndcg, diversity=0.5, divergence=0.25, recall_of_candidates=None, intervals=True):
    """Measures of two users with a cut-off of 2."""
    per_user = {name: np.array(ndcg) for name in ("ndcg@2", "recall@2", "precision@2")}
    if recall_of_candidates is not None:
        per_user["recall@9"] = np.array(recall_of_candidates)
    return Lists(
        RankingResult(
            users=np.array([0, 1]),
            per_user=per_user,
            catalogue={"coverage@2": 0.75} | ({} if diversity is None else {"diversity@2": diversity}),
            segments=(),
            intervals={name: Interval(0.0, 1.0) for name in per_user} if intervals else {},
            user_activity=np.array([0, 1]),
            per_user_beyond={},
        ),
        divergence,
    )


def report(**settings):
    made = {
        "k": 2,
        "num_candidates": 9,
        "mean_candidates": 8.5,
        "retrieved": lists([0.5, 0.25], recall_of_candidates=[1.0, 0.5]),
        "ranked": lists([1.0, 0.6]),
        "diversified": {("mmr", 0.5): lists([0.6, 0.4], 0.8, 0.1), ("mmr", 0.0): lists([1.0, 0.6])},
        "batch_milliseconds": {"retrieve": 0.5, "rules": 0.125, "rank": 1.0},
        "alone_milliseconds": {"retrieve": 1.0, "rules": 0.25, "rank": 2.0},
    }
    return PipelineReport(**(made | settings))


def cells(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_each_stage_has_a_row():
    stages, *_ = tables(report(), ("mmr", 0.5))
    # means: ndcg .375, .8 and .5; the candidates of all stages are those that were retrieved
    assert [row[:3] for row in cells(stages)] == [
        ["retrieve", "0.7500", "0.3750"],
        ["rank", "0.7500", "0.8000"],
        ["mmr 0.5", "0.7500", "0.5000"],
    ]
    assert [row[0] for row in cells(tables(report(ranked=None), None)[0])] == ["retrieve"]


def test_strengths_are_in_order_beside_what_they_cost():
    _, diversity, _ = tables(report(), None)
    # .5 against .8 is -37.5 %; the users lose .4 and .2, so that resampled means are from -.4 to -.2
    assert cells(diversity) == [
        ["0", "0.8000", "+0.0 %", "0.8000", "0.5000", "0.2500", "0.7500"],
        ["0.5", "0.5000", "-37.5 %", "0.5000", "0.8000", "0.1000", "0.7500"],
    ]
    assert [row[2].detail for row in diversity.rows] == ["[+0.0, +0.0]", "[-50.0, -25.0]"]


def test_without_a_ranker_the_cost_is_that_against_the_retriever():
    made = report(ranked=None, diversified={("mmr", 0.5): lists([0.3, 0.3], intervals=False)})
    # .3 against .375
    assert cells(tables(made, None)[1])[0][2] == "-20.0 %"


def test_what_was_not_measured_is_a_dash():
    made = report(
        ranked=lists([0.0, 0.0]), diversified={("calibrated", 0.1): lists([0.0, 0.0], diversity=None, divergence=None)}
    )
    assert cells(tables(made, None)[1]) == [["0.1", "0.0000", "-", "0.0000", "-", "-", "0.7500"]]


def test_times_add_up():
    *_, times = tables(report(), None)
    assert cells(times)[-1] == ["all", "1.625", "3.250"]


def test_the_page_has_a_picture_and_numbers_beside_it(tmp_path):
    page = write_report(report(), ("mmr", 0.5), "Made", tmp_path / "new" / "out")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Made\n\n![accuracy against diversity](pipeline.png)\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## Stages", "## mmr", "## Time"]
    assert {path.name for path in page.parent.iterdir()} == {"pipeline.md", "pipeline.png", "pipeline.json"}
    assert numbers(report())["lists"]["mmr 0.5"]["lists/ndcg@2"] == 0.5


def test_lists_without_diversity_can_be_drawn(tmp_path):
    made = report(diversified={("calibrated", 0.1): lists([0.1, 0.1], diversity=None)})
    assert write_report(made, None, "Made", tmp_path).is_file()


def test_a_directory_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be made"):
        write_report(report(), None, "Made", tmp_path / "file" / "out")
