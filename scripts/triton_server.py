"""A Triton server on this machine, in the background: ``python scripts/triton_server.py start REPOSITORY``.

Then ``status``, ``stop``, and ``serve VERSION``: another version of the repository answers, while requests run. The
first start makes the server's Python environment, some 600 MB, in ``--directory``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from recsys_serving.triton.launcher import Ports, is_ready, start, stop
from recsys_serving.triton.repository_check import check_repository
from recsys_serving.triton.state import ServerState, running_server
from recsys_serving.triton.versions import exchange

from recsys.cli.console import console, user_errors
from recsys.errors import ServingError


def main() -> None:
    """Do what the command line says."""
    arguments = parser().parse_args()
    with user_errors():
        if arguments.action == "start":
            ports = Ports(arguments.http_port, arguments.grpc_port, arguments.metrics_port)
            check_repository(arguments.repository)
            with console.status("Waiting for Triton"):
                state = start(
                    arguments.directory,
                    arguments.repository,
                    ports,
                    arguments.python,
                    arguments.timeout,
                    say=lambda text: console.print(f"Triton: {text}"),
                )
            _show(state)
        elif arguments.action == "stop":
            console.print("Triton has stopped." if stop(arguments.directory) else "No Triton server runs.")
        elif arguments.action == "serve":
            _serve(arguments)
        else:
            running = running_server(arguments.directory)
            if running is None:
                console.print("No Triton server runs.")
            else:
                _show(running)


def _serve(arguments: argparse.Namespace) -> None:
    running = running_server(arguments.directory)
    url, repository = arguments.url, arguments.repository
    if running is not None:
        url, repository = url or running.grpc_url, repository or Path(running.repository)
    if url is None or repository is None:
        raise ServingError(
            f"A running server is required, but none was started in {arguments.directory}. Start one, or name another "
            "one with --url HOST:PORT and --repository DIR."
        )
    exchange(repository, arguments.version, url)
    console.print(f"Version {arguments.version} answers.", highlight=False)


def _show(state: ServerState) -> None:
    ready = "ready" if is_ready(state) else "not ready"
    lines = [
        f"Triton is {ready}, process {state.pid}",
        f"repository: {state.repository}",
        f"http: {state.http_url}",
        f"grpc: {state.grpc_url}",
        f"metrics: http://127.0.0.1:{state.metrics_port}/metrics",
        f"log: {state.log}",
    ]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--directory", type=Path, default=Path(".triton"), help="of its files (default: %(default)s)")
    actions = made.add_subparsers(dest="action", required=True)
    starting = actions.add_parser("start", help="start it and wait until its models are ready")
    starting.add_argument("repository", type=Path, help="a model repository, as scripts/export_triton.py writes it")
    starting.add_argument("--http-port", type=int, help="default: a free one")
    starting.add_argument("--grpc-port", type=int, help="default: a free one")
    starting.add_argument("--metrics-port", type=int, help="default: a free one")
    starting.add_argument("--python", help="interpreter of its environment (default: this one, or one on the path)")
    starting.add_argument("--timeout", type=float, default=120.0, help="seconds to wait (default: %(default)s)")
    serving = actions.add_parser("serve", help="let another version of the repository answer, or an older one again")
    serving.add_argument("version", type=int, help="one that scripts/export_triton.py has added")
    serving.add_argument("--url", help="host and gRPC port of another server than the one that was started")
    serving.add_argument("--repository", type=Path, help="the models of that server")
    actions.add_parser("stop", help="stop it")
    actions.add_parser("status", help="say whether it runs, and where")
    return made


if __name__ == "__main__":
    main()
