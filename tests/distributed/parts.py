"""What two ranks compute together: once for the tests of several modules, as processes take seconds to start.

Each function gives the same in one process, which the tests compare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from recsys.distributed.collectives import (
    counts_of_ranks,
    from_main,
    object_from_main,
    rows_of_ranks,
    same_on_ranks,
    sum_over_ranks,
    traffic,
    wait_for_ranks,
)
from recsys.distributed.process_group import main_first
from recsys.distributed.ranks import alone, ranks
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.models.ials import IALS
from recsys.models.layers import embedding
from recsys.models.layers.embedding import Embedding, RowKeeper
from recsys.models.layers.history_encoders import MeanEncoder
from recsys.models.linalg.least_squares import Cholesky
from recsys.models.neumf import NeuMF
from recsys.models.rp3beta import RP3Beta
from recsys.models.two_tower import TwoTower
from recsys.training.fitting import fit
from recsys.training.module import RecommenderModule
from recsys.training.next_item import NextItemModule
from recsys.training.next_item_losses import FullSoftmax
from recsys.training.optimizers import table_rows
from recsys.training.optimizers.adam import Adam
from recsys.training.optimizers.sgd import SGD
from recsys.training.ranks.gradient_exchange import GradientExchange
from recsys.training.reports.fit_report import REPORT
from tests.models.small_data import small_data
from tests.models.test_item_knn import item_knn
from tests.training.recipes import INTERACTIONS, SPLIT, full, mf, sampled
from tests.training.test_next_item import interactions as next_interactions


def collect() -> dict[str, Any]:
    """Each collective once."""
    place, before = ranks(), traffic.bytes
    added, given = torch.full((3,), place.rank + 1.0), torch.full((2,), float(place.rank))
    sum_over_ranks(added)
    from_main(given)
    with alone():
        kept = torch.ones(1)
        sum_over_ranks(kept)
    return {
        "sum": added,
        "from_main": given,
        "object": object_from_main({"rank": place.rank}),
        "counts": counts_of_ranks([place.rank, 7]),
        "even": rows_of_ranks(torch.full((2, 2), place.rank)),
        "uneven": rows_of_ranks(torch.arange(place.rank * 10, place.rank * 10 + 1 + 2 * place.rank)),
        "alone": kept,
        "bytes": traffic.bytes - before,
    }


def same(other: float) -> bool:
    """Whether both ranks have the same, where rank 1 adds ``other``."""
    return same_on_ranks([torch.ones(3), torch.zeros(()) + ranks().rank * other, torch.empty(0)])


def first(place: Path) -> bool:
    """Whether what rank 0 makes is there for the other."""
    with main_first():
        made = place.exists()
        place.mkdir(exist_ok=True)
    return made != ranks().is_main


class _EveryRow(RowKeeper):
    """Has every gradient of a table as rows, and notes which rows are brought up to date."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def by_rows(self, num_ids: int) -> bool:
        return True

    def catch_up(self, ids: Tensor) -> None:
        self.asked.append(ids)

    def catch_up_all(self) -> None: ...


