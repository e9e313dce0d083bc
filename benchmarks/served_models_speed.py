"""Measures how long the ONNX query encoder of each model takes for one user, beside the model in PyTorch.

::

    python benchmarks/served_models_speed.py --output benchmarks/results/served_models_speed.md

The data are made: items are drawn with a probability of ``rank ** -0.8``, the lengths of histories from a log-normal
distribution between 20 and 800. Models have their default settings, and are fitted for as few steps as they allow,
since time does not depend on it.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from results_file import write_results
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.export.onnx_export import export_encoder, export_ranker
from recsys.models.bayesian_mf import BayesianMF
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Cosine
from recsys.models.components.weightings import Unweighted
from recsys.models.ease import EASE
from recsys.models.hybrid import Hybrid
from recsys.models.ials import IALS
from recsys.models.interface.protocols import Query
from recsys.models.item_knn import ItemKNN
from recsys.models.layers.history_encoders import TransformerEncoder
from recsys.models.layers.ranker_networks import ResidualNetwork
from recsys.models.neumf import NeuMF
from recsys.models.nmf import NMF
from recsys.models.onnx.onnx_query import OnnxQuery
from recsys.models.popularity import Popularity
from recsys.models.pure_svd import PureSVD
from recsys.models.svd_pp import SVDpp
from recsys.models.two_tower import TwoTower
from recsys.models.user_knn import UserKNN
from recsys.runtime.onnx_inputs import CANDIDATES, QUERY_INPUTS

LENGTHS = (20, 165, 500)
NUM_CANDIDATES = 200
NEIGHBOURS = {"similarity": Cosine(), "weighting": Unweighted(), "recency": Recency()}
SOURCES = {
    "ease": partial(EASE, recency=Recency()),
    "ials": partial(IALS, iterations=2),
    "item_knn": partial(ItemKNN, **NEIGHBOURS),
    "popularity": Popularity,
}
MODELS: dict[str, Callable[..., nn.Module]] = {
    "ease": SOURCES["ease"],
    "item_knn": SOURCES["item_knn"],
    "user_knn": partial(UserKNN, **NEIGHBOURS),
    "ials": SOURCES["ials"],
    "pure_svd": PureSVD,
    "nmf": partial(NMF, iterations=10),
    "two_tower": partial(TwoTower, encoder=TransformerEncoder),
    "neumf": NeuMF,
    "svd_pp": partial(SVDpp, epochs=1),
    "bayesian_mf": partial(BayesianMF, burn_in=1),
    "hybrid": partial(Hybrid, sources=SOURCES, ranker=ResidualNetwork, ranks=False, attributes=False),
}


def made_interactions(num_users: int, num_items: int) -> Interactions:
    """Popular and rare items, short and long histories; see the module."""
    generator = np.random.default_rng(0)
    chances = np.arange(1, num_items + 1) ** -0.8
    lengths = np.clip(generator.lognormal(4.5, 0.9, num_users), 20, min(800, num_items)).astype(int)
    chosen = [generator.choice(num_items, length, replace=False, p=chances / chances.sum()) for length in lengths]
    items = np.concatenate(chosen).astype(np.int32)
    users = np.repeat(np.arange(num_users), lengths).astype(np.int32)
    ratings = generator.integers(1, 6, len(items)).astype(np.float32)
    return Interactions(users, items, ratings, np.arange(len(items)) * 1_000, None, num_users, num_items)


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """The fastest tenth of ``repeats`` calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return float(np.quantile(seconds, 0.1)) * 1_000


def asked(length: int, num_items: int, user: int) -> tuple[Query, dict[str, Tensor]]:
    """One user with a history, as a model is asked and as ONNX Runtime is."""
    items = torch.randperm(num_items, generator=torch.Generator().manual_seed(length))[:length]
    ratings, times = torch.full((length,), 4.0), torch.arange(length) * 1_000
    query = Query(torch.tensor([user]), Histories(torch.tensor([0, length]), items, ratings, times))
    served = OnnxQuery(query.users, items[None], ratings[None], times[None])
    return query, dict(zip(QUERY_INPUTS, served[:4], strict=True))


def measured(name: str, data: Interactions, repeats: int) -> str:
    """A row of the table."""
    model = MODELS[name](num_users=data.num_users, num_items=data.num_items).eval()
    if isinstance(model, Hybrid):
        for source in model.source_models().values():
            source.fit(data)  # type: ignore[operator]
        model.observe_training(data)
    elif hasattr(model, "fit"):
        model.fit(data)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    is_ranker = isinstance(model, Hybrid)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        if isinstance(model, Hybrid):
            export_ranker(model.serving_ranker(), path)
        else:
            export_encoder(model.serving_form().encoder, path)  # type: ignore[operator]
        session = onnxruntime.InferenceSession(path, options)
    candidates = torch.randperm(data.num_items, generator=torch.Generator().manual_seed(1))[None, :NUM_CANDIDATES]
    cells = []
    # A model of ratings has a table of the users of the training; the work is with the others.
    user = -1 if name in ("svd_pp", "bayesian_mf") else 3
    for length in LENGTHS:
        query, onnx_inputs = asked(length, data.num_items, user)
        if is_ranker:
            onnx_inputs[CANDIDATES] = candidates
        arrays = {key: value.numpy() for key, value in onnx_inputs.items()}
        with torch.inference_mode():
            in_torch = milliseconds(lambda query=query: model.score(query), max(3, repeats // 4))  # type: ignore[operator]
        cells.append(f"{milliseconds(lambda arrays=arrays: session.run(None, arrays), repeats):.2f} ({in_torch:.1f})")
    kind = f"ranks {NUM_CANDIDATES}" if is_ranker else "encodes"
    return f"| `{name}` | {kind} | " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1_500)
    parser.add_argument("--items", type=int, default=3_700)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = made_interactions(arguments.users, arguments.items)
    lines = [
        "# Served models: milliseconds for one user",
        "",
        f"{arguments.users:,} made users and {arguments.items:,} items, default settings, {platform.machine()}, one "
        f"thread, onnxruntime {onnxruntime.__version__}; in brackets the scores of the whole catalogue by the same "
        f"model in torch {torch.__version__}. The fastest tenth of {arguments.repeats} calls, on a machine that others "
        f"used as well. The hybrid has the sources {', '.join(SOURCES)}.",
        "",
        "`python benchmarks/served_models_speed.py --output benchmarks/results/served_models_speed.md`",
        "",
        "| model | does | " + " | ".join(f"history of {length}" for length in LENGTHS) + " |",
        "|---|---|" + "---|" * len(LENGTHS),
    ]
    for name in arguments.models:
        lines.append(measured(name, data, arguments.repeats))
        print(lines[-1], flush=True)
    write_results("\n".join(lines) + "\n", arguments.output)


if __name__ == "__main__":
    main()
