"""The service with its databases and its app on this machine, in the background: ``python scripts/stack.py start DIR``.

DIR is a bundle. It prints ``stop: COMMAND``, ``api: URL``, ``api key: KEY`` and ``app: URL``. Then ``action=status``,
whose status is 1 where something does not answer, and ``action=stop``, which ends all of it; without ``var=`` both see
what ``quickstart`` has started too. ``triton=true`` starts a model server. Started again, it says what runs already.
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.positional import action_and_object

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from recsys_serving.local.stack import Stack
    from recsys_serving.settings import ServiceSettings


@config_command("stack", positional=action_and_object("action", {"start": "bundle"}))
def main(config: DictConfig) -> None:
    """Do what the command line says."""
    from recsys.cli.process.extras import require_libraries

    require_libraries("fastapi", "uvicorn", "psycopg", "onnxruntime", "streamlit")
    from recsys_serving.settings import read_settings

    names = ("bundle", "var", "host", "port", "workers")
    settings = read_settings(**{name: config[name] for name in names if config[name] is not None})
    if config.action == "start":
        _start(config, settings)
    elif config.action == "stop":
        _stop(_installations(config, settings))
    else:
        sys.exit(_show_status(_installations(config, settings)))


def _installations(config: DictConfig, settings: ServiceSettings) -> list[ServiceSettings]:
    """The one that is named; without a name the usual one, and those that quickstart has made."""
    from pathlib import Path

    made = [] if config.var is not None else sorted(Path(config.quickstarts).glob("*/var"))
    return [settings, *(settings.model_copy(update={"var": var}) for var in made)]


def _stop(installations: list[ServiceSettings]) -> None:
    from recsys_serving.local.stack import stop_stack

    from recsys.cli.console import console

    told = []
    for one in installations:
        if stopped := stop_stack(one):
            place = "" if one is installations[0] else f" in {one.var}"
            told.append(f"Stopped{place}: {', '.join(stopped)}.")
    console.print("\n".join(told) or "Nothing runs.", soft_wrap=True)


def _show_status(installations: list[ServiceSettings]) -> int:
    """Print what runs; 1 where something of it does not answer, or nothing runs."""
    from recsys_serving.local.stack import read_stack

    stacks = [(read_stack(one), one) for one in installations]
    running = [(stack, one) for stack, one in stacks if stack.runs] or stacks[:1]
    for stack, one in running:
        _show(stack, one)
    return 0 if all(stack.answers for stack, _ in running) else 1


def _start(config: DictConfig, settings: ServiceSettings) -> None:
    from pathlib import Path

    from recsys_serving.local.stack import AppOptions, read_stack, start_stack
    from recsys_serving.triton.ports import is_reached_by_others

    from recsys.cli.commands import app_program
    from recsys.cli.console import console

    before = read_stack(settings)
    stack = start_stack(
        settings,
        AppOptions(app_program(), config.app_host, config.app_port),
        Path(config.triton_environment).absolute() if config.triton else None,
        None if config.data is None else Path(config.data),
        config.timeout_seconds,
        lambda text: console.print(f"stack: {text}", soft_wrap=True),
    )
    if stack == before:
        console.print("It runs already.")
    _show(stack, settings)
    if any(part is not None and is_reached_by_others(part.host) for part in (stack.service, stack.app)):
        console.print("Other machines reach it, and nothing is encrypted: put a proxy with TLS and a login before it.")


def _show(stack: Stack, settings: ServiceSettings) -> None:
    """Print what runs, and where it is."""
    from recsys_serving.local.installation import Installation

    from recsys.cli.commands import typed_command
    from recsys.cli.console import console

    lines = []
    if stack.runs:
        lines += [f"stop: {typed_command('stack')} action=stop {shlex.quote(f'var={settings.var}')}"]
    if stack.triton is not None:
        lines += [f"triton: {stack.triton.grpc_url}, log {stack.triton.log}"]
    if stack.service is not None:
        key = Installation.of(settings).api_key.read_text(encoding="utf-8").strip()
        lines += [f"bundle: {stack.service.bundle}", f"log: {stack.service.log}"]
        lines += [f"api: {stack.service.url}", f"api key: {key}"]
    if stack.app is not None:
        lines += [f"app: {stack.app.url}"]
    lines += [f"The {name} does not run." for name in ("service", "app") if getattr(stack, name) is None]
    console.print("\n".join(lines), soft_wrap=True)


if __name__ == "__main__":
    main()
