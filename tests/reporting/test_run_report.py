from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from recsys.data.prepared import PreparedDataset
from recsys.evaluation.fixed_negatives import WARNING, FixedNegativesResult
from recsys.evaluation.model_report import EvaluationReport
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.rating import RatingResult
from recsys.evaluation.segments import Segment
from recsys.models.interface.protocols import Query
from recsys.reporting import run_report
from recsys.retrieval.seen_policy import SeenPolicy
from tests.models.board_data import NUM_ITEMS, prepared_board


class ByIndex:
    """Ranks items by their index."""

    def score(self, query: Query) -> torch.Tensor:
        return torch.arange(NUM_ITEMS, 0, -1).float().expand(len(query), -1)


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(run_report, "console", Console(file=stream, width=120))
    return stream


def printed(stream: io.StringIO) -> str:
    """The output on one line: titles are folded to the width of their table."""
    return " ".join(stream.getvalue().split())


def ranking(*ks: int) -> RankingResult:
    names = [f"{name}@{k}" for k in ks for name in ("ndcg", "recall", "map")]
    return RankingResult(
        users=np.array([0]),
        per_user={name: np.array([0.5]) for name in names},
        catalogue={f"coverage@{k}": 0.25 for k in ks},
        segments=(Segment("user_activity", "low", 1, {f"recall@{ks[0]}": 0.125}),),
        intervals={},
        user_activity=np.array([0]),
        per_user_beyond={},
    )


def test_a_sample_of_users_is_called_one(output: io.StringIO) -> None:
    sampled = replace(ranking(10), sampled_from=4321)
    run_report.print_report(EvaluationReport("test", {"MF": sampled}, {}, {}))
    assert "of a random sample of 1 of 4,321 users (evaluation.max_users)" in printed(output)


def test_the_cut_off_of_ten_is_printed(output: io.StringIO) -> None:
    run_report.print_report(EvaluationReport("test", {"MF": ranking(5, 10)}, {}, {}))
    text = printed(output)
    assert "Accuracy, test, full catalogue" in text
    assert "ndcg@10" in text and "ndcg@5" not in text
    # all that was evaluated, without intervals
    assert "All cut-offs, test" in text and "| metric | model" in text and "@5 |" in text
    assert "Beyond accuracy, test, full catalogue" in text and "coverage@10" in text
    assert "user_activity=low" in text and "0.1250" in text
    assert "Predicted ratings" not in text and WARNING[:20] not in text


def test_without_ten_the_smallest_cut_off_is_printed(output: io.StringIO) -> None:
    run_report.print_report(EvaluationReport("valid", {"MF": ranking(20, 5)}, {}, {}))
    assert "ndcg@5" in output.getvalue() and "ndcg@20" not in output.getvalue()
    assert "First hits, valid, full catalogue" in printed(output)


def test_ratings_and_fixed_negatives_have_their_tables(output: io.StringIO) -> None:
    rating = RatingResult(np.array([0]), np.array([4]), np.array([16.0]), np.array([6.0]), (), {})
    fixed = FixedNegativesResult(99, np.array([0]), {"hit_rate@10": np.array([1.0]), "ndcg@10": np.array([0.5])}, {})
    run_report.print_report(EvaluationReport("test", {"MF": ranking(10)}, {"MF": fixed}, {"MF": rating}))
    text = printed(output)
    assert "Predicted ratings, test" in text and "2.0000" in text and "1.5000" in text  # sqrt(16 / 4) and 6 / 4
    assert "Among 99 fixed negatives" in text and "sampled metric" in text


def known_items(prepared: PreparedDataset, user: int) -> set[int]:
    return set(prepared.interactions.item_index[prepared.interactions.user_index == user].tolist())


def test_no_users_print_nothing(output: io.StringIO) -> None:
    run_report.print_examples(ByIndex(), prepared_board(), 0, 5)
    assert output.getvalue() == ""


def test_examples_are_spread_over_the_users(output: io.StringIO) -> None:
    prepared = prepared_board()
    run_report.print_examples(ByIndex(), prepared, 3, 5)
    headings = [line.strip() for line in output.getvalue().splitlines() if line.startswith("For user")]
    assert headings == ["For user u00", "For user u19", "For user u39"]
    # Every user has rated every item, so there is nothing left to recommend.
    assert known_items(prepared, 0) == set(range(NUM_ITEMS))
    assert "Square" not in output.getvalue()
    run_report.print_examples(ByIndex(), prepared, 1, 5, SeenPolicy(False))
    assert "Square" in output.getvalue()
