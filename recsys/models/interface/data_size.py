"""The size of a data set, by which a model chooses those of its defaults that one number does not suit."""

from __future__ import annotations

from dataclasses import dataclass

#: Written in place of a number that the model chooses by the size of the data.
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class DataSize:
    """The size of a data set.

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary.
        num_interactions: pairs of a user and an item with a positive interaction, each once.
    """

    num_users: int
    num_items: int
    num_interactions: int

    @property
    def density(self) -> float:
        """Share of all pairs of a user and an item that interactions are."""
        return self.num_interactions / max(self.num_users * self.num_items, 1)
