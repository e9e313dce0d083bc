"""Whether what the store has got since can be appended to the data of a run, and how it is read."""

from __future__ import annotations

from pathlib import Path

from omegaconf import OmegaConf

from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory

#: Settings of ``data=store`` that say what is read, beside the time.
_SAME = ("types", "values")


def appendable_settings(run: Path) -> list[str] | None:
    """Settings of ``data=store`` that read newer interactions as those of a run were read.

    Args:
        run: a run that was trained on the store.

    Returns:
        None where the model is not to be updated with them: what is in its catalogue depends on the day, or the run is
        not there.
    """
    directory = RunDirectory(run)
    try:
        if not directory.is_finished:
            return None
        data = directory.settings().get("data")
    except RunError:
        return None
    if data is None:
        return None
    if data.get("available_only"):
        return None
    given = {name: data.get(name) for name in _SAME}
    plain = {name: OmegaConf.to_container(one) if OmegaConf.is_config(one) else one for name, one in given.items()}
    words = {name: f"[{','.join(one)}]" if isinstance(one, list) else str(one) for name, one in plain.items()}
    return [f"data.{name}={words[name]}" for name, one in plain.items() if one is not None]


def learns_in_epochs(run: Path) -> bool:
    """Whether the model of a run was trained in epochs, so that an update of it may fall behind a fit on everything."""
    directory = RunDirectory(run)
    try:
        return directory.is_finished and directory.manifest().best_epoch > 0
    except RunError:
        return False
