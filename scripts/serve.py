"""The service on this machine, in the background: ``python scripts/serve.py action=start bundle=DIR``.

It prints ``api: URL`` and ``api key: KEY``. Then ``action=status``, whose status is 1 where it does not answer, and
``action=stop``. Servers that have no URL are started here, PostgreSQL and Redis from wheels, with their data in
``var``. Everything else is set by the environment, such as RECSYS_DATABASE_URL. Action and bundle may stand alone:
``python scripts/serve.py start DIR``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.positional import action_and_object

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from recsys_serving.local.service_state import ServiceState
    from recsys_serving.settings import ServiceSettings


@config_command("serve", positional=action_and_object("action", {"start": "bundle"}))
def main(config: DictConfig) -> None:
    """Do what the command line says."""
    from recsys.cli.console import console
    from recsys.cli.process.extras import require_libraries

    require_libraries("fastapi", "uvicorn", "psycopg", "onnxruntime")
    from recsys_serving.local.launcher import answers, stop
    from recsys_serving.local.service_state import read_service_state
    from recsys_serving.settings import read_settings

    names = ("bundle", "var", "host", "port", "workers", "runtime", "triton_url")
    settings = read_settings(**{name: config[name] for name in names if config[name] is not None})
    if config.action == "start":
        _start(config, settings)
    elif config.action == "stop":
        console.print("The service has stopped." if stop(settings) else "No service runs.")
    elif (running := read_service_state(settings.var.absolute())) is None or not running.is_running:
        console.print("No service runs.")
        sys.exit(1)
    else:
        is_ready = answers(running)
        _show(running, is_ready)
        sys.exit(0 if is_ready else 1)


def _start(config: DictConfig, settings: ServiceSettings) -> None:
    from pathlib import Path

    from recsys_serving.local.launcher import answers, start
    from recsys_serving.local.service_state import read_service_state
    from recsys_serving.triton.ports import is_reached_by_others

    from recsys.cli.console import console

    before = read_service_state(settings.var.absolute())
    data = None if config.data is None else Path(config.data)
    say = lambda text: console.print(f"service: {text}", soft_wrap=True)  # noqa: E731
    state, key = start(settings, data, config.timeout_seconds, say)
    if state == before:
        console.print("The service runs already.")
    _show(state, answers(state))
    console.print(f"api key: {key}", soft_wrap=True)
    if is_reached_by_others(state.host):
        console.print("Other machines reach it, and nothing is encrypted: put a proxy with TLS before it.")


def _show(state: ServiceState, is_ready: bool) -> None:
    """Print how the service is."""
    from recsys.cli.console import console

    lines = [
        f"The service {'answers' if is_ready else 'does not answer'}, process {state.pid}",
        f"bundle: {state.bundle}",
        f"log: {state.log}",
        f"docs: {state.url}/docs",
        f"api: {state.url}",
    ]
    console.print("\n".join(lines), soft_wrap=True)


if __name__ == "__main__":
    main()
