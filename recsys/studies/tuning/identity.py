"""What must be equal for the trials of a study to be comparable."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from recsys.errors import RunError

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna import Study

#: Settings of a training that do not change what a trial gives, and where the data are: their contents count.
INCIDENTAL = ("data", "paths", "tracking", "show_users", "name", "evaluation", "baseline")

#: Attribute of a study that holds what it is of.
IDENTITY = "identity"

#: Longest wait for the worker that has made a study to say what it is of.
_WAIT_SECONDS = 10


def study_identity(data_hash: str, split_hash: str, metric: str, config: DictConfig) -> dict[str, Any]:
    """Data, split, metric and the settings that all trials share, as JSON types.

    Args:
        data_hash: content hash of the prepared data.
        split_hash: content hash of the split without its test part.
        metric: the optimised metric.
        config: the resolved configuration that the trials start from.
    """
    settings = {str(name): str(value) for name, value in config.items() if name not in INCIDENTAL}
    return {"data": data_hash, "split": split_hash, "metric": metric, "settings": settings}


def check_identity(
    study: Study,
    identity: Mapping[str, Any],
    place: str,
    created: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Refuse to mix trials of different data or settings in one study; a new study takes the identity.

    Args:
        study: of Optuna.
        identity: everything that must be equal, as JSON types.
        place: where the study is, for the message.
        created: whether this worker has made the study; others wait until that one has said what it is of.
        sleep: waits for so many seconds.

    Raises:
        RunError: the study has another identity.
    """
    known = study.user_attrs.get(IDENTITY)
    waited = 0.0
    while known is None and not created and waited < _WAIT_SECONDS:
        sleep(0.1)
        waited += 0.1
        known = study.user_attrs.get(IDENTITY)
    if known is None:
        study.set_user_attr(IDENTITY, dict(identity))
    else:
        known, identity = _comparable(known), _comparable(identity)
        if known == identity:
            return
        names = sorted(name for name in known.keys() | identity.keys() if known.get(name) != identity.get(name))
        differing = ", ".join(_named(name, known, identity) for name in names)
        raise RunError(
            f"The study in {place} differs in {differing}, so its trials "
            "cannot be compared with new ones. Give another output= or study_name=, or delete that study."
        )


def _comparable(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity without the settings that are incidental: earlier versions noted some."""
    settings = identity.get("settings")
    if not isinstance(settings, Mapping):
        return dict(identity)
    return {**identity, "settings": {name: value for name, value in settings.items() if name not in INCIDENTAL}}


def _named(name: str, known: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    """What differs, with the settings that do by name."""
    if name == "space":
        return "what is searched"
    there, here = known.get(name), identity.get(name)
    if not isinstance(there, Mapping) or not isinstance(here, Mapping):
        return name
    differing = sorted(str(key) for key in there.keys() | here.keys() if there.get(key) != here.get(key))
    return f"{name} ({', '.join(differing)})"
