"""Cross-validate one model: ``python scripts/cross_validate.py model=biased_mf data=movielens_100k folds=5``.

Any setting of a training may be given. The last line of the output names the JSON file with all numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


#: Numbers that are shown, where they were measured; the file has all.
SHOWN = ("test/rmse", "test/mae", "test/ndcg@10", "test/recall@10", "test/precision@10", "test/coverage@10")


@config_command("cross_validate")
def main(config: DictConfig) -> None:
    """Fit and test on each fold, then print the table."""
    from recsys.cli.console import console
    from recsys.cli.output_directory import make_place_for_file
    from recsys.reporting.evaluation_tables import folds_table
    from recsys.runs.starting import resolved
    from recsys.studies.cross_validation import CrossValidation

    config = resolved(config)
    make_place_for_file(Path(config.output), "results", "output=")
    validation = CrossValidation(config)
    view, num_folds = validation.view, config.split.num_folds
    console.print(
        f"{validation.prepared.schema.name}: {len(view.interactions):,} interactions ({view.kind} view) in "
        f"{num_folds} folds; {validation.model_name}"
    )
    folds = []
    for fold in validation.folds(console.print):
        folds.append(fold)
        found = [name for name in SHOWN if name in fold.metrics]
        shown = "  ".join(f"{name.removeprefix('test/')} {fold.metrics[name]:.4f}" for name in found)
        line = f"fold {len(folds)}/{num_folds}  fitted in {fold.seconds:.1f} s  {shown}"
        console.print(line)
    numbers = [fold.metrics for fold in folds]
    metrics = [name for name in SHOWN if name in numbers[0]]
    console.print(folds_table(numbers, metrics, f"{validation.model_name} on {validation.prepared.schema.name}"))
    console.print(f"fitted in {sum(fold.seconds for fold in folds):.1f} s in all")
    validation.save(folds, Path(config.output))
    console.print(f"cross-validation: {config.output}", soft_wrap=True)


if __name__ == "__main__":
    main()
