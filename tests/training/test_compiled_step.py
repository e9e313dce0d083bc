from functools import partial

import pytest
import torch
from torch import nn

from recsys.errors import SettingsError
from recsys.training import compiled_step
from recsys.training.compiled_step import CompiledStep, compiles_step, obstacle_to_compiling
from recsys.training.losses import LogisticLoss
from recsys.training.optimizers.adam import Adam
from tests.training.recipes import mf, run, sampled

CPU, GPU = torch.device("cpu"), torch.device("cuda")

needs_compiler = pytest.mark.skipif(
    obstacle_to_compiling(CPU) is not None, reason=f"steps cannot be compiled here: {obstacle_to_compiling(CPU)}"
)


def compiles(test):
    """A test that compiles: whatever the compiler warns of is not for us."""
    return needs_compiler(pytest.mark.filterwarnings("ignore")(test))


@pytest.fixture(autouse=True)
def compiler_as_before():
    """Leaves nothing compiled behind: the export of models traces them with the same machinery."""
    yield
    torch._dynamo.reset()


@pytest.fixture
def machine(monkeypatch):
    """Sets what the machine has: a compiler for C++, Triton."""

    def has(gcc=True, triton=True):
        monkeypatch.setattr(compiled_step.shutil, "which", lambda name: "/bin/g++" if gcc else None)
        monkeypatch.setattr(compiled_step, "find_spec", lambda name: object() if triton else None)

    return has


@pytest.mark.parametrize(
    ("setting", "device", "by_rows", "expected"),
    [
        ("auto", CPU, False, False),
        ("auto", GPU, False, True),
        ("auto", GPU, True, False),
        (True, CPU, True, True),
        (True, GPU, True, True),
        (False, GPU, False, False),
    ],
)
def test_steps_are_compiled_on_a_gpu_or_where_it_is_asked_for(machine, setting, device, by_rows, expected):
    machine()
    assert compiles_step(setting, device, by_rows) is expected


def test_what_is_missing_is_named_where_it_is_asked_for(machine, monkeypatch):
    machine(gcc=False, triton=False)
    assert not compiles_step("auto", GPU, False)
    with pytest.raises(SettingsError, match=r"Triton, which compiles for a GPU, is not installed.*compile_step=false"):
        compiles_step(True, GPU, False)
    with pytest.raises(SettingsError, match=r"there is no C\+\+ compiler \(g\+\+\) on the path"):
        compiles_step(True, CPU, False)
    monkeypatch.setattr(compiled_step, "_TRACES_GRADIENTS", "no_such_setting")
    with pytest.raises(SettingsError, match="cannot trace gradients"):
        compiles_step(True, CPU, False)


@compiles
def test_a_compiled_training_gives_the_same_weights(tmp_path):
    weights, losses = [], []
    for compile_step in (False, True):
        optimizer = partial(Adam, lr=0.02, fused=True)  # as it is by default
        module = sampled(mf(), compile_step=compile_step, optimizer=optimizer, loss=LogisticLoss(), validation=None)
        scheduled = partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5)
        module._scheduler = scheduled
        report = run(module, tmp_path / str(compile_step), max_epochs=3, monitor=None)
        weights.append(list(module.network.parameters()))
        losses.append([epoch["train/loss"] for epoch in report.epochs])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for plain, compiled in zip(*weights, strict=True):
        torch.testing.assert_close(compiled, plain, rtol=1e-4, atol=1e-5)


class Quadratic(nn.Module):
    """A parameter that is drawn to the batch, and one that no loss reads."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(3))
        self.unread = nn.Parameter(torch.ones(2))

    def loss(self, batch):
        return (self.place - batch[0]).square().mean()


class Unsteady(Quadratic):
    """Its loss cannot be one region."""

    def loss(self, batch):
        torch._dynamo.graph_break()
        return super().loss(batch)


BATCHES = [(torch.full((size, 3), float(number)),) for number, size in enumerate((4, 4, 4, 2, 4))]


def places(network, step):
    found = []
    for batch in BATCHES:
        step(batch)
        found.append(network.place.detach().clone())
    return torch.stack(found)


def by_operators():
    network = Quadratic()
    optimizer = Adam(network.parameters(), lr=0.1)

    def step(batch):
        optimizer.zero_grad()
        network.loss(batch).backward()
        optimizer.step()

    return places(network, step)


@compiles
def test_batches_of_another_shape_are_taken_operator_by_operator():
    network = Quadratic()
    step = CompiledStep(network.loss, Adam(network.parameters(), lr=0.1))
    torch.testing.assert_close(places(network, step), by_operators())
    assert network.unread.tolist() == [1, 1]


def test_what_cannot_be_compiled_goes_on_or_is_an_error():
    network, said = Unsteady(), []
    step = CompiledStep(network.loss, Adam(network.parameters(), lr=0.1), said.append)
    torch.testing.assert_close(places(network, step), by_operators())
    assert len(said) == 1 and "steps are not compiled: PyTorch cannot compile these (" in said[0]
    step = CompiledStep(network.loss, Adam(network.parameters(), lr=0.1))
    step(BATCHES[0])
    with pytest.raises(SettingsError, match=r"PyTorch cannot compile these \(.*Set training.compile_step=false"):
        step(BATCHES[1])


def test_the_rate_of_a_group_stays_a_number():
    network = Unsteady()
    optimizer = Adam(network.parameters(), lr=0.1)
    places(network, CompiledStep(network.loss, optimizer, lambda reason: None))
    assert optimizer.param_groups[0]["lr"] == 0.1 and isinstance(optimizer.param_groups[0]["lr"], float)
