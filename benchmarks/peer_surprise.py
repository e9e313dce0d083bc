"""One Surprise model on given folds, in Surprise's own environment; called by surprise_ratings.py.

Reads a request as JSON on standard input: the path of an ``.npz`` file with ``users``, ``items``, ``ratings`` and
``fold`` of each rating, the number of folds, and the model with its settings. Prints a report as JSON.
"""

import json
import sys
import time

import numpy as np
import surprise


def main() -> None:
    """Fit and test on each fold."""
    request = json.load(sys.stdin)
    table = np.load(request["path"])
    rows = list(zip(table["users"].tolist(), table["items"].tolist(), table["ratings"].tolist(), strict=True))
    low, high = min(table["ratings"]), max(table["ratings"])
    seconds, squares, absolutes = [], [], []
    for number in range(request["num_folds"]):
        held_out = table["fold"] == number
        data = surprise.Dataset(surprise.Reader(rating_scale=(float(low), float(high))))
        train = data.construct_trainset([(*row, None) for row, out in zip(rows, held_out, strict=True) if not out])
        test = [row for row, out in zip(rows, held_out, strict=True) if out]
        model = getattr(surprise, request["model"])(**request["settings"])
        started = time.perf_counter()
        model.fit(train)
        seconds.append(time.perf_counter() - started)
        errors = np.array([prediction.est - prediction.r_ui for prediction in model.test(test)])
        squares.append(float(np.sqrt(np.mean(errors**2))))
        absolutes.append(float(np.mean(np.abs(errors))))
    print(json.dumps({"seconds": seconds, "rmse": squares, "mae": absolutes}))


if __name__ == "__main__":
    main()
