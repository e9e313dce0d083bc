"""Feed a Triton server what changes of items: ``python scripts/update_items.py table=stock.csv``.

The table has the ids of items and other columns, such as ``in_stock`` or ``price``, which filters read from the next
request on; empty fields change nothing. ``columns=[in_stock]`` takes only these, ``skip_unknown=true`` leaves out items
that the server does not have. The last line of the output is ``repository: DIR``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import command_line
from recsys.errors import ServingError

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("update_items")
def main(config: DictConfig) -> None:
    """Change the items of the version that answers, or of another one, and print how many."""
    from recsys_serving.triton.repository import served_version
    from recsys_serving.triton.served_items import update_items

    from recsys.cli.console import console
    from recsys.runtime.item_value_file import read_item_values

    repository = _repository(config)
    version = served_version(repository) if config.version is None else config.version
    columns = None if config.columns is None else list(config.columns)
    values = read_item_values(Path(config.table), config.item, columns)
    taken = update_items(repository, values, version, config.skip_unknown)
    for name, of_items in values.items():
        num_taken = len(taken.get(name, {}))
        left_out = f" ({len(of_items) - num_taken:,} are not there)" if num_taken < len(of_items) else ""
        console.print(f"{name}: {num_taken:,} items of version {version}{left_out}", soft_wrap=True)
    console.print(f"repository: {repository}", soft_wrap=True)


def _repository(config: DictConfig) -> Path:
    """The models whose items change.

    Raises:
        ServingError: none are named, and no server was started.
    """
    from recsys_serving.triton.state import running_server

    if config.repository is not None:
        return Path(config.repository)
    server = running_server(Path(config.directory))
    if server is None:
        raise ServingError(
            f"A Triton server is required, but none was started in {config.directory}. Start one with "
            f"{command_line('triton_server')}, or name its models with repository=DIR."
        )
    return Path(server.repository)


if __name__ == "__main__":
    main()
