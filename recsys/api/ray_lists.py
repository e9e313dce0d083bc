"""Writes lists on the processors of a Ray cluster: an actor each, which holds the bundle and its ONNX sessions open."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from recsys.api.bundle_model import BundleModel, opened_bundle
from recsys.cli.process.ray_cluster import (
    check_shared_directory,
    cluster_cpus,
    plain_error,
    ray_cluster,
    wait_for_one,
    worker_failure,
)
from recsys.data.data_warnings import collected_warnings
from recsys.errors import BundleError, DataWarning, RecsysError

if TYPE_CHECKING:
    from recsys.api.list_file import ListJob

#: Actors that may be lost in turn without a part being done meanwhile.
_MAX_LOST = 8


def write_on_ray(job: ListJob, bundle: Any, parts: Iterable[tuple[int, pd.Series]]) -> Iterator[int]:
    """Write parts, and give the number of each that is done, in the order in which they are done.

    A part whose actor is lost with its machine is given to another. A part that was written by both is the same.

    Args:
        job: makes a part.
        bundle: a :class:`recsys.api.bundle_model.BundleModel`, in a directory that all machines share.
        parts: their numbers and users.

    Raises:
        RecsysError: of a request; or the bundle was replaced, a machine does not see it, or actors are lost in turn.
    """
    assert isinstance(bundle, BundleModel), "check_engine has refused others"
    with ray_cluster() as ray:
        check_shared_directory(ray, job.store.output.resolve().parent)
        pool = _Pool(ray, job, str(bundle.bundle.directory.resolve()), bundle.identity())
        try:
            yield from pool.write(parts)
        finally:
            pool.close()


class ListActor:
    """Answers from a bundle in a process of its own.

    Args:
        bundle: its directory.
        identity: of the bundle that was opened by whoever began.
        job: makes a part.
    """

    def __init__(self, bundle: str, identity: str, job: ListJob) -> None:
        self._job = job
        self._bundle = bundle
        self._identity = identity
        self._source: BundleModel | None = None

    def open(self) -> RecsysError | None:
        """Open the bundle; an error is returned, so that it is told in its own words."""
        try:
            source = opened_bundle(self._bundle)
            if source.identity() != self._identity:
                raise BundleError(
                    f"{self._bundle} was replaced by another bundle meanwhile. Lists of two bundles would be mixed: "
                    "give the bundle of the beginning again, or begin anew with another output."
                )
        except RecsysError as error:
            return plain_error(error)
        self._source = source
        return None

    def write(self, part: int, labels: pd.Series) -> list[str] | RecsysError:
        """Write a part; the texts of warnings about its users."""
        assert self._source is not None, "parts are given out once the bundle is open"
        with collected_warnings() as texts:
            try:
                self._job.write(self._source, part, labels)
            except RecsysError as error:
                return plain_error(error)
        return texts


class _Pool:
    """Actors, and which part each of them is at.

    Args:
        ray: the module, connected.
        job: makes a part.
        bundle: its directory.
        identity: of the bundle.
    """

    def __init__(self, ray: Any, job: ListJob, bundle: str, identity: str) -> None:
        self._ray = ray
        self._actor = ray.remote(ListActor).options(num_cpus=1)
        self._given = (bundle, identity, ray.put(job))
        self._busy: dict[Any, tuple[Any, tuple[int, pd.Series] | None]] = {}  # by result: an actor, and at which part
        self._idle: list[Any] = []
        self._num_lost = 0
        self._told: set[str] = set()

    def write(self, parts: Iterable[tuple[int, pd.Series]]) -> Iterator[int]:
        """See :func:`write_on_ray`."""
        waiting = deque(parts)
        for _ in range(min(cluster_cpus(self._ray), len(waiting))):
            self._begin()
        while waiting or any(part is not None for _, part in self._busy.values()):
            while waiting and self._idle:
                self._give(self._idle.pop(), waiting.popleft())
            actor, part, result = self._next_result()
            if isinstance(result, self._ray.exceptions.RayError):
                self._count_lost(result)
                if part is not None:
                    waiting.appendleft(part)
                self._begin()
                continue
            if isinstance(result, RecsysError):
                raise result
            self._idle.append(actor)
            if part is not None:
                self._num_lost = 0
                self._tell(result)
                yield part[0]

    def close(self) -> None:
        """End the actors."""
        for actor in (*self._idle, *(actor for actor, _ in self._busy.values())):
            self._ray.kill(actor)

    def _begin(self) -> None:
        """An actor, which is there as soon as the cluster has a processor for it."""
        actor = self._actor.remote(*self._given)
        self._busy[actor.open.remote()] = (actor, None)

    def _give(self, actor: Any, part: tuple[int, pd.Series]) -> None:
        self._busy[actor.write.remote(*part)] = (actor, part)

    def _next_result(self) -> tuple[Any, tuple[int, pd.Series] | None, Any]:
        done = wait_for_one(self._ray, list(self._busy))
        actor, part = self._busy.pop(done)
        try:
            return actor, part, self._ray.get(done)
        except self._ray.exceptions.RayError as error:
            return actor, part, error

    def _count_lost(self, error: Exception) -> None:
        self._num_lost += 1
        if self._num_lost > _MAX_LOST:
            raise worker_failure(error) from error

    def _tell(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text not in self._told:
                self._told.add(text)
                warnings.warn(text, DataWarning, stacklevel=2)
