"""Runs the functions of partitions as tasks of a Ray cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from recsys.cli.process.ray_cluster import (
    check_shared_directory,
    cluster_cpus,
    plain_error,
    ray_cluster,
    wait_for_one,
    worker_failure,
)
from recsys.data.preparation.streaming.executor import Executor
from recsys.errors import RecsysError

T = TypeVar("T")

#: How often a task is begun again whose process or machine was lost.
_RETRIES = 8
#: Parts of raw data that are read at the same time, at most: each writes a file to each partition.
_MAX_SOURCES = 64
#: Tasks that are given out for each processor, so that none waits for the next one.
_TASKS_PER_CPU = 2


class RayExecutor(Executor):
    """Runs each call as a task; one that is lost with its machine is run again on another.

    Args:
        ray: the module, connected to a cluster.
        num_cpus: processors of the cluster.
    """

    def __init__(self, ray: Any, num_cpus: int) -> None:
        self._ray = ray
        self._num_cpus = num_cpus
        self._task = ray.remote(_call).options(num_cpus=1, max_retries=_RETRIES)

    @property
    def num_sources(self) -> int:
        """See :class:`Executor`."""
        return min(_MAX_SOURCES, _TASKS_PER_CPU * self._num_cpus)

    def groups(self, count: int) -> list[range]:
        """As many groups as keep all processors busy."""
        num_groups = min(count, _TASKS_PER_CPU * self._num_cpus)
        bounds = [group * count // max(num_groups, 1) for group in range(num_groups + 1)]
        return [range(start, end) for start, end in zip(bounds[:-1], bounds[1:], strict=True)]

    def map(
        self, function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], shared: tuple[Any, ...] = ()
    ) -> Iterator[T]:
        """See :class:`Executor`.

        Raises:
            SettingsError: a task was lost too often.
        """
        stored = [self._ray.put(one) for one in shared]
        running: deque[Any] = deque()
        window = _TASKS_PER_CPU * self._num_cpus
        for one in arguments:
            if len(running) >= window:
                yield self._result(running.popleft())
            running.append(self._task.remote(function, len(stored), *stored, *one))
        while running:
            yield self._result(running.popleft())

    def _result(self, reference: Any) -> Any:
        try:
            result = self._ray.get(wait_for_one(self._ray, [reference]))
        except self._ray.exceptions.RayError as error:
            raise worker_failure(error) from error
        if isinstance(result, RecsysError):
            raise result
        return result


def _call(function: Callable[..., Any], num_shared: int, *arguments: Any) -> Any:
    """The function's result, or the error that a user can mend."""
    try:
        return function(*arguments)
    except RecsysError as error:
        return plain_error(error)


@contextmanager
def ray_executor(directory: Path) -> Iterator[RayExecutor]:
    """An executor on the cluster of ``RAY_ADDRESS``, or on one of this machine that ends with the block.

    Args:
        directory: which all machines of the cluster must share.

    Raises:
        SettingsError: Ray is not installed, the cluster cannot be reached, or a machine does not see the directory.
    """
    with ray_cluster() as ray:
        check_shared_directory(ray, directory)
        yield RayExecutor(ray, cluster_cpus(ray))
