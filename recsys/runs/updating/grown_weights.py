"""Weights of a model for more users and items: what was learnt stays where it is, and new rows are added.

Shape suffixes: D dim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from recsys.errors import ModelError
from recsys.models.layers.feature_embedding import FeatureEmbedding
from recsys.runs.updating.update_settings import NewRows

#: Modules with a vector for each user, item or value of a feature.
_TABLES = (nn.Embedding, FeatureEmbedding)


@torch.no_grad()
def grow(earlier: nn.Module, model: nn.Module, new_rows: NewRows = "fresh") -> None:
    """Give ``model`` the weights of ``earlier``, a model of the same settings for the first of its users and items.

    A tensor of the same shape is copied. Of one with more rows the first are: indices do not move. Embeddings of the
    values of features are copied by value, since new values stand among the known ones. All other rows stay as they
    are in ``model``, or get the mean of the known ones.

    Args:
        earlier: with the weights.
        model: a fresh one.
        new_rows: how rows of new users and items start.

    Raises:
        ModelError: the models do not have the same parts.
    """
    known, state = earlier.state_dict(), model.state_dict()
    if known.keys() != state.keys():
        differing = ", ".join(sorted(known.keys() ^ state.keys())[:3])
        raise ModelError(
            f"The updated model must have the parts of the earlier one, but they differ in {differing}. Features that "
            "were added or taken away need a model that is trained anew."
        )
    places = _places_of_values(earlier, model)
    for name, tensor in state.items():
        source, rows = known[name], places.get(name)
        if rows is not None:
            tensor[rows[1]] = source[rows[0]]
        elif source.shape == tensor.shape:
            tensor.copy_(source)
        elif source.ndim == tensor.ndim > 0 and source.shape[1:] == tensor.shape[1:] and len(source) < len(tensor):
            tensor[: len(source)] = source
            if new_rows == "mean" and len(source) > 0 and tensor.is_floating_point():
                tensor[len(source) :] = source.mean(0)
        else:
            raise ModelError(
                f"{name} of the earlier model has shape {list(source.shape)}, and cannot become one of shape "
                f"{list(tensor.shape)}. Train a new model."
            )


def learned_matrices(model: nn.Module, tables_alone: bool = False) -> dict[str, Tensor]:
    """Copies of the vectors and matrices that ``model`` learns; biases are not among them.

    Args:
        model: a fresh one.
        tables_alone: only the tables that have a vector for each user, item or value of a feature.
    """
    modules = [(f"{name}.", module) for name, module in model.named_modules() if isinstance(module, _TABLES)]
    parts = modules if tables_alone else [("", model)]
    return {
        f"{name}{of_part}": parameter.detach().clone()
        for name, part in parts
        for of_part, parameter in part.named_parameters()
        if parameter.requires_grad and parameter.ndim > 1 and parameter.shape[-1] > 1
    }


@torch.no_grad()
def shrink(model: nn.Module, fresh: Mapping[str, Tensor], share: float) -> None:
    """Move what a model has learnt a part of the way back to a fresh model, in place.

    A network that goes on from its weights ends at a worse place than one that begins anew, unless it is shrunk and
    perturbed first: Ash and Adams, On Warm-Starting Neural Network Training, NeurIPS 2020.

    Args:
        model: grown from an earlier one.
        fresh: its :func:`learned_matrices` before it was.
        share: of the way; 0 changes nothing.
    """
    parameters = dict(model.named_parameters())
    for name, start in fresh.items():
        parameters[name].lerp_(start, share)


def grown_optimizer_state(optimizer: Mapping[str, Any], earlier: nn.Module, model: nn.Module) -> dict[str, Any]:
    """The state of an optimiser in PyTorch's form for the parameters of ``model``, zeros where rows were added.

    Args:
        optimizer: state for the parameters of ``earlier``.
        earlier: for which it was.
        model: grown from it.
    """
    places = _places_of_values(earlier, model)
    grown: dict[int, Any] = {}
    shapes = [(name, parameter.shape) for name, parameter in model.named_parameters()]
    before = [parameter.shape for parameter in earlier.parameters()]
    for number, entries in optimizer["state"].items():
        name, shape = shapes[number]
        grown[number] = {
            key: _grown_entry(value, before[number], shape, places.get(name)) for key, value in entries.items()
        }
    return {"state": grown, "param_groups": optimizer["param_groups"]}


def _grown_entry(value: Any, before: torch.Size, shape: torch.Size, rows: tuple[Tensor, Tensor] | None) -> Any:
    if not isinstance(value, Tensor) or value.shape != before or (before == shape and rows is None):
        return value
    grown = value.new_zeros(shape)
    if rows is not None:
        grown[rows[1]] = value[rows[0]]
    else:
        grown[: len(value)] = value
    return grown


def _places_of_values(earlier: nn.Module, model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Of tables of feature values, by name: rows in ``earlier`` of values that both know, and where they stand now."""
    parts, places = dict(earlier.named_modules()), {}
    for name, module in model.named_modules():
        before = parts.get(name)
        if not isinstance(module, FeatureEmbedding) or not isinstance(before, FeatureEmbedding):
            continue
        for number, (old, new) in enumerate(zip(before.described, module.described, strict=True)):
            if old.vocabulary is not None and new.vocabulary is not None:
                places[f"{name}.tables.{number}"] = _common(old.vocabulary, new.vocabulary)
    return places


def _common(old: Sequence[str], new: Sequence[str]) -> tuple[Tensor, Tensor]:
    place = {value: row for row, value in enumerate(new)}
    pairs = [(row, place[value]) for row, value in enumerate(old) if value in place]
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    return torch.tensor(first, dtype=torch.int64), torch.tensor(second, dtype=torch.int64)
