"""What asking new users is worth: ``python scripts/simulate_elicitation.py model=user_knn data=movielens_100k``.

Held-out users are asked for items that were chosen to tell users apart, for the most popular ones and for random ones.
What they know is their history then, and the recommendations are compared with what is held out of them. Any setting of
a training may be given. The last line of the output names the page.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import command_line
from recsys.cli.overrides import setting_of

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("simulate_elicitation")
def main(config: DictConfig) -> None:
    """Fit, ask, and print the table."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.console import console
    from recsys.cli.output_directory import make_place_for_file
    from recsys.runs.starting import resolved
    from recsys.studies.elicitation.measuring import POPULAR, ElicitationMeasurement
    from recsys.studies.elicitation.table import elicitation_table

    given = [text for text in HydraConfig.get().overrides.task if setting_of(text) != "output"]
    config = resolved(config)
    report = Path(config.output)
    make_place_for_file(report, "results", "output=")
    measurement = ElicitationMeasurement(config)
    results = list(measurement.results(lambda line: console.print(line)))
    table = elicitation_table(results, POPULAR, config.k)
    console.print(table.for_terminal())
    heading = f"# {measurement.model_name} on {measurement.prepared.schema.name}, {config.stage}"
    command = f"{command_line('simulate_elicitation')} {shlex.join(given)}".strip()
    report.write_text(f"{heading}\n\n`{command}`\n\n{table.markdown()}", encoding="utf-8")
    console.print(f"elicitation: {report}", soft_wrap=True)


if __name__ == "__main__":
    main()
