"""An executor that is as hard on the functions of partitions as a cluster that loses machines."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from recsys.data.preparation.streaming.executor import Executor


class Unreliable(Executor):
    """Sends functions, arguments and results as bytes, and runs each call twice, of which the first is lost."""

    num_sources = 3

    def groups(self, count: int) -> list[range]:
        return [range(start, min(start + 3, count)) for start in range(0, count, 3)]

    def map(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], shared: tuple[Any, ...] = ()
    ) -> Iterator[Any]:
        sent = [pickle.dumps((function, (*shared, *one))) for one in arguments]
        for call in sent:
            results = []
            for _ in range(2):
                function, given = pickle.loads(call)
                results.append(pickle.dumps(function(*given)))
            yield pickle.loads(results[-1])
