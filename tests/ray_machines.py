"""A small Ray cluster of several nodes on this machine, of which nodes can be killed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from recsys.cli.process.ray_cluster import ENVIRONMENT

#: Bytes of a node's object store.
MEMORY = 128 << 20


@contextmanager
def ray_machines() -> Iterator[Any]:
    """A cluster of one node with one processor, connected to; skips without Ray."""
    ray = pytest.importorskip("ray", reason="the extra ray is not installed")
    from ray.cluster_utils import Cluster

    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": MEMORY,
            "include_dashboard": False,
            # A machine that has gone is missed after some seconds.
            "_system_config": {"health_check_period_ms": 1000, "health_check_failure_threshold": 5},
        },
    )
    try:
        ray.init(address=cluster.address, logging_level=logging.ERROR, log_to_driver=False)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@contextmanager
def second_node(cluster: Any) -> Iterator[Callable[[], None]]:
    """Another node for the time being, and what kills its processes at once, as if the machine had gone."""
    node = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    yield lambda: cluster.remove_node(node, allow_graceful=False)
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)