class Tables(nn.Module):
    """A table whose gradient has rows alone, one that a step reads whole, a small layer, and one that nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.by_rows, self.whole = Embedding(50, 3).double(), Embedding(2**18, 3).double()  # as a whole above 4 MiB
        self.layer, self.unused = nn.Linear(3, 1).double(), nn.Parameter(torch.ones(2))
        self.by_rows.keeper = _EveryRow()

    def forward(self, ids: Tensor) -> Tensor:
        """A mean over ``ids`` (shape [B])."""
        return (self.layer(self.by_rows(ids) * self.whole(ids)) ** 2).mean()


def exchange(num_rows: int) -> dict[str, Tensor]:
    """The gradients of a joint batch of so many rows."""
    network, ids = Tables(), torch.tensor([3, 7, 3, 11, 7])[:num_rows]
    own = ids[ranks().part(num_rows)]
    if len(own):
        network(own).backward()
    share = GradientExchange(network.parameters(), [network.by_rows, network.whole]).exchange(len(own))
    keeper = network.by_rows.keeper
    assert isinstance(keeper, _EveryRow)
    found = {name: each.grad for name, each in network.named_parameters() if each.grad is not None}
    return {**found, "asked": torch.cat(keeper.asked), "share": torch.tensor(share)}


def trained(
    make: Callable[[], RecommenderModule],
    directory: Path,
    max_epochs: int = 3,
    precision: str = "64-true",
    **options: Any,
) -> Any:
    """The report and the weights of a training; every table is updated by rows where it can be."""
    module = make()
    trainer = partial(pl.Trainer, accelerator="cpu", devices=ranks().size, max_epochs=max_epochs, precision=precision)
    with patch.object(table_rows, "_OVERHEAD", {"cpu": -(10**9)}):
        report = fit(module, trainer, directory, progress_bar=False, **{"monitor": "valid/ndcg@10", **options})
    return report, {name: value.double() for name, value in module.network.state_dict().items()}


#: Trainings with divided tables, which have the bits of one process: all but touched rows of Adam, which are caught up
#: at other times.
SHARDED: dict[str, Callable[[], RecommenderModule]] = {
    "mf": lambda: sampled(mf(), validation_batch_size=7),
    "mf_sgd_rows": lambda: sampled(mf(), batch_size=519, optimizer=partial(SGD, lr=0.5, momentum=0.5)),
    "mf_rows": lambda: sampled(mf(), batch_size=11, optimizer=partial(Adam, lr=0.02)),
    "mf_full": lambda: full(mf(), batch_size=13),
    "neumf": lambda: sampled(plain_neumf()),
}


def plain_neumf() -> NeuMF:
    """Without dropout, and so by operators that need no whole table."""
    torch.manual_seed(0)
    return NeuMF(40, 30, embedding_dim=8, hidden_dims=(16, 8))


def sharded(name: str, directory: Path, max_epochs: int = 3, **options: Any) -> Any:
    """One of :data:`SHARDED`, of which one process does the same steps by the same operators."""
    lines: list[str] = []
    with patch.object(embedding, "_whole", False):
        result = trained(
            SHARDED[name],
            directory / name,
            max_epochs,
            shard_embeddings=True,
            print_line=lines.append,
            **options,
        )
    return *result, lines


def sharded_begun(directory: Path) -> list[str]:
    """Two epochs with divided tables, whose end is forgotten; gives the names of the checkpoints."""
    sharded("mf", directory, 2)
    wait_for_ranks()
    if ranks().is_main:
        (directory / "mf" / REPORT).unlink()
    wait_for_ranks()
    return sorted(path.name for path in (directory / "mf").iterdir())


#: Trainings whose result does not depend on the number of ranks; with 520 rows in batches of 64 the last is uneven.
TRAININGS: dict[str, Callable[[], RecommenderModule]] = {
    "mf": lambda: sampled(mf(), validation_batch_size=7),
    "mf_rows": lambda: sampled(mf(), batch_size=11, optimizer=partial(Adam, lr=0.02)),
    "mf_sgd_rows": lambda: sampled(mf(), batch_size=519, optimizer=partial(SGD, lr=0.5, momentum=0.5)),
    "mf_full": lambda: full(mf(), batch_size=13),
    "two_tower": lambda: next_item(batch_size=13),
}


def next_item(batch_size: int) -> NextItemModule:
    """A training on what comes next, without dropout, which each rank draws for itself."""
    torch.manual_seed(0)
    network = TwoTower(40, 30, partial(MeanEncoder, hidden_dim=16), embedding_dim=8, dropout=0, id_dropout=0)
    optimizer = partial(torch.optim.Adam, lr=0.01)
    return NextItemModule(network, next_interactions(), batch_size, optimizer, next_item_loss=FullSoftmax())


def training(name: str, directory: Path) -> Any:
    """One of :data:`TRAININGS`."""
    if name == "two_tower":
        return trained(TRAININGS[name], directory / name, monitor=None)
    return trained(TRAININGS[name], directory / name, patience=1)


def evaluated(batch_size: int) -> dict[str, Any] | None:
    """A test evaluation whose users are divided among the ranks: all numbers of it; None on all but the first."""
    task = RankingTask.from_split(INTERACTIONS, SPLIT, "test")
    evaluator = RankingEvaluator(ks=(2, 5), batch_size=batch_size, bootstrap_samples=20, segment_k=5)
    model = CountingUsers(mf())
    if not ranks().is_main:
        evaluator.assist(model, task)
        return {"ranked": model.count}
    result = evaluator.evaluate(model, task)
    return {"ranked": model.count, **result.flat("test"), **{f"users/{k}": v for k, v in result.per_user.items()}}


class CountingUsers(nn.Module):
    """Counts the users that a model scores for."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.count = model, 0

    def score(self, query: Any) -> Tensor:
        """Those of the model."""
        self.count += len(query)
        scores: Tensor = self.model.score(query)
        return scores


def resumed(directory: Path) -> Any:
    """A training of two epochs that was begun in another number of processes, gone on with."""
    return trained(TRAININGS["mf_rows"], directory, 3, resume=True)


def begun(directory: Path) -> Any:
    """Two epochs of the same, whose end is forgotten."""
    result = trained(TRAININGS["mf_rows"], directory, 2)
    wait_for_ranks()
    if ranks().is_main:
        (directory / REPORT).unlink()
    return result


def closed_form() -> dict[str, Tensor]:
    """What models in closed form keep."""
    data = small_data()
    models = {
        "ease": EASE(data.num_users, data.num_items, Recency(), l2=3.0),
        "ials": IALS(data.num_users, data.num_items, embedding_dim=4, iterations=3),
        "ials_cholesky": IALS(data.num_users, data.num_items, embedding_dim=4, iterations=3, solver=Cholesky()),
        "rp3beta": RP3Beta(data.num_users, data.num_items, Recency(), num_neighbours=3, max_block_bytes=1),
    }
    for model in models.values():
        model.fit(data)
    models |= {"item_knn": item_knn(), "item_knn_blocks": item_knn(max_block_bytes=1)}
    return {f"{name}/{key}": value for name, model in models.items() for key, value in model.state_dict().items()}


def of_all(directory: Path) -> dict[str, Callable[[], Any]]:
    """Everything above, by name.

    Args:
        directory: for checkpoints; there is one in ``from_one`` that a single process began.
    """
    return {
        "collect": collect,
        "main first": partial(first, directory / "made"),
        **{f"exchange {count}": partial(exchange, count) for count in (1, 4, 5)},
        **{name: partial(training, name, directory) for name in TRAININGS},
        "closed form": closed_form,
        **{f"sharded {name}": partial(sharded, name, directory / "sharded") for name in SHARDED},
        "sharded begun": partial(sharded_begun, directory / "sharded_begun"),
        "sharded resumed": partial(sharded, "mf", directory / "whole_begun", resume=True),
        **{f"evaluated {size}": partial(evaluated, size) for size in (1, 7, 100)},
        "same": partial(same, 0.0),
        "not the same": partial(same, 1.0),
        "resumed": partial(resumed, directory / "from_one"),
        "begun": partial(begun, directory / "from_two"),
    }
