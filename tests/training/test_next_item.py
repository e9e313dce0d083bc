from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError, RecsysError
from recsys.models.interface.protocols import Query, SequenceEncoder
from recsys.models.layers.history_encoders import AttentionEncoder, MeanEncoder, TransformerEncoder
from recsys.models.mf import MF
from recsys.models.two_tower import TwoTower
from recsys.training.fitting import FitReport, fit
from recsys.training.next_item import NextItemModule, windows
from recsys.training.next_item_losses import FullSoftmax, InBatchSoftmax
from recsys.training.optimizers.keeps_rows import KeepsRows
from recsys.training.optimizers.sgd import SGD
from recsys.training.window_packing import PackedPositions
from tests.checkerboard import checkerboard
from tests.training.optimizers.tables import always_by_rows

ADAM = partial(torch.optim.Adam, lr=0.01)


def interactions(timed: bool = True) -> Interactions:
    board, split = checkerboard()
    train = board.take(split.train)
    # In no order of the items: what comes next tells nothing but the colour.
    timestamp = np.random.default_rng(0).permutation(len(train)) if timed else None
    return Interactions(
        train.user_index, train.item_index, None, timestamp, None, num_users=train.num_users, num_items=train.num_items
    )


def network(max_history: int = 50, seed: int = 0) -> TwoTower:
    torch.manual_seed(seed)
    return TwoTower(40, 30, partial(MeanEncoder, hidden_dim=16), embedding_dim=8, max_history=max_history)


def module(data: Interactions | None = None, max_history: int = 50, **options: Any) -> NextItemModule:
    settings = {"batch_size": 8, "optimizer": ADAM, "next_item_loss": FullSoftmax(), "seed": 3} | options
    return NextItemModule(network(max_history), data or interactions(), **settings)


def run(module: NextItemModule, directory: Path, max_epochs: int, **options: Any) -> FitReport:
    trainer = partial(pl.Trainer, accelerator="cpu", devices=1, max_epochs=max_epochs)
    return fit(module, trainer, directory, monitor=None, **options)


def share_of_own_colour(model: TwoTower) -> float:
    """Of what is ranked in the upper half for a user, the share of the user's own colour."""
    histories = Histories.from_interactions(interactions())
    with torch.inference_mode():
        best = model.eval().score_histories(histories).topk(15).indices
    model.train()
    return ((best + torch.arange(40)[:, None]) % 2 == 0).float().mean().item()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(1, 12))
def test_windows_make_each_interaction_a_target_once(counts, max_history):
    offsets = torch.tensor([0, *counts]).cumsum(0)
    histories = Histories(offsets, torch.zeros(int(offsets[-1]), dtype=torch.int64), None, None)
    users, starts, lengths = windows(histories, max_history)
    targets = []
    for user, start, length in zip(users.tolist(), starts.tolist(), lengths.tolist(), strict=True):
        assert length <= max_history + 1
        assert offsets[user] <= start
        assert start + length <= offsets[user + 1]
        goes_on = start > offsets[user]
        targets += range(start + goes_on, start + length)
    assert sorted(targets) == list(range(int(offsets[-1])))


class Recorder(FullSoftmax):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    def forward(self, queries, vectors, targets, users, candidates):
        self.asked += zip(users.tolist(), targets.tolist(), strict=True)
        return super().forward(queries, vectors, targets, users, candidates)


@pytest.mark.parametrize("order", ["time", "random"])
@pytest.mark.parametrize("max_history", [3, 50])
def test_every_interaction_is_a_target_once_an_epoch(order, max_history, tmp_path):
    recorder, data = Recorder(), interactions()
    run(module(data, max_history, next_item_loss=recorder, order=order), tmp_path, max_epochs=1)
    assert sorted(recorder.asked) == sorted(zip(data.user_index.tolist(), data.item_index.tolist(), strict=True))


