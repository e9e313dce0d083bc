"""Puts a training together from its configuration: data, model and plan, checked before anything is written."""

from __future__ import annotations

from collections.abc import Callable

from omegaconf import DictConfig
from torch import nn

from recsys.distributed.process_group import main_first
from recsys.evaluation.model_report import model_name
from recsys.models.interface.capabilities import capabilities
from recsys.runs.assembly import build_baseline, build_data, build_model, build_view
from recsys.runs.fit_plan import fit_plan
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import RunDirectory
from recsys.runs.several_devices import shared_run
from recsys.runs.sized_settings import sized_model
from recsys.runs.training_run import TrainingRun


def assemble_training(
    config: DictConfig, run: RunDirectory | None, print_line: Callable[[str], None]
) -> tuple[TrainingRun, nn.Module]:
    """The training that a configuration asks for, and its fresh model.

    Args:
        config: resolved; receives what the data say of the model's settings.
        run: of an interrupted training; None for a new directory, which is made once all settings were found right.
        print_line: receives lines on the data and the model, and those of the training.

    Raises:
        RecsysError: the data cannot be prepared, or a setting is wrong.
    """
    with main_first():
        prepared = build_data(config)
    config.model, chosen = sized_model(config.model, prepared)
    if chosen:
        print_line(chosen)
    model = build_model(config.model, config.seed, prepared)
    view = build_view(config, prepared, model)
    plan = fit_plan(config, view.interactions, model)
    rows = plan.checked
    print_line(
        f"{prepared.schema.name}: {prepared.schema.num_users:,} users, {prepared.schema.num_items:,} items, "
        f"{len(rows.train):,} training, {len(rows.valid):,} validation, {len(rows.test):,} test interactions "
        f"({view.kind} view)"
    )
    print_line(f"{model_name(model)}: {', '.join(capabilities(model))}")
    ModelFitter(config, view, rows).check(model)
    build_baseline(config, prepared)
    return TrainingRun(config, prepared, view, plan, shared_run(config, run), print_line), model
