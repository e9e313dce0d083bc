"""Prepare a data set: ``python scripts/prepare.py data=movielens_100k preparation.min_user_interactions=5``.

Data that are prepared already are opened and described. The last line of the output is ``prepared: DIR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("prepare")
def main(config: DictConfig) -> None:
    """Print what the prepared data hold, what was recognised in them and what was removed."""
    from recsys.cli.console import console
    from recsys.reporting.preparation_report import print_preparation
    from recsys.runs.assembly import build_data

    prepared = build_data(config, on_prepared=lambda prepared: None)
    print_preparation(prepared)
    console.print(f"prepared: {prepared.directory}", soft_wrap=True)


if __name__ == "__main__":
    main()
