"""What can make a list: the service as it is, one of its bundles, or a variant of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.service.experiments import variants_of


class ListSource(NamedTuple):
    """What makes a list.

    Args:
        label: for people.
        preview: as requests name it; None: what the user gets.
    """

    label: str
    preview: Mapping[str, str] | None


def list_sources(overview: Mapping[str, Any], experiments: Sequence[Mapping[str, Any]]) -> list[ListSource]:
    """All that can make a list.

    Args:
        overview: of the bundles.
        experiments: of the service.
    """
    live = {one["name"] for one in overview["loaded"] if one["live"]}
    found = [ListSource("What the user gets now", None)]
    for name in overview["available"]:
        found.append(ListSource(f"Bundle {name}{' (live)' if name in live else ''}", {"bundle": name}))
    for experiment_id, variant in variants_of(experiments):
        preview = {"experiment_id": experiment_id, "variant": variant}
        found.append(ListSource(f"Experiment {experiment_id}: {variant}", preview))
    return found


def first_two(sources: Sequence[ListSource], overview: Mapping[str, Any]) -> tuple[int, int]:
    """Which two are compared at first: what the user gets, and another bundle than the live one where there is one."""
    live = {one["name"] for one in overview["loaded"] if one["live"]}
    others = [
        place
        for place, one in enumerate(sources)
        if one.preview is not None and one.preview.get("bundle", "") not in {*live, ""}
    ]
    return 0, others[0] if others else min(1, len(sources) - 1)


def compared_request(
    user_id: str, source: ListSource, k: int, hides_seen: bool, columns: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A list that nobody is shown, with the way to it."""
    request: dict[str, Any] = {
        "user_id": user_id,
        "k": k,
        "exclude_seen": hides_seen,
        "metadata": [column["name"] for column in columns],
        "explain": True,
        "scenario": "app",
        "log_exposure": False,
        "trace": True,
    }
    return request if source.preview is None else {**request, "preview": dict(source.preview)}
