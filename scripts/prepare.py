"""Prepare a data set: ``python scripts/prepare.py data=movielens_100k preparation.min_user_interactions=5``.

Data that are prepared already are opened and described. The last line of the output is ``prepared: DIR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.cli.text_table import TextTable
    from recsys.data.schema import Schema


@config_command("prepare")
def main(config: DictConfig) -> None:
    """Print what the prepared data hold and what was removed."""
    from recsys.cli.console import console
    from recsys.runs.assembly import build_data

    prepared = build_data(config)
    console.print(counts_table(prepared.schema))
    for rule in prepared.schema.rules:
        statement = f" ({rule.statement})" if any(rule.removed.values()) or rule.note else ""
        console.print(f"{rule}{statement}", soft_wrap=True)
    console.print(f"prepared: {prepared.directory}", soft_wrap=True)


def counts_table(schema: Schema) -> TextTable:
    """Sizes and ranges, one a row."""
    from rich import box

    from recsys.cli.text_table import TextTable
    from recsys.data.times import format_moment

    table = TextTable(title=schema.name, box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rows = {
        "users": f"{schema.num_users:,}",
        "items": f"{schema.num_items:,}",
        "interactions": f"{schema.num_interactions:,}",
        "density": f"{schema.density:.4%}",
    }
    if schema.positive_threshold is not None:
        rows[f"positives (rated {schema.positive_threshold:g} or higher)"] = f"{schema.num_positives:,}"
    if schema.rating is not None:
        rows["ratings"] = f"{schema.rating.min:g} to {schema.rating.max:g}, mean {schema.rating.mean:.2f}"
    if schema.weight is not None:
        rows["weights"] = f"{schema.weight.min:g} to {schema.weight.max:g}, mean {schema.weight.mean:.2f}"
    if schema.timestamp is not None:
        rows["time"] = f"{format_moment(schema.timestamp.first)} to {format_moment(schema.timestamp.last)}"
    for fold, count in (schema.folds or {}).items():
        rows[f"fold {fold}"] = f"{count:,}"
    if schema.num_fixed_negatives is not None:
        rows["fixed negatives a user"] = f"{schema.num_fixed_negatives:,}"
    rows["user features"] = ", ".join(feature.name for feature in schema.user_features) or "none"
    rows["item features"] = ", ".join(feature.name for feature in schema.item_features) or "none"
    for name, value in rows.items():
        table.add_row(name, value)
    return table


if __name__ == "__main__":
    main()
