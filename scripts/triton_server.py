"""A Triton server on this machine, in the background: ``python scripts/triton_server.py action=start repository=DIR``.

Then ``action=status``, whose status is 1 where the server does not answer a real question; ``action=stop``; and
``action=serve version=NUMBER``: another version of the repository answers, while requests run. The first start makes
the server's Python environment, some 600 MB, in ``directory``. Action, repository and version may stand alone:
``python scripts/triton_server.py start DIR``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.positional import action_and_object
from recsys.errors import ServingError

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from recsys_serving.triton.state import ServerState


@config_command("triton_server", positional=action_and_object("action", {"start": "repository", "serve": "version"}))
def main(config: DictConfig) -> None:
    """Do what the command line says."""
    from recsys_serving.triton.launcher import stop
    from recsys_serving.triton.state import running_server

    from recsys.cli.console import console

    directory = Path(config.directory)
    if config.action == "start":
        _start(config, directory)
    elif config.action == "stop":
        console.print("Triton has stopped." if stop(directory) else "No Triton server runs.")
    elif config.action == "serve":
        _serve(config, running_server(directory))
    elif (running := running_server(directory)) is None:
        console.print("No Triton server runs.")
        sys.exit(1)
    elif not _show(running, directory):
        sys.exit(1)


def _start(config: DictConfig, directory: Path) -> None:
    from recsys_serving.triton.launcher import Options, start
    from recsys_serving.triton.ports import Ports, is_reached_by_others
    from recsys_serving.triton.repository_check import check_repository

    from recsys.cli.console import console

    if config.repository is None:
        raise ServingError("A model repository is required to start a server. Add repository=DIR.")
    repository, ports = Path(config.repository), Ports(config.http_port, config.grpc_port, config.metrics_port)
    memory_bytes = None if config.memory_gb is None else int(config.memory_gb * 10**9)
    options = Options(config.address, config.grpc_address, memory_bytes, config.timeout_seconds)
    check_repository(repository)
    with console.status("Waiting for Triton"):
        say = lambda text: console.print(f"Triton: {text}")  # noqa: E731
        state = start(directory, repository, ports, config.python, options, say=say)
    _show(state, directory)
    if is_reached_by_others(config.address) or is_reached_by_others(config.grpc_address):
        console.print("Other machines reach it: nobody is asked who they are, and nothing is encrypted.")
    if is_reached_by_others(config.grpc_address):
        console.print("By gRPC they reach Triton itself, which no check of requests stands before (docs/triton.md).")


def _serve(config: DictConfig, running: ServerState | None) -> None:
    from recsys_serving.triton.versions import swap_version

    from recsys.cli.console import console

    if config.version is None:
        raise ServingError("The version that is to answer is required. Add version=NUMBER.")
    url, repository = config.url, config.repository
    if running is not None:
        url, repository = url or running.grpc_url, repository or running.repository
    if url is None or repository is None:
        raise ServingError(
            f"A running server is required, but none was started in {config.directory}. Start one, or name another one "
            "with url=HOST:PORT and repository=DIR."
        )
    # The key of the local server is for that one alone.
    admin_key = None if running is None or config.url is not None else running.admin_key
    swap_version(Path(repository), config.version, url, admin_key=admin_key)
    console.print(f"Version {config.version} answers.")


def _show(state: ServerState, directory: Path) -> bool:
    """Print how a server is; whether it answers."""
    from recsys_serving.triton.guard.health import read_health
    from recsys_serving.triton.launcher import is_ready

    from recsys.cli.console import console

    answers, health = is_ready(state), read_health(directory)
    lines = [
        f"Triton {'answers' if answers else 'does not answer'}, process {state.pid}",
        f"repository: {state.repository}",
        f"http: {state.http_url}",
        f"grpc: {state.grpc_url}",
        f"metrics: http://{state.host}:{state.metrics_port}/metrics",
        f"log: {state.log}",
    ]
    if health is not None and health.restarts > 0:
        lines.insert(1, f"restarts: {health.restarts}, the last at {health.restarted}: the server {health.reason}")
    console.print("\n".join(lines))
    return answers


if __name__ == "__main__":
    main()
