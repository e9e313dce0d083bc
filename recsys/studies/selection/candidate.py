"""A model that may be chosen, and the settings that it is trained with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.cli.configuration import CONFIG_DIRECTORY
from recsys.errors import SettingsError

#: Models that are fitted within seconds, of kinds that differ: by content, by items that go together, by factors, and
#: the same list for everybody.
FAST_MODELS = ("content", "ease", "item_knn", "ials", "popularity")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be chosen.

    Args:
        name: in tables.
        settings: of its training, such as ``("model=ease", "model.l2=300")``.
    """

    name: str
    settings: tuple[str, ...]

    @property
    def model(self) -> str | None:
        """Its choice in the group ``model``; None where the settings choose none."""
        return next((one.removeprefix("model=") for one in self.settings if one.startswith("model=")), None)


def read_candidates(texts: Sequence[str], setting: str = "models") -> list[Candidate]:
    """Read a list of models with their settings.

    Args:
        texts: each the name of a model, or its settings as on the command line.
        setting: what the list is called in messages.

    Raises:
        SettingsError: one names no model, a model that does not exist, or stands twice.

    Example:
        >>> read_candidates(["ease", "model=ials model.embedding_dim=32"])[1]
        Candidate(name='ials model.embedding_dim=32', settings=('model=ials', 'model.embedding_dim=32'))
    """
    found = [_read(str(text), setting) for text in texts]
    twice = sorted({one.name for one in found if found.count(one) > 1})
    if twice:
        raise SettingsError(f"{setting} must differ, but has {', '.join(twice)} more than once. Leave out one.")
    return found


def _read(text: str, setting: str) -> Candidate:
    words = shlex.split(text)
    settings = [f"model={word}" if "=" not in word and place == 0 else word for place, word in enumerate(words)]
    named = [one for one in settings if one.startswith("model=")]
    if len(named) != 1 or any("=" not in one for one in settings):
        raise SettingsError(
            f"{setting} must be names of models with settings, such as ease or 'ials model.embedding_dim=32', but "
            f"one is {text!r}. Correct it."
        )
    model = named[0].removeprefix("model=")
    known = sorted(path.stem for path in (CONFIG_DIRECTORY / "model").glob("*.yaml"))
    if model not in known:
        raise SettingsError(f"{setting} must be among {', '.join(known)}, but has {model}. Correct it.")
    rest = [one for one in settings if not one.startswith("model=")]
    return Candidate(" ".join([model, *rest]), (named[0], *rest))
