"""How long a search takes. Shape suffixes: B queries, D dimensions."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from recsys.retrieval.types import FloatArray

#: Each batch is searched as often; the fewest seconds count, so that what else the machine does counts little.
REPEATS = 5

#: Batches that are timed, at least if time allows, and at most.
MIN_BATCHES, MAX_BATCHES = 3, 50


def measure_latency_ms(
    search: Callable[[FloatArray], object], queries: FloatArray, batch: int = 1, seconds: float = 2.0
) -> float:
    """Milliseconds for a query: of each batch the fewest of five repeats, of the batches the median.

    Args:
        search: what is timed.
        queries: shape [B, D], at least one batch; they are taken in turn.
        batch: queries that are searched at once.
        seconds: about how long it may take, but for three batches at least.
    """
    started = time.perf_counter()
    search(queries[:batch])  # what is done once is not counted, but tells how many batches there is time for
    one = time.perf_counter() - started
    num_batches = int(np.clip(seconds / (REPEATS * one), MIN_BATCHES, min(MAX_BATCHES, len(queries) // batch)))
    fewest = np.full(num_batches, np.inf)
    for _ in range(REPEATS):
        for place in range(num_batches):
            block = queries[place * batch : (place + 1) * batch]
            started = time.perf_counter()
            search(block)
            fewest[place] = min(fewest[place], time.perf_counter() - started)
    return 1000 * float(np.median(fewest)) / batch
