"""Keys of the command line that had another name in the version before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from recsys.errors import RunError

#: Of every command that composes a training: the key, or where it begins, and what it is now.
TRAINING_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "loss": "training/loss",
        "catalogue_loss": "training/catalogue_loss",
        "target_loss": "training/next_item_loss",
        "list_loss": "training/listwise_loss",
        "negatives": "training/negative_sampler",
        "optimizer": "training/optimizer",
        "scheduler": "training/scheduler",
        "candidates": "candidate_selector",
        "label_folds": "stacking_folds",
        "source_training": "sources_training",
        "model.gaps": "model.time_gaps",
        "model.reverse": "model.reverse_neighbours",
        "model.evidence": "model.baseline_weight",
        "model.recency.per_step": "model.recency.step_decay",
        "model.recency.per_day": "model.recency.day_decay",
    }
)

#: Of single commands.
COMMAND_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "recommend": {
            "blocked": "exclude_items",
            "only": "filters={COLUMN: {any_of: [...]}}",
            "without": "filters={COLUMN: {none_of: [...]}}",
            "between": "filters={COLUMN: {gte: LOW, lte: HIGH}}",
            "strength": "diversity_weight",
            "content": "diversity_column",
        },
        "query_triton": {"blocked": "exclude_items"},
        "evaluate_pipeline": {
            "strength": "diversity_weight",
            "strengths": "diversity_weights",
            "content": "diversity_column",
        },
        "benchmark_models": {"tested_against": "baseline"},
        "cold_start": {"given": "num_fold_in"},
    }
)

#: Options of commands that read their command line by themselves, and the settings that they are now.
OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "compare": {f"--{name}": name for name in ("metric", "k", "baseline", "test", "correction", "alpha", "output")},
        "triton_server": {
            "--timeout": "timeout_seconds",
            **{f"--{name.replace('_', '-')}": name for name in ("http_port", "grpc_port", "metrics_port")},
            **{f"--{name}": name for name in ("directory", "python", "url", "repository")},
        },
    }
)

#: Choices that had another name, as ``group=choice``.
CHOICES: Mapping[str, str] = MappingProxyType(
    {"training=history_targets": "training=next_item", "training=candidate_lists": "training=listwise"}
)

#: Commands whose configuration is that of a training.
TRAINING_COMMANDS = ("train", "tune", "benchmark_models", "cross_validate", "cold_start", "simulate_elicitation")


def check_renamed(command: str, arguments: Sequence[str]) -> None:
    """Require that no argument has a name of the version before.

    Args:
        command: name of the configuration, such as ``train``.
        arguments: of the command line.

    Raises:
        RunError: one has; the message says the new name.
    """
    keys = {**(TRAINING_KEYS if command in TRAINING_COMMANDS else {}), **COMMAND_KEYS.get(command, {})}
    for argument in arguments:
        option = OPTIONS.get(command, {}).get(argument.partition("=")[0])
        if option is not None:
            raise RunError(f"The option {argument!r} is a setting now. Write {option}=VALUE instead.")
        bare = argument.lstrip("+~")
        key, _, value = bare.partition("=")
        if bare in CHOICES:
            raise RunError(f"{bare!r} is called {CHOICES[bare]!r} now. Write that instead.")
        for old, new in keys.items():
            if key == old or key.startswith((f"{old}.", f"{old}/", f"{old}@")):
                rest = key.removeprefix(old)
                name = new.replace("/", ".") if rest.startswith(".") else new
                raise RunError(
                    f"The setting {key!r} is called {name + rest!r} now. Write that in place of {argument!r}."
                )
