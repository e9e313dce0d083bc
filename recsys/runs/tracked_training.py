"""A training whose numbers are tracked while it runs, and that says how to go on with it where it was not finished."""

from __future__ import annotations

from omegaconf import OmegaConf
from torch import nn

from recsys.cli.commands import typed_command
from recsys.errors import CheckpointError
from recsys.evaluation.model_report import model_name
from recsys.runs.run_directory import ARTIFACTS, TRACKING
from recsys.runs.several_devices import lost_to_watcher, tracker_of
from recsys.runs.training_run import Outcome, TrainingRun


def train_tracked(training: TrainingRun, model: nn.Module) -> Outcome:
    """Fit and evaluate, tracked as the configuration says.

    Args:
        training: what is to be done; it receives a line where that ends early.
        model: a fresh one.

    Raises:
        RecsysError: the training cannot be done, see :meth:`TrainingRun.train`.
    """
    config, run = training.config, training.run
    tracker = tracker_of(config)
    tags = {"model": model_name(model), "data": training.prepared.schema.name}
    tracker.start(run.path.name, OmegaConf.to_container(config), run.path / TRACKING, tags)
    try:
        outcome = training.train(model, tracker.log_epoch)
        tracker.finish(outcome.metrics, [run.path / part for part in ARTIFACTS if (run.path / part).is_file()])
    except BaseException as error:
        tracker.fail()
        # From a damaged checkpoint nothing goes on; its error says what to do.
        if not (lost_to_watcher(error) or isinstance(error, CheckpointError)):
            training.print_line(f"not finished; to go on: {typed_command('train')} resume={run.path}")
        raise
    return outcome
