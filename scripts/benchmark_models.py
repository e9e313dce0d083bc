"""Rank all models on one data set: ``python scripts/benchmark_models.py data=table data.interactions=FILE minutes=10``.

The minutes are spread over the models that fit the data. Settings are chosen on validation; the best ones of each model
are tested once. A data set with tuned settings, ``configs/tuned/<data>.yaml``, is not searched unless ``minutes`` is
given: each row is a run of ``scripts/train.py``. Further overrides are given to all trainings. ``resume=DIR`` goes on
with a benchmark that was interrupted. The last line of the output is ``results: FILE``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("benchmark_models")
def main(config: DictConfig) -> None:
    """Search, or take the tuned settings; test, compare, and write the page."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.studies.benchmark.tuned_benchmark import run_tuned
    from recsys.studies.leaderboard.command import resume_search, start_search

    given, choices = HydraConfig.get().overrides.task, HydraConfig.get().runtime.choices
    if config.resume is not None:
        resume_search(config, given)
    elif config.get("tuned") and config.minutes is None:
        run_tuned(config, given, choices.data)
    else:
        start_search(config, given)


if __name__ == "__main__":
    main()
