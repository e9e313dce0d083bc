"""The models by the names of their classes, made from ``configs/model`` when they are asked for.

``models.pyi`` beside this file tells static tools of them; ``make models-page`` writes it.
"""

from __future__ import annotations

from recsys.api.estimator import Estimator
from recsys.api.estimator_class import estimator_class
from recsys.cli.model_choices import model_choices


def __getattr__(name: str) -> type[Estimator]:
    if name not in model_choices():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return estimator_class(name)


def __dir__() -> list[str]:
    return sorted(model_choices())
