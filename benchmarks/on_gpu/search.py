"""A search for the nearest of many vectors, by FAISS on the GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from on_gpu.measurement import Measurement, seconds_of
from on_gpu.sizes import Sizes
from recsys.retrieval.faiss_index import FaissIndex

CANDIDATES = 100
REPEATS = 20


def measure_search(device: torch.device, sizes: Sizes) -> Iterator[Measurement]:
    """Exact search for a batch of queries, and search in lists where there are enough vectors for them."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((sizes.vectors, sizes.embedding_dim), np.float32)
    queries = random.standard_normal((sizes.queries, sizes.embedding_dim), np.float32)
    for factory in ("Flat", "IVF1024,Flat") if sizes.vectors >= 2**16 else ("Flat",):
        index = FaissIndex.build(vectors, factory, gpu=device.type == "cuda")
        seconds = seconds_of(lambda: index.search(queries, CANDIDATES), device, REPEATS)  # noqa: B023
        # In lists a search looks at a part of the vectors: a sixteenth of them unless it is told otherwise.
        share = 1 if factory == "Flat" else index.search_effort / index.max_search_effort
        yield Measurement(
            f"search/{factory.split(',')[0].lower()}",
            seconds,
            floor_bytes=4 * vectors.size * share,
            floor_operations=2 * sizes.queries * vectors.size * share,
            details={"vectors": sizes.vectors, "queries_per_second": sizes.queries / seconds},
        )
