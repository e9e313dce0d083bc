"""Epochs of NeuMF at the sizes of NVIDIA's NCF, and of MF, on sampled negatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import nn

from on_gpu.epochs import epoch_seconds
from on_gpu.measurement import Measurement
from on_gpu.sizes import Sizes
from on_gpu.synthetic import interactions_of
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF
from recsys.training.losses import BPRLoss, LogisticLoss, NegativesLoss
from recsys.training.negatives import UniformNegatives
from recsys.training.optimizers.adam import Adam
from recsys.training.sampled_negatives import SampledNegativesModule

NEGATIVES = 4
PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}
#: Adam reads the parameter and its two moments and writes them again, each of 4 bytes.
BYTES_OF_ADAM = 6 * 4
#: Two backward products for each forward one.
FORWARD_AND_BACKWARD = 3


def measure_neumf(device: torch.device, sizes: Sizes, compile_step: bool = False) -> Iterator[Measurement]:
    """An epoch in single precision and in bfloat16: samples a second, positives and negatives counted."""
    product, perceptron, hidden = sizes.embedding_dim, sizes.mlp_dim, sizes.hidden_dims
    for precision in PRECISIONS:
        torch.manual_seed(0)
        shape = {"embedding_dim": product, "mlp_embedding_dim": perceptron, "hidden_dims": hidden}
        network = NeuMF(sizes.users, sizes.items, **shape, dropout=0.0)
        module = _module(network, LogisticLoss(), sizes, sizes.samples // (1 + NEGATIVES), NEGATIVES, compile_step)
        operations = partial(neumf_operations, product, perceptron, hidden)
        name = f"{'compiled/neumf_' if compile_step else 'neumf/'}epoch_{precision}"
        yield _measured(name, module, device, precision, product + perceptron, operations)


def measure_mf(device: torch.device, sizes: Sizes, compile_step: bool = False) -> Iterator[Measurement]:
    """An epoch with BPR and one negative, at the default batch and at a large one."""
    for batch_size in (min(2048, sizes.pairs // 2), sizes.pairs):
        torch.manual_seed(0)
        network = MF(sizes.users, sizes.items, embedding_dim=sizes.embedding_dim, biases=False)
        module = _module(network, BPRLoss(), sizes, batch_size, 1, compile_step)
        name = f"{'compiled/mf_' if compile_step else 'mf/'}epoch_batch_{batch_size}"
        operations = partial(mf_operations, sizes.embedding_dim)
        yield _measured(name, module, device, "float32", sizes.embedding_dim, operations)


def measure_compiled(device: torch.device, sizes: Sizes) -> Iterator[Measurement]:
    """The same epochs with the whole step in one compiled region; on a processor, where compiling takes long, of MF."""
    yield from measure_mf(device, sizes, compile_step=True)
    if device.type == "cuda":
        yield from measure_neumf(device, sizes, compile_step=True)


def mf_operations(embedding_dim: int, samples: int, rows: int) -> int:
    """Operations of a step of MF, forward and backward: a product for each sample."""
    return FORWARD_AND_BACKWARD * 2 * embedding_dim * samples


def neumf_operations(embedding_dim: int, mlp_dim: int, hidden_dims: Sequence[int], samples: int, rows: int) -> int:
    """Operations of a step of NeuMF, forward and backward.

    The first layer, ``W [u; i] = W_u u + W_i i``, is needed once for each user and each item of the batch.

    Args:
        embedding_dim: of the product's vectors.
        mlp_dim: of the perceptron's vectors.
        hidden_dims: units of its layers.
        samples: positives and negatives of the step.
        rows: users and items among them.
    """
    layers = sum(2 * units * above for units, above in zip(hidden_dims, [*hidden_dims[1:], 1], strict=True))
    return FORWARD_AND_BACKWARD * (samples * (3 * embedding_dim + layers) + rows * 2 * mlp_dim * hidden_dims[0])


def _module(
    network: nn.Module, loss: NegativesLoss, sizes: Sizes, batch_size: int, negatives: int, compile_step: bool
) -> SampledNegativesModule:
    return SampledNegativesModule(
        network,
        interactions_of(sizes),
        batch_size=max(1, batch_size),
        optimizer=partial(Adam, lr=1e-3, fused=True),
        negative_sampler=UniformNegatives(negatives),
        loss=loss,
        compile_step=compile_step,
    )


def _measured(
    name: str,
    module: SampledNegativesModule,
    device: torch.device,
    precision: str,
    dims: int,
    operations: Callable[[int, int], int],
) -> Measurement:
    """Train and compare with the floor: each row that a step touches is read and written once, with its moments."""
    seconds = epoch_seconds(module, device, PRECISIONS[precision])
    users, items = next(iter(module.steps(next(iter(module.train_dataloader())))))
    rows = len(users.unique()) + len(items.unique())
    steps = len(module.interactions) / module.batch_size
    samples = len(module.interactions) * items.shape[1]
    return Measurement(
        name,
        seconds,
        floor_bytes=steps * rows * dims * BYTES_OF_ADAM + samples * 8,
        floor_operations=steps * operations(items.numel(), rows),
        precision=precision,
        details={"samples_per_second": samples / seconds, "samples": samples, "batch_samples": items.numel()},
    )
