"""Where the configurations are."""

from __future__ import annotations

from pathlib import Path

import recsys


def _config_directory() -> Path:
    """Inside the package where it was installed from a wheel, beside it in a checkout."""
    package = Path(recsys.__file__).parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


CONFIG_DIRECTORY = _config_directory()
