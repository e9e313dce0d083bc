"""What the page of models says of one, beside what its protocols say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A row of ``docs/models.md``; a model has it as the class attribute ``card``.

    Args:
        summary: what the model is, and the papers it is from.
        settings: names of its main settings, as in its file in ``configs/model``.
        use: when to choose it.
        gives: what its query encoder gives where it is served: ``a vector`` or ``scores``.
        served_from: what that is computed from.
        weights: what the model does with the weights of interactions, such as quantities.
    """

    summary: str
    settings: tuple[str, ...]
    use: str
    gives: str
    served_from: str
    weights: str = "not used"