class Copycat(SequenceEncoder):
    """Puts all trust into the item at a position of the history: it would be right if it saw the target."""

    max_history = 50

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(50.0))

    def item_vectors(self, items=None):
        return torch.eye(30) if items is None else torch.eye(30)[items]

    def encode_windows(self, windows, vectors):
        age = torch.arange(vectors.shape[1])
        seen = (age[:, None] >= age) & (windows.windows[:, :, None] == windows.windows[:, None, :])
        return self.scale * (seen.float() @ (vectors * (windows.places > 0)[..., None]))

    def catalogue(self, item_vectors, items=None):
        return item_vectors

    def score(self, query):
        return torch.zeros(len(query), 30)


@pytest.mark.parametrize("order", ["time", "random"])
def test_the_history_of_a_target_never_holds_it(order, tmp_path):
    class NeverAmongThem(FullSoftmax):
        def forward(self, queries, vectors, targets, users, candidates):
            # A user has no item twice, so the target's own direction must be empty in what is encoded.
            assert (queries[torch.arange(len(targets)), targets] == 0).all()
            assert (queries.sum(1) > 0).any()
            return super().forward(queries, vectors, targets, users, candidates)

    recorder = NextItemModule(Copycat(), interactions(), 8, ADAM, NeverAmongThem(), order=order, seed=1)
    run(recorder, tmp_path, max_epochs=2)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    "loss", [FullSoftmax(), InBatchSoftmax(32, 32), InBatchSoftmax(16, 16, num_hard=2, hard_depth=8)], ids=str
)
def test_recovers_the_checkerboard(timed, loss, tmp_path):
    trained = module(interactions(timed), next_item_loss=loss, batch_size=10)
    before = share_of_own_colour(trained.network)
    run(trained, tmp_path, max_epochs=20)
    assert share_of_own_colour(trained.network) > 0.9 > before + 0.2


def test_untimed_interactions_are_put_into_a_new_order_in_each_epoch():
    untimed = module(interactions(timed=False))
    assert untimed.order == "random"
    assert module().order == "time"


def test_interrupted_and_resumed_training_gives_the_weights_of_an_uninterrupted_one(tmp_path):
    def make() -> NextItemModule:
        return module(interactions(timed=False), next_item_loss=InBatchSoftmax(16, 16, num_hard=2, hard_depth=5))

    whole, resumed = make(), make()
    run(whole, tmp_path / "whole", max_epochs=4)
    run(make(), tmp_path / "parts", max_epochs=2)
    (tmp_path / "parts" / "fit.json").unlink()
    run(resumed, tmp_path / "parts", max_epochs=4, resume=True)
    for name, weight in whole.network.state_dict().items():
        assert weight.equal(resumed.network.state_dict()[name]), name


def test_items_without_training_are_known_as_such(tmp_path):
    data = interactions()
    data = data.take(data.item_index != 7)
    trained = module(data)
    run(trained, tmp_path, max_epochs=1)
    assert trained.network.items.is_trained.nonzero()[:, 0].tolist() == [item for item in range(30) if item != 7]


def test_time_order_needs_timestamps():
    with pytest.raises(RecsysError, match="order=time needs interactions with timestamps"):
        module(interactions(timed=False), order="time")


def test_an_unknown_order_is_refused():
    with pytest.raises(RecsysError, match="must be null, time or random, but it is newest"):
        module(order="newest")


def test_a_model_without_histories_is_refused():
    with pytest.raises(ModelError, match="needs a model that is SequenceEncoder, but MF is not"):
        NextItemModule(MF(40, 30), interactions(), 8, ADAM, FullSoftmax())


def reference_loss(trained: NextItemModule, batch: PackedPositions) -> torch.Tensor:
    """The mean over the targets of a batch, each predicted from a history of its own."""
    encoder, histories = trained.network, trained._histories
    first = histories.offsets[batch.target_users]
    scores = []
    for user, start, stop in zip(batch.target_users.tolist(), first.tolist(), batch.targets.tolist(), strict=True):
        rows = slice(max(start, stop - encoder.max_history), stop)
        length = torch.tensor([0, rows.stop - rows.start])
        own = Histories(length, *(None if part is None else part[rows] for part in columns_of(histories)))
        scores.append(encoder.score(Query(torch.tensor([user]), own))[0])
    return functional.cross_entropy(torch.stack(scores), histories.items[batch.targets])


