"""Say which bundle is live: ``python scripts/promote.py bundle=bundles/NAME alias=champion``.

``version=3`` promotes a version that is known, ``roll_back=true`` goes back to the one before. Without any of these
nothing changes. Prints all versions; the last line of the output is ``champion: DIR``, with the alias.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.errors import RunError

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("promote")
def main(config: DictConfig) -> None:
    """Change an alias, and print what there is."""
    from recsys.cli.console import console
    from recsys.cli.text_table import TextTable
    from recsys.runtime.versions.registry import BundleRegistry

    asked = [config.bundle is not None, config.version is not None, bool(config.roll_back)]
    if sum(asked) > 1:
        raise RunError("Give one of bundle=DIR, version=NUMBER and roll_back=true; several came.")
    registry = BundleRegistry(config.registry.uri, config.registry.name)
    if config.bundle is not None:
        registry.promote(registry.register(Path(config.bundle)).version, config.alias)
    elif config.version is not None:
        registry.promote(config.version, config.alias)
    elif config.roll_back:
        registry.roll_back(config.alias)
    table = TextTable("version", "alias", "bundle", "what it is")
    for known in registry.versions():
        table.add_row(str(known.version), ", ".join(known.aliases), str(known.directory), known.description)
    console.print(table)
    live = registry.with_alias(config.alias).directory
    console.print(f"{config.alias}: {live}", soft_wrap=True)


if __name__ == "__main__":
    main()
