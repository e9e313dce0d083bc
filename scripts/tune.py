"""Search for the best settings on validation: ``python scripts/tune.py model=ease data=movielens_100k trials=30``.

What is searched is in ``configs/search/<model>.yaml``. The test part of the split is not read. The same command goes on
with a study that was interrupted. The last lines of the output are the command of the best settings and the directory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import as_typed, same_command
from recsys.cli.overrides import setting_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.studies.tuning.objective import TrialResult
    from recsys.studies.tuning.study import FinishedTrial


#: Settings of ``tune.yaml``; all others are those of a training.
OWN = ("search", "trials", "metric", "direction", "validation", "sampler_seed", "output")


@config_command("tune")
def main(config: DictConfig) -> None:
    """Run the trials, print each, and leave the best settings behind."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from recsys.cli.configuration import compose_config
    from recsys.cli.console import console
    from recsys.cli.progress import progress
    from recsys.runs.run_directory import TRACKING
    from recsys.runs.starting import resolved
    from recsys.studies.tuning.best_settings import BEST, BestSettings
    from recsys.studies.tuning.identity import study_identity
    from recsys.studies.tuning.metric import best_direction, default_metric
    from recsys.studies.tuning.objective import Objective
    from recsys.studies.tuning.search_space import SearchSpace
    from recsys.studies.tuning.study import TRIALS, Study

    choices = HydraConfig.get().runtime.choices
    fixed = [text for text in HydraConfig.get().overrides.task if setting_of(text) not in OWN]
    space = SearchSpace.of(config.get("search"), choices.model)
    start = resolved(compose_config("train", fixed))
    config.metric = config.metric or default_metric(start)
    direction = config.direction or best_direction(config.metric)
    objective = Objective(start, config.metric, config.validation)
    space = space.for_data(objective.view.interactions, choices.model)
    console.print(f"{objective.prepared.schema.name}: {len(objective.split.train):,} training interactions")
    hashes = (objective.prepared.schema.content_hash, objective.split.content_hash())
    identity = study_identity(*hashes, config.metric, start)
    study = Study(Path(config.output), space, identity, direction, config.sampler_seed, space.start(start, choices))

    def measure(overrides: dict[str, str]) -> TrialResult:
        return objective(resolved(compose_config("train", [*fixed, *(f"{n}={v}" for n, v in overrides.items())])))

    def show(trial: FinishedTrial) -> None:
        line = trial.line(config.metric, config.trials, study.best())
        console.print(line)
        bar.advance()
        if trial.result is not None:
            numbers = {config.metric: trial.result.value, "seconds": trial.result.seconds}
            tracker.log_child(f"trial {trial.number}", trial.overrides, numbers)

    if there := len(study.finished()):
        console.print(f"{there} of {config.trials} trials were there already")
    tracker = instantiate(config.tracking)
    tags = {"model": choices.model, "data": objective.prepared.schema.name}
    tracker.start(f"tune {config.name}", OmegaConf.to_container(start), Path(config.output) / TRACKING, tags)
    try:
        with progress.bar("trials", config.trials, done=there) as bar:
            study.run(config.trials, measure, show)
    except BaseException as error:
        tracker.fail()
        if isinstance(error, KeyboardInterrupt):
            console.print(f"not finished; to go on: {same_command('tune')}")
        raise
    refit = config.validation == "split"
    best = BestSettings.of(study.best(), config.metric, fixed, refit, len(study.finished()))
    best.save(Path(config.output))
    tracker.finish({config.metric: best.value}, [Path(config.output) / name for name in (BEST, TRIALS)])
    console.print_command(as_typed(best.command))
    console.print(f"tuned: {config.output}", soft_wrap=True)


if __name__ == "__main__":
    main()
