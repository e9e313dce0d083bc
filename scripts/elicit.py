"""Items to ask a new user for: ``python scripts/elicit.py run=DIR k=10``, or ``data=movielens_100k`` without a run.

They are chosen so that few answers tell much of the user. With answers, the next ones are chosen by them:
``python scripts/elicit.py run=DIR known=[50,172] unknown=[1] k=5``. What the user knows is the history that
``scripts/recommend.py`` takes.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import typed_command
from recsys.errors import DataError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.data.prepared import PreparedDataset


@config_command("elicit")
def main(config: DictConfig) -> None:
    """Print the items, the best to ask for first."""
    from recsys.cli.command_line import id_setting
    from recsys.cli.console import console
    from recsys.cli.text_table import TextTable
    from recsys.elicitation.familiarity import FamiliarityModel
    from recsys.elicitation.preference_elicitation import PreferenceElicitation
    from recsys.runs.assembly import build_data
    from recsys.runs.trained_run import open_run

    prepared = build_data(config) if config.run is None else open_run(config.run).prepared
    known, unknown = (_items(config, name, prepared) for name in ("known", "unknown"))
    if both := set(known) & set(unknown):
        ids = ", ".join(prepared.item_vocabulary.ids[item].as_py() for item in sorted(both))
        raise DataError(f"An item is either known or not, but {ids} came as both. Leave it out of one.")
    elicitation = PreferenceElicitation(
        FamiliarityModel.from_interactions(prepared.positives(), config.num_components, config.seed)
    )
    elicitation.answer_all(known, True)
    elicitation.answer_all(unknown, False)
    probabilities = elicitation.probabilities()
    table = TextTable("item", "title", "known to", title="Does the user know")
    table.columns[0].justify = table.columns[2].justify = "right"
    items = elicitation.shortlist(config.k)
    for item, title in zip(items, prepared.titles(items), strict=True):
        table.add_row(prepared.item_vocabulary.ids[item].as_py(), title, f"{probabilities[item]:.0%}")
    console.print(table)
    if known and config.run is not None:
        history = ",".join(id_setting(prepared.item_vocabulary.ids[item].as_py()) for item in known)
        command = (
            f"{typed_command('recommend')} {shlex.quote(f'run={config.run}')} {shlex.quote(f'history=[{history}]')}"
        )
        console.print(f"recommendations now: {command}")


def _items(config: DictConfig, name: str, prepared: PreparedDataset) -> list[int]:
    """The items that ``name`` lists, once each, in the order given.

    Raises:
        DataError: an id is not in the data.
    """
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.command_line import ids_as_written

    if config[name] is None:
        return []
    ids = ids_as_written(name, config[name], HydraConfig.get().overrides.task)
    items = prepared.item_vocabulary.index_of(ids).tolist()
    missing = [item_id for item_id, item in zip(ids, items, strict=True) if item < 0]
    if missing:
        raise DataError(
            f"{name} must list items of {prepared.schema.name}, but it has no {', '.join(missing)}. Ids are compared "
            "as text, leading zeros included."
        )
    return list(dict.fromkeys(items))


if __name__ == "__main__":
    main()
