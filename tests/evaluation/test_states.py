from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recsys.errors import EvaluationError
from recsys.evaluation.catalogue import coverage, gini
from recsys.evaluation.metrics import RANKING_METRICS, ndcg
from recsys.evaluation.ranked_batch import RankedBatch
from recsys.evaluation.states import ExposureMeasure, MeanNovelty, MeanOverUsers, RankingMetrics

INFORMATION = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], dtype=torch.float64)


def ranked_batch(seed: int = 0, num_users: int = 12) -> RankedBatch:
    """Random lists of 4 out of 6 items; some users have no relevant item, some lists are shorter."""
    generator = torch.Generator().manual_seed(seed)
    items = torch.rand(num_users, 6, generator=generator).argsort(dim=1)[:, :4]
    hits = torch.rand(num_users, 4, generator=generator) < 0.3
    num_relevant = hits.sum(dim=1)
    items[:3, 2:], hits[:3, 2:] = -1, False
    return RankedBatch(items, hits, num_relevant)


def rows_of(ranked: RankedBatch, rows: slice) -> RankedBatch:
    return RankedBatch(ranked.items[rows], ranked.hits[rows], ranked.num_relevant[rows])


def all_metrics() -> RankingMetrics:
    return RankingMetrics(tuple(RANKING_METRICS), ks=(2, 4), num_items=6, information=INFORMATION)


def as_floats(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in values.items()}


@pytest.mark.parametrize("name", RANKING_METRICS)
def test_the_mean_over_batches_is_the_mean_over_users(name):
    ranked = ranked_batch()
    state = MeanOverUsers(RANKING_METRICS[name], 4)
    for rows in (slice(0, 5), slice(5, 6), slice(6, 12)):
        state.update(ranked.hits[rows], ranked.num_relevant[rows])
    expected = RANKING_METRICS[name](ranked.hits, ranked.num_relevant, 4).nanmean()
    torch.testing.assert_close(state.compute(), expected)


def test_a_user_without_relevant_items_does_not_count():
    state = MeanOverUsers(ndcg, 1)
    state.update(torch.tensor([[True], [False], [False]]), torch.tensor([1, 0, 1]))
    assert state.compute().item() == 0.5


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric:UserWarning")
def test_the_mean_over_no_users_is_not_defined():
    assert math.isnan(MeanOverUsers(ndcg, 1).compute().item())


def test_coverage_and_gini_add_up_over_batches():
    covered, unequal = ExposureMeasure(coverage, 4, k=1), ExposureMeasure(gini, 4, k=1)
    for items in ([[0, 1]], [[0, 2], [3, 1], [-1, -1]]):
        covered.update(torch.tensor(items))
        unequal.update(torch.tensor(items))
    assert covered.compute().item() == 0.5  # items 0 and 3 of four
    assert unequal.compute().item() == pytest.approx((1 * 1 + 3 * 2) / (4 * 3))  # 0 0 1 2 ascending


def test_novelty_is_the_mean_over_users_with_a_list():
    state = MeanNovelty(INFORMATION, k=2)
    state.update(torch.tensor([[1, 3, 5], [-1, -1, -1]]))
    state.update(torch.tensor([[5, -1, -1]]))
    assert state.compute().item() == pytest.approx((2 + 5) / 2)


def test_names_and_values_of_a_validation():
    validation = RankingMetrics(("hit_rate", "mrr"), ks=(1, 2), num_items=4)
    items = torch.tensor([[0, 1], [0, 2]])
    validation.update(RankedBatch(items, torch.tensor([[False, True], [False, False]]), torch.tensor([1, 3])))
    assert as_floats(validation.compute()) == {
        "hit_rate@1": 0.0,
        "mrr@1": 0.0,
        "coverage@1": 0.25,
        "gini@1": 0.75,
        "hit_rate@2": 0.5,
        "mrr@2": 0.25,
        "coverage@2": 0.75,
        "gini@2": pytest.approx(0.375),  # 0 1 1 2 ascending: (-1 + 1 + 6) / (4 * 4)
    }


def test_catalogue_measures_are_left_out_without_a_catalogue():
    validation = RankingMetrics(("ndcg",), ks=(4,))
    validation.update(ranked_batch())
    assert list(validation.compute()) == ["ndcg@4"]


def test_reset_forgets():
    validation = all_metrics()
    validation.update(ranked_batch(seed=1))
    validation.reset()
    validation.update(ranked_batch(seed=2))
    fresh = all_metrics()
    fresh.update(ranked_batch(seed=2))
    assert as_floats(validation.compute()) == as_floats(fresh.compute())


def test_a_state_that_was_reset_in_inference_mode_can_be_updated_outside():
    validation = all_metrics()
    with torch.inference_mode():
        validation.update(ranked_batch())
        validation.reset()
    validation.update(ranked_batch())
    fresh = all_metrics()
    fresh.update(ranked_batch())
    assert as_floats(validation.compute()) == as_floats(fresh.compute())


def test_a_checkpoint_holds_nothing_of_a_validation():
    validation = all_metrics()
    validation.update(ranked_batch())
    assert validation.state_dict() == {}


def test_an_unknown_name_is_an_error():
    with pytest.raises(EvaluationError, match="metrics must be among precision, .*; unknown: auc, ngcd: correct"):
        RankingMetrics(("ngcd", "ndcg", "auc"))


def measure_a_part(rank: int, world_size: int, folder: str) -> None:
    """One process of two: measures its users, combines, and writes down what it got."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=world_size
    )
    torch.set_num_threads(1)
    validation = all_metrics()
    # Parts of unequal size, in several batches.
    for rows in (slice(0, 3), slice(3, 7)) if rank == 0 else (slice(7, 12),):
        validation.update(rows_of(ranked_batch(), rows))
    Path(folder, f"{rank}.json").write_text(json.dumps(as_floats(validation.compute())))
    torch.distributed.destroy_process_group()


def test_two_processes_get_what_one_gets(tmp_path):
    whole = all_metrics()
    whole.update(ranked_batch())
    torch.multiprocessing.spawn(measure_a_part, args=(2, str(tmp_path)), nprocs=2)
    for rank in (0, 1):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == pytest.approx(as_floats(whole.compute()))
