"""The Ray cluster that a command uses: one that is there, or one of this machine for as long as the command runs."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from recsys.cli.process.extras import require_libraries
from recsys.errors import RecsysError, SettingsError

#: How Ray is set up, where nothing else is said.
ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray's coming behaviour: a task without graphics cards leaves the variable that names them as it is.
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        # A busy machine takes longer to start a node than the half minute that Ray waits.
        "RAY_agent_register_timeout_ms": "120000",
    }
)

#: Seconds until the head of a cluster must have answered; Ray itself tries for minutes.
_SECONDS_TO_CONNECT = 10
#: Seconds until a machine must have answered whether it sees a directory.
_SECONDS_TO_ANSWER = 120
#: Seconds after which it is looked whether the cluster can still answer.
_SECONDS_BETWEEN_LOOKS = 20


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """The module ``ray``, connected.

    A connection that is there is used, and stays. Else ``RAY_ADDRESS`` names a cluster; without it one is started on
    the processors of this machine, and ended with the block.

    Raises:
        SettingsError: Ray is not installed, or the cluster cannot be reached.
    """
    require_libraries("ray")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    address = os.environ.get("RAY_ADDRESS")
    if address and _has_token():
        # ``ray start`` asks for the token where there is one, but who connects to an address gives it only if told to.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    import ray

    if ray.is_initialized():
        yield ray
        return
    try:
        if address:
            _require_listener(address)
        ray.init(address=address or "local", include_dashboard=None if address else False, **_QUIET)
    except (OSError, RuntimeError, ValueError, OverflowError) as error:
        raise SettingsError(
            f"RAY_ADDRESS={address} must name a Ray cluster that runs, but it cannot be reached: {error}. Correct it, "
            "or leave it out for a cluster of this machine alone."
            if address
            else f"Ray could not be started on this machine: {error}."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


_QUIET: dict[str, Any] = {"configure_logging": True, "logging_level": logging.ERROR, "log_to_driver": False}


def _has_token() -> bool:
    """Whether there is a token where Ray looks for one; a cluster that asks for none does not mind it."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return True
    return (Path.home() / ".ray" / "auth_token").is_file()


def _require_listener(address: str) -> None:
    """Require that something listens at an address of the form ``HOST:PORT`` or ``ray://HOST:PORT``.

    Raises:
        OSError: nothing does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_CONNECT).close()


def cluster_cpus(ray: Any) -> int:
    """The processors of all machines.

    Raises:
        SettingsError: there are none for tasks.
    """
    cpus = int(ray.cluster_resources().get("CPU", 0))
    if cpus < 1:
        raise SettingsError("The Ray cluster has no processor for tasks (num_cpus is 0 on all nodes). Add a node.")
    return cpus


def check_shared_directory(ray: Any, directory: Path) -> None:
    """Check that what one machine writes to a directory is there for all others.

    Raises:
        SettingsError: a machine does not see it.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    if len(nodes) < 2:
        return
    token = directory.resolve() / f".seen-by-all-{uuid4().hex}"
    token.write_text("", encoding="utf-8")
    task = ray.remote(_sees)
    try:
        for node in nodes:
            strategy = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
            try:
                on_node = task.options(num_cpus=0, max_retries=0, scheduling_strategy=strategy)
                sees = ray.get(on_node.remote(str(token)), timeout=_SECONDS_TO_ANSWER)
            except ray.exceptions.RayError:
                continue  # the machine has gone meanwhile, and its tasks go elsewhere
            if not sees:
                raise SettingsError(
                    f"All machines of the Ray cluster must share {directory.resolve()} (NFS, say), but "
                    f"{node['NodeManagerAddress']} does not see what is written there. Mount it there under the same "
                    "path, or choose a directory that they share."
                )
    finally:
        token.unlink(missing_ok=True)


def _sees(path: str) -> bool:
    return Path(path).exists()


def wait_for_one(ray: Any, references: list[Any]) -> Any:
    """The first of some results that is there.

    Raises:
        SettingsError: the cluster has lost its last processor, so that none can come.
    """
    while True:
        done, _ = ray.wait(references, num_returns=1, timeout=_SECONDS_BETWEEN_LOOKS)
        if done:
            return done[0]
        cluster_cpus(ray)


def plain_error(error: RecsysError) -> RecsysError:
    """The error of a class that can be sent: one with arguments of its own could not be unpacked."""
    kind = next(one for one in type(error).__mro__ if one.__module__ == RecsysError.__module__)
    return kind(str(error))


def worker_failure(error: Exception) -> SettingsError:
    """What Ray says of a task that could not be finished, in one message."""
    told = str(error).strip().splitlines()
    return SettingsError(
        f"A task of the Ray cluster could not be finished ({type(error).__name__}: "
        f"{told[-1] if told else 'no reason'}). Where processes were killed for their memory, give the "
        "machines more of it or fewer processors (ray start --num-cpus), and run the same command again."
    )
