"""Results of an experiment as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from app.components.experiments.experiment_actions import traffic_of
from app.components.experiments.experiment_form import options_text
from app.components.tables import NOTHING, moment_text, number_text


def experiments_table(experiments: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """All experiments, the latest first."""
    rows = [
        [
            one["name"],
            one["status"],
            f"{traffic_of(one['definition']):.0%}",
            ", ".join(variant["name"] for variant in one["definition"]["variants"]),
            moment_text(one["started_at"]),
        ]
        for one in reversed(experiments)
    ]
    return pd.DataFrame(rows, columns=["Experiment", "Status", "Traffic", "Variants", "Started (UTC)"])


def variants_table(definition: Mapping[str, Any], num_units: Mapping[str, int] | None = None) -> pd.DataFrame:
    """The variants of an experiment, with the users that are analysed."""
    rows = [
        [
            one["name"],
            f"{one['share']:.0%}",
            options_text(one),
            NOTHING if num_units is None else f"{num_units.get(one['name'], 0):,}",
        ]
        for one in definition["variants"]
    ]
    return pd.DataFrame(rows, columns=["Variant", "Share", "What it is", "Users analysed"])


def looks_table(looks: Sequence[Mapping[str, Any]], variant: str, metric: str) -> pd.DataFrame:
    """A comparison at each look: the difference with control, and its always-valid interval.

    Args:
        looks: of the service, the earliest first.
        variant: that is compared with control.
        metric: its name.
    """
    rows = [
        [
            look["at"],
            one["control"],
            one["treatment"],
            one["difference"],
            one["low"],
            one["high"],
            one["verdict"],
            sum(look["num_units"].values()),
        ]
        for look in looks
        for one in look["comparisons"].get(variant, ())
        if one["metric"] == metric
    ]
    names = ["At", "Control", "Treatment", "Difference", "Low", "High", "Verdict", "Users"]
    return pd.DataFrame(rows, columns=names)


def told_looks(table: pd.DataFrame) -> pd.DataFrame:
    """The same for people, the latest look first."""
    told = table.iloc[::-1]
    return pd.DataFrame(
        {
            "Look (UTC)": [moment_text(at) for at in told["At"]],
            "Users": [f"{count:,}" for count in told["Users"]],
            "Control": [number_text(value) for value in told["Control"]],
            "Treatment": [number_text(value) for value in told["Treatment"]],
            "Difference": [number_text(value) for value in told["Difference"]],
            "Interval": [
                f"{number_text(low)} to {number_text(high)}"
                for low, high in told[["Low", "High"]].itertuples(index=False)
            ],
            "Verdict": list(told["Verdict"]),
        }
    )


def estimates_table(found: Mapping[str, Any]) -> pd.DataFrame:
    """Off-policy estimates of a policy, with what each rests on."""
    rows = [
        [
            one.get("estimator", NOTHING),
            number_text(one.get("value")),
            f"{number_text(one.get('low'))} to {number_text(one.get('high'))}",
            number_text((one.get("overlap") or {}).get("effective_size"), 0),
            one.get("verdict", NOTHING),
        ]
        for one in found["estimates"]
    ]
    return pd.DataFrame(rows, columns=["Estimate", "Reward of a list", "Interval", "Worth lists", "Verdict"])