def columns_of(histories: Histories) -> tuple[torch.Tensor | None, ...]:
    return histories.items, histories.rating, histories.timestamp


@pytest.mark.parametrize("encoder", [MeanEncoder, AttentionEncoder, TransformerEncoder])
@pytest.mark.parametrize("settings", [{}, {"time_gaps": True, "user_ids": True}])
def test_packed_windows_have_the_loss_of_histories_that_are_encoded_one_by_one(encoder, settings):
    torch.manual_seed(0)
    model = TwoTower(40, 30, partial(encoder, hidden_dim=16), embedding_dim=8, dropout=0.0, id_dropout=0.0, **settings)
    trained = NextItemModule(model, interactions(), 8, ADAM, FullSoftmax(), seed=3)
    (rows,) = list(trained.train_dataloader())
    trained.begin_epoch()
    batch = next(iter(trained.steps(rows)))
    torch.testing.assert_close(trained.loss(batch), reference_loss(trained, batch))


def test_where_a_catalogue_is_large_only_the_items_of_the_batch_are_encoded_with_the_same_loss():
    def seeded(**options):
        torch.manual_seed(0)
        return MeanEncoder(hidden_dim=16, **options)

    board, losses = interactions(), []
    for num_items in (3000, 30):
        model = TwoTower(40, num_items, seeded, embedding_dim=8, dropout=0, id_dropout=0)
        with torch.no_grad():
            model.items.ids.weight.copy_(torch.linspace(-1, 1, 3000 * 8).view(3000, 8)[:num_items])
        encoded = []
        model.items.register_forward_pre_hook(lambda module, given, asked=encoded: asked.append(given[0]))
        data = Interactions(board.user_index, board.item_index, None, board.timestamp, None, 40, num_items)
        trained = NextItemModule(model, data, 8, ADAM, InBatchSoftmax(8, 8), seed=3)
        (rows,) = list(trained.train_dataloader())
        trained.begin_epoch()
        losses.append(trained.loss(next(iter(trained.steps(rows)))))
        assert (encoded[0] is None) == (num_items == 30)
    torch.testing.assert_close(*losses)


def test_touched_rows_of_ids_and_biases_end_as_those_of_whole_tables(monkeypatch):
    always_by_rows(monkeypatch)
    board = interactions()
    data = Interactions(board.user_index, board.item_index, None, board.timestamp, None, 40, 3000)

    def trained(optimizer_class) -> tuple[TwoTower, list[bool]]:
        torch.manual_seed(0)
        model = TwoTower(40, 3000, partial(MeanEncoder, hidden_dim=16), embedding_dim=8, dropout=0.0)
        made = NextItemModule(model, data, 8, partial(optimizer_class, lr=0.1, momentum=0.9), InBatchSoftmax(8, 8))
        optimizer = made.configure_optimizers()
        if isinstance(optimizer, KeepsRows):
            for table in made.row_tables():
                optimizer.keep(table)
        (rows,) = list(made.train_dataloader())
        made.begin_epoch()
        for batch in made.steps(rows):
            optimizer.zero_grad()
            made.loss(batch).backward()
            optimizer.step()
        sparse = [weight.grad.is_sparse for weight in (model.items.ids.weight, model.item_bias.weight)]
        if isinstance(optimizer, KeepsRows):
            optimizer.release()
        return model, sparse

    (ours, by_rows), (theirs, whole) = trained(SGD), trained(torch.optim.SGD)
    assert by_rows == [True, True] and whole == [False, False]
    for name, weight in ours.state_dict().items():
        torch.testing.assert_close(weight, theirs.state_dict()[name])
