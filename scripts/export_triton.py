"""Make a Triton model repository of a bundle: ``python scripts/export_triton.py bundle=bundles/NAME output=DIR``.

A repository that is there gets the bundle as another version, which answers after ``python scripts/triton_server.py
action=serve version=VERSION``. The last line of the output is ``repository: DIR``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("export_triton")
def main(config: DictConfig) -> None:
    """Write, check."""
    from recsys_serving.triton.repository import write_repository

    from recsys.cli.console import console
    from recsys.runtime.bundle import Bundle

    output = Path(config.output)
    bundle = Bundle.open(config.bundle)
    version = write_repository(bundle, output, config.version, config.instances, config.models)
    console.print(f"version {version}")
    console.print(f"repository: {output}", soft_wrap=True)


if __name__ == "__main__":
    main()
