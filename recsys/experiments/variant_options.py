"""What a variant may change in the requests of its units, checked when the experiment is made, not when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.errors import ExperimentError, RecsysError
from recsys.experiments.exploration import ExplorationPolicy
from recsys.experiments.metric import require_number
from recsys.retrieval.filtering.filter_language import parse_filters
from recsys.retrieval.seen_policy import SeenPolicy

#: Fields of a request that a variant may set, and ``exploration``, which is about the list after it.
EXPLORATION = "exploration"
OPTIONS = ("k", "filters", "diversity", "diversity_weight", "diversity_column", "explain", "exclude_seen", EXPLORATION)


def check_options(variant: str, options: Mapping[str, Any]) -> None:
    """Refuse options that requests do not have, or that could not be read.

    Args:
        variant: name of the variant, for the text of the error.
        options: by name; ``exploration`` is a mapping by the fields of
            :class:`recsys.experiments.exploration.ExplorationPolicy`.

    Raises:
        ExperimentError: an option is unknown, or its value is wrong.
    """
    what = f"list_options of variant {variant!r}"
    unknown = sorted(str(name) for name in options if name not in OPTIONS)
    if unknown:
        raise ExperimentError(f"{what} may be {', '.join(OPTIONS)}; {', '.join(unknown)} came as well")
    try:
        parse_filters(options.get("filters"))
        if options.get("exclude_seen") is not None:
            SeenPolicy.parse(options["exclude_seen"])
        exploration_of(options)
    except RecsysError as error:
        raise ExperimentError(f"{what} cannot be read: {error}") from None
    if "diversity_weight" in options:
        require_number(f"diversity_weight in {what}", options["diversity_weight"], 0.0, 1.0)
    if "k" in options:
        k = options["k"]
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ExperimentError(f"k in {what} must be a whole number above 0; {k!r} came")


def exploration_of(options: Mapping[str, Any]) -> ExplorationPolicy | None:
    """The exploration of a variant; None where it does not explore.

    Raises:
        ExperimentError: its fields are wrong.
    """
    written = options.get(EXPLORATION)
    if written is None:
        return None
    if not isinstance(written, Mapping):
        raise ExperimentError(
            f"exploration must be a mapping, such as {{'slots': [4], 'epsilon': .1}}; {written!r} came"
        )
    try:
        return ExplorationPolicy(**written)
    except TypeError as error:
        raise ExperimentError(f"exploration cannot be read from {dict(written)}: {error}") from None
