"""A step of the optimiser as one compiled region: loss, gradients and update.

Elsewhere each operator of a step is a call of its own, and a GPU waits for the next one whenever it is done before the
host has made it. One region is traced once: operators are joined into few kernels, and on a GPU these are recorded as
a CUDA graph, which the host starts as a whole. Every row of every table is updated: a region whose shapes are the same
in each step cannot leave rows out.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from recsys.errors import SettingsError
from recsys.training.optimizers.keeps_rows import KeepsRows

#: ``auto``: where a GPU computes and can be compiled for.
CompileStep = Literal["auto"] | bool

#: Whether this PyTorch can trace gradients into a region.
_TRACES_GRADIENTS = "trace_autograd_ops"

#: Settings of an optimiser that are others while a step is traced.
_NOT_TRACED = ("lr", "fused")


def obstacle_to_compiling(device: torch.device) -> str | None:
    """Why no step can be compiled for a device here, as a clause; None where one can."""
    if not hasattr(torch._dynamo.config, _TRACES_GRADIENTS):
        return f"PyTorch {torch.__version__} cannot trace gradients, which takes 2.10 or later"
    if device.type == "cuda":
        return None if find_spec("triton") is not None else "Triton, which compiles for a GPU, is not installed"
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        return "there is no C++ compiler (g++) on the path"
    return None


def compiles_step(setting: CompileStep, device: torch.device, by_rows: bool) -> bool:
    """Whether steps are compiled.

    Args:
        setting: ``auto``, or what is asked for.
        device: where the steps are taken.
        by_rows: whether updating the touched rows of a table alone costs less than all of them.

    Raises:
        SettingsError: it is asked for, and cannot be done here.
    """
    if setting is False:
        return False
    obstacle = obstacle_to_compiling(device)
    if setting == "auto":
        return device.type == "cuda" and obstacle is None and not by_rows
    if obstacle is not None:
        raise SettingsError(
            f"training.compile_step=true asks for steps that are compiled, but {obstacle}. Install it, or set "
            "training.compile_step=false."
        )
    return True


class CompiledStep:
    """Takes steps on batches of one shape in a compiled region; on batches of other shapes operator by operator.

    Args:
        loss: the loss of a batch of tensors, a scalar.
        optimizer: takes the steps.
        otherwise: is told why a loss cannot be compiled, and steps go on operator by operator; None: that is an error.
    """

    def __init__(
        self,
        loss: Callable[[tuple[Tensor, ...]], Tensor],
        optimizer: Optimizer,
        otherwise: Callable[[str], None] | None = None,
    ) -> None:
        self._loss, self._optimizer, self._otherwise = loss, optimizer, otherwise
        self._parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        self._on_gpu = any(parameter.is_cuda for parameter in self._parameters)
        # As numbers they would be constants of the region, which would be compiled again for each rate of a schedule.
        device = self._parameters[0].device
        self._rates = [torch.tensor(float(group["lr"]), device=device) for group in optimizer.param_groups]
        self._known_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self._shapes: list[torch.Size] | None = None
        self._given_up = False
        mode = "reduce-overhead" if self._on_gpu else None
        self._compiled = torch.compile(self._step, fullgraph=True, dynamic=False, mode=mode)
        self._update = _plain_step(type(optimizer))

    def __call__(self, batch: Sequence[Tensor]) -> Tensor:
        """Take a step; returns its loss, which is valid until the next one.

        Raises:
            SettingsError: the loss cannot be compiled, and nothing is said of ``otherwise``.
        """
        shapes = [tensor.shape for tensor in batch]
        if self._shapes is None:
            self._shapes = shapes
            return self._first_step(batch)
        for parameter, grad in zip(self._parameters, self._grads, strict=True):
            if parameter.grad is not grad:  # whoever runs the training may have cleared them
                parameter.grad = grad
        if shapes != self._shapes or self._given_up:
            return self._step(*batch)
        try:
            with self._traceable_settings(), torch._dynamo.config.patch({_TRACES_GRADIENTS: True}):
                loss: Tensor = self._compiled(*batch)
        except RuntimeError as error:
            if not _is_of_the_compiler(error):
                raise
            self._give_up(error)
            loss = self._step(*batch)  # nothing has been computed yet
        return loss

    @contextmanager
    def _traceable_settings(self) -> Iterator[None]:
        """The optimiser's settings in a form that can be traced, and afterwards as they were.

        Rates are tensors. PyTorch's own fused loop is off: the compiler makes one itself.
        """
        groups = self._optimizer.param_groups
        kept: list[dict[str, Any]] = [{name: group[name] for name in _NOT_TRACED if name in group} for group in groups]
        for place, (group, rate) in enumerate(zip(groups, self._rates, strict=True)):
            if self._known_rates[place] != group["lr"]:
                self._known_rates[place] = float(group["lr"])
                rate.fill_(group["lr"])
            group["lr"] = rate
            if group.get("fused"):
                group["fused"] = False
        try:
            yield
        finally:
            for group, before in zip(groups, kept, strict=True):
                group.update(before)

    def _give_up(self, error: RuntimeError) -> None:
        reason = str(error).strip().splitlines()[0]
        if self._otherwise is None:
            raise SettingsError(
                f"training.compile_step=true asks for steps that are compiled, but PyTorch cannot compile these "
                f"({reason}). Set training.compile_step=false."
            ) from error
        self._otherwise(f"steps are not compiled: PyTorch cannot compile these ({reason})")
        self._given_up = True

    def _first_step(self, batch: Sequence[Tensor]) -> Tensor:
        """Makes what the region goes on with: the optimiser's state, and a place for each gradient."""
        if self._on_gpu:  # where the steps are counted on the device, a CUDA graph can count them
            for group in self._optimizer.param_groups:
                if "capturable" in group:
                    group["capturable"] = True
            for parameter, state in self._optimizer.state.items():
                if "step" in state:
                    state["step"] = state["step"].to(parameter.device)
        loss = self._loss(tuple(batch))
        grads = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        for parameter, grad in zip(self._parameters, grads, strict=True):
            parameter.grad = grad
        self._parameters = [parameter for parameter in self._parameters if parameter.grad is not None]
        self._grads = [grad for grad in grads if grad is not None]
        self._optimizer.step()
        return loss.detach()

    def _step(self, *batch: Tensor) -> Tensor:
        loss = self._loss(batch)
        grads = torch.autograd.grad(loss, self._parameters)
        with torch.no_grad():
            for place, grad in zip(self._grads, grads, strict=True):
                place.copy_(grad)
            self._update(self._optimizer)
        return loss.detach()


def _is_of_the_compiler(error: RuntimeError) -> bool:
    from torch._dynamo.exc import TorchDynamoException
    from torch._inductor.exc import InductorError

    return isinstance(error, TorchDynamoException | InductorError)


def _plain_step(optimizer: type[Optimizer]) -> Callable[[Optimizer], Any]:
    """The step of PyTorch's own class, without what it is wrapped in for hooks and profiles, which cannot be traced."""
    own = next(base for base in optimizer.__mro__ if "step" in vars(base) and not issubclass(base, KeepsRows))
    plain: Callable[[Optimizer], Any] = inspect.unwrap(vars(own)["step"])
    return plain
