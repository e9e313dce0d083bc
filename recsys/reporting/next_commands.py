"""Prints what to type after a training."""

from __future__ import annotations

import shlex
from pathlib import Path

from recsys.cli.command_line import id_setting
from recsys.cli.commands import typed_command
from recsys.cli.console import console
from recsys.cli.process.extras import are_installed
from recsys.data.prepared import PreparedDataset


def next_commands(run: Path, prepared: PreparedDataset) -> list[str]:
    """Commands that work as they are, on this machine and in this directory.

    Args:
        run: directory of a finished run.
        prepared: its data, of which the first user and item are the examples.
    """
    user, item = (
        id_setting(vocabulary.ids[0].as_py()) for vocabulary in (prepared.user_vocabulary, prepared.item_vocabulary)
    )
    arguments = [
        ("recommend", f"run={run}", f"user={user}"),
        ("similar", f"run={run}", f"item={item}"),
    ]
    if are_installed("onnx", "onnxscript", "onnxruntime"):
        arguments.append(("export", f"run={run}", "output=bundles/first"))
    return [f"{typed_command(name)} {shlex.join(settings)}" for name, *settings in arguments]


def print_next_commands(run: Path, prepared: PreparedDataset) -> None:
    """Print them, one below the other.

    Args:
        run: directory of a finished run.
        prepared: its data.
    """
    console.print("to go on:")
    for command in next_commands(run, prepared):
        console.print_command(command, indent="  ")
    console.print()
