"""Make a bundle of finished runs: ``python scripts/export.py run=DIR ranker=DIR output=bundles/NAME``.

What belongs to every list goes with the bundle: ``'filters={discontinued: {none_of: [true]}}'``, and whether seen
items come back, ``exclude_seen=false`` or ``'exclude_seen={after_days: 30}'``. The last line of the output is
``bundle: DIR``.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("export")
def main(config: DictConfig) -> None:
    """Export, check against PyTorch, write."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from recsys.cli.console import console
    from recsys.cli.process.extras import require_libraries
    from recsys.export.bundle_writing import BundleSettings, write_bundle
    from recsys.export.settings_files import with_export_settings_of
    from recsys.runs.trained_run import open_run

    require_libraries("onnx", "onnxscript", "onnxruntime")
    run = open_run(config.run)
    ranker = None if config.ranker is None else open_run(config.ranker)
    given = OmegaConf.to_container(config, resolve=True)
    assert isinstance(given, dict)
    names = [field.name for field in fields(BundleSettings)]
    if config.settings_of is not None:
        given = with_export_settings_of(given, Path(config.settings_of), names, HydraConfig.get().overrides.task)
    settings = BundleSettings(**{name: given[name] for name in names})
    bundle = write_bundle(run, ranker, Path(config.output), settings, console.print)
    size = sum(file.bytes for file in bundle.manifest.files.values())
    console.print(f"{len(bundle.manifest.files)} files, {size / 1e6:.1f} MB")
    console.print(f"bundle: {bundle.directory}", soft_wrap=True)


if __name__ == "__main__":
    main()
