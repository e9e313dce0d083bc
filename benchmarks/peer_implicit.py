"""Alternating least squares of implicit, in an environment of its own; called by ``implicit_speed.py``.

Reads a request as JSON on standard input: the path of an ``.npz`` file with ``users``, ``items`` and ``sizes``, where
to write the factors, the number of threads and the settings. Prints a report as JSON.
"""

import json
import sys
import time

import implicit
import numpy as np
import scipy.sparse
from threadpoolctl import threadpool_limits


def main() -> None:
    """Fit once."""
    request = json.load(sys.stdin)
    table = np.load(request["path"])
    ones = np.ones(len(table["users"]), dtype=np.float32)
    matrix = scipy.sparse.csr_matrix((ones, (table["users"], table["items"])), shape=tuple(table["sizes"]))
    seconds = []
    model = implicit.cpu.als.AlternatingLeastSquares(num_threads=request["threads"], **request["settings"])
    model.fit_callback = lambda iteration, elapsed, *_: seconds.append(elapsed)
    with threadpool_limits(limits=1, user_api="blas"):  # implicit's own advice: its threads are those over rows
        started = time.perf_counter()
        model.fit(matrix, show_progress=False)
        whole = time.perf_counter() - started
    np.savez(request["factors"], users=model.user_factors, items=model.item_factors)
    print(json.dumps({"iterations": seconds, "whole": whole}))


if __name__ == "__main__":
    main()
