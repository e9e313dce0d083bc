"""BPR of implicit, in an environment of its own; called by ``bpr_speed.py``.

Reads a request as JSON on standard input: the path of an ``.npz`` file with ``users``, ``items`` and ``sizes``, where
to write the factors, and the settings. Prints the seconds of the processor for each epoch as JSON.
"""

import json
import sys
import time

import numpy as np
import scipy.sparse
from implicit.cpu.bpr import BayesianPersonalizedRanking


def main() -> None:
    """Fit once, with a single thread."""
    request = json.load(sys.stdin)
    table = np.load(request["path"])
    ones = np.ones(len(table["users"]), dtype=np.float32)
    matrix = scipy.sparse.csr_matrix((ones, (table["users"], table["items"])), shape=tuple(table["sizes"]))
    # What comes before the first epoch is not counted: a fit of no epochs takes it.
    seconds = []
    for iterations in (0, request["settings"]["iterations"]):
        model = BayesianPersonalizedRanking(num_threads=1, **{**request["settings"], "iterations": iterations})
        started = time.process_time()
        model.fit(matrix, show_progress=False)
        seconds.append(time.process_time() - started)
    np.savez(request["factors"], users=model.user_factors, items=model.item_factors)
    print(json.dumps({"epoch": (seconds[1] - seconds[0]) / request["settings"]["iterations"]}))


if __name__ == "__main__":
    main()
