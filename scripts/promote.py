"""Say which bundle is live: ``python scripts/promote.py bundle=bundles/NAME alias=champion``.

``version=3`` promotes a version that is known, ``roll_back=true`` goes back to the one before. Without any of these
nothing changes. Prints all versions; the last line of the output is ``champion: DIR``, with the alias.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig
from rich import box
from rich.table import Table

from recsys.cli.configuration import config_command
from recsys.cli.console import console
from recsys.errors import RunError
from recsys.runtime.registry import BundleRegistry


@config_command("promote")
def main(config: DictConfig) -> None:
    """Change an alias, and print what there is."""
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
    table = Table("version", "alias", "bundle", "what it is", box=box.MARKDOWN)
    for known in registry.versions():
        table.add_row(str(known.version), ", ".join(known.aliases), str(known.directory), known.description)
    console.print(table)
    live = registry.with_alias(config.alias).directory
    console.print(f"{config.alias}: {live}", soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    main()
