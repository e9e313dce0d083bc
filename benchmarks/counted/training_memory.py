"""Counts the bytes that an interaction takes while a model is trained on sampled negatives, without the model's own.

What grows with the interactions is told from what does not by two sizes, each in a process of its own::

    python benchmarks/counts.py train/bytes_per_interaction
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # where it runs alone

from counted.interactions_file import write_interactions  # noqa: E402
from counted.process_memory import PROMPT_ALLOCATORS, watch_memory  # noqa: E402

#: Interactions of the two sizes.
SIZES = (500_000, 2_000_000)
_NUM_ITEMS = 5_000
_RAW_FILE = "interactions.parquet"


def bytes_per_interaction() -> float:
    """Bytes that each further interaction adds to the peak of the process, from the raw file to the evaluation.

    Mapped files are left out: they belong to the page cache, and the machine takes them back when memory runs short.
    """
    return _slope("own_bytes")


def device_bytes_per_interaction() -> float:
    """Bytes of tensors that each further interaction adds while an epoch runs: positives, their order, validation."""
    return _slope("tensor_bytes")


def _slope(count: str) -> float:
    small, large = (_counted(size) for size in SIZES)
    return (large[count] - small[count]) / (large["interactions"] - small["interactions"])


@cache
def _counted(size: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as directory:
        written = write_interactions(Path(directory, _RAW_FILE), size, _NUM_ITEMS)
        errors = Path(directory, "errors")
        with errors.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, __file__, directory],
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                env=os.environ | PROMPT_ALLOCATORS,
            )
            own_bytes = watch_memory(process).own
        assert process.stdout is not None
        with process.stdout:
            printed = process.stdout.read()
        if process.returncode != 0:
            raise RuntimeError(f"counting with {size:,} interactions failed: {errors.read_text()[-2000:]}")
        tensor_bytes = int(printed.splitlines()[-1])
        return {"interactions": written, "own_bytes": own_bytes, "tensor_bytes": tensor_bytes}


def _train(directory: str) -> int:
    """Prepare, split, take the first rows of an epoch and make the tasks of validation and test, as train.py does.

    Args:
        directory: with the raw file.

    Returns:
        Bytes of the tensors that there are while an epoch runs.
    """
    import torch
    from hydra.utils import instantiate

    from recsys.cli.configuration import compose_config
    from recsys.data import user_items
    from recsys.evaluation.ranking_task import RankingTask
    from recsys.runs.assembly import build_data, build_model, build_view
    from recsys.runs.fit_plan import fit_plan

    torch.set_num_threads(1)
    # The table of all pairs, and the users of pairs on the CPU, are for small data alone, with bounds of their own.
    user_items.MAX_TABLE_PAIRS = user_items.MAX_LISTED_PAIRS = 0
    config = compose_config(
        "train",
        ["model=mf", "model.embedding_dim=1", "data=table", f"data.interactions={directory}/{_RAW_FILE}"]
        + ["name=counted", f"paths.prepared_dir={directory}/prepared"],
    )
    prepared = build_data(config, on_prepared=lambda prepared: None)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    split = fit_plan(config, view.interactions, model).checked
    train = view.training_interactions(split.train, rates=False)
    module = instantiate(config.training)(network=model, interactions=train)
    before = _tensor_bytes()
    rows = iter(module.train_dataloader())
    module.begin_epoch()
    module.prepare_rows(next(rows))
    validation = RankingTask.from_split(view.interactions, split, "valid", positive=view.positive)
    validation.query(validation.users[:1])
    tensor_bytes = _tensor_bytes() - before
    del rows, module, validation, train
    test = RankingTask.from_split(view.interactions, split, "test", positive=view.positive)
    test.query(test.users[:1])
    return tensor_bytes


def _tensor_bytes() -> int:
    """Bytes of all tensors that are alive; those that share memory count once."""
    import torch

    gc.collect()
    storages: dict[int, Any] = {}
    for thing in gc.get_objects():
        if type(thing) is torch.Tensor:
            storage = thing.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


if __name__ == "__main__":
    print(_train(sys.argv[1]))
