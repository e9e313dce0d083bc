"""Types of the settings that belong to a command and not to a constructor, by command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

Stage = Literal["valid", "test"]

_PATHS: dict[str, object] = {"paths.cache_dir": str, "paths.prepared_dir": str, "paths.runs_dir": str}

#: Of commands that open a run, whose configuration may name a user's own classes.
_OPENS_RUNS: dict[str, object] = {"trusted_modules": Sequence[str]}

#: Of commands that make lists of a run; null is as the run says.
_SEEN: dict[str, object] = {"exclude_seen": bool | Mapping[str, Any] | None}

_TRAINING: dict[str, object] = {
    **_PATHS,
    "seed": int,
    "strict": bool,
    "view": Literal["implicit", "explicit"] | None,
    "refit": bool,
    "refit_epochs": int | None,
    "chosen_by": str | None,
    "name": str,
    "resume": str | None,
    "sweep": str | None,
    **_OPENS_RUNS,
    "show_users": int,
    "weight_transform": Literal["none", "log1p", "binary"],
    "exclude_seen": bool | Mapping[str, Any],
    "trainer.max_epochs": int,  # Lightning takes null for a thousand
    "trainer.accelerator": str,
    "pretraining": Mapping[str, Mapping[str, Any]] | None,
    "sources_training": Mapping[str, Mapping[str, Any]],
}

#: Those of a request, which says itself what is wrong with filters, ids and features.
_REQUEST: dict[str, object] = {
    "user": Any,
    "history": Any,
    "ratings": Any,
    "user_features": Any,
    "k": int,
    "exclude_items": Any,
    "filters": Any,
    "diversity": Literal["mmr", "calibrated"] | None,
    "diversity_weight": float,
    "diversity_column": str | None,
    "explain": bool,
}

#: Each command's settings with their types. ``Any`` is what the command reads itself, such as ids as they were typed.
PLAIN_SETTINGS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "train": {**_TRAINING, "refit": bool | Literal["all"]},
        "tune": {
            **_TRAINING,
            "search": Any,
            "trials": int,
            "metric": str | None,
            "direction": Literal["maximize", "minimize"] | None,
            "validation": Literal["split", "sampled_negatives"],
            "sampler_seed": int,
            "output": str,
        },
        "benchmark_models": {
            **_TRAINING,
            "tuned": Mapping[str, Sequence[str]] | None,
            "minutes": float | None,
            "trials": int,
            "models": Sequence[str] | None,
            "leave_out": Sequence[str],
            "sampler_seed": int,
            "baseline": str,
            "metric": str,
            "k": int,
            "output": str | None,
        },
        "cross_validate": {**_TRAINING, "folds": int, "split.valid_ratio": float | None, "output": str},
        "cold_start": {**_TRAINING, "num_fold_in": Sequence[int], "k": int, "output": str, "baselines": Sequence[Any]},
        "simulate_elicitation": {
            **_TRAINING,
            "questions": Sequence[int],
            "num_components": int,
            "stage": Stage,
            "k": int,
            "output": str,
        },
        "prepare": {**_PATHS, "strict": bool},
        "elicit": {
            **_PATHS,
            **_OPENS_RUNS,
            "run": str | None,
            "k": int,
            "known": Any,
            "unknown": Any,
            "num_components": int,
            "seed": int,
            "strict": bool,
        },
        "evaluate": {**_OPENS_RUNS, **_SEEN, "run": str, "stage": Stage, "output": str | None, "save_per_user": bool},
        "evaluate_pipeline": {
            **_OPENS_RUNS,
            **_SEEN,
            "run": str,
            "ranker": str | None,
            "retrieval": Literal["scores", "vectors"],
            "stage": Stage,
            "num_candidates": int,
            "k": int,
            "diversity": Literal["mmr", "calibrated"] | None,
            "diversity_weight": float,
            "diversity_weights": Sequence[float],
            "diversity_column": str | None,
            "explain": bool,
            "output": str,
        },
        "compare": {
            **_OPENS_RUNS,
            "runs": Sequence[str],
            "newer": str | None,
            "columns": Mapping[str, Any] | None,
            "repeats": Literal["drop", "keep"],
            "metric": str,
            "k": int,
            "baseline": str | None,
            "test": Literal["permutation", "t", "wilcoxon"],
            "correction": Literal["holm", "benjamini_hochberg", "none"],
            "alpha": float,
            "output": str,
        },
        "export": {
            **_OPENS_RUNS,
            **_SEEN,
            "run": str,
            "ranker": str | None,
            "output": str,
            "index": str,
            "recall_target": float,
            "rescore": int | None,
            "storage": Literal["float32", "float16", "int8"],
            "precision": Literal["float32", "float16", "int8"],
            "num_candidates": int,
            "num_neighbours": int,
            "max_history": int | None,
            "histories": bool,
            "filters": Any,
            "popular_days": float | None,
        },
        "export_triton": {
            "bundle": str,
            "output": str,
            "version": int | None,
            "instances": int,
            "models": Literal["in_process", "triton"],
        },
        "promote": {
            "bundle": str | None,
            "version": int | None,
            "roll_back": bool,
            "alias": str,
            "registry.uri": str,
            "registry.name": str,
        },
        "triton_server": {
            "action": Literal["start", "status", "stop", "serve"],
            "directory": str,
            "repository": str | None,
            "version": int | None,
            "address": str,
            "memory_gb": float | None,
            "url": str | None,
            "http_port": int | None,
            "grpc_port": int | None,
            "metrics_port": int | None,
            "python": str | None,
            "timeout_seconds": float,
        },
        "recommend": {**_REQUEST, **_OPENS_RUNS, "run": str | None, "bundle": str | None, "num_candidates": int},
        "similar": {**_OPENS_RUNS, "run": str | None, "bundle": str | None, "item": Any, "k": int},
        "recommend_all": {
            **_OPENS_RUNS,
            "run": str | None,
            "bundle": str | None,
            "output": str,
            "users": str | None,
            "k": int,
            "titles": bool,
            "exclude_items": Any,
            "exclude_seen": Any,
            "now": Any,
            "filters": Any,
            "diversity": Literal["mmr", "calibrated"] | None,
            "diversity_weight": float,
            "diversity_column": str | None,
            "part_size": int,
        },
        "update_items": {
            "table": str,
            "item": str,
            "columns": Sequence[str] | None,
            "skip_unknown": bool,
            "version": int | None,
            "repository": str | None,
            "directory": str,
        },
        "query_triton": {
            **_REQUEST,
            "protocol": Literal["grpc", "http"],
            "url": str | None,
            "directory": str,
            "repository": str | None,
        },
    }
)
