"""How many users a validation ranks for: all of them, unless that takes more than the epoch it follows.

Shape suffixes: U users with held-out items, I items of the catalogue.
"""

from __future__ import annotations

from torch import nn

from recsys.models.interface.protocols import Factorized

#: Fewer users are never drawn: with 10,000 a mean whose values have a standard deviation of .3 is known to .003.
MIN_USERS = 10_000

#: What a step on one pair costs, in pairs of a full ranking. A ranking by inner products is one product of matrices,
#: a step gathers rows, goes backward and updates them: measured with 64 dimensions on a CPU, 275 ns against 16.
STEP_OF_FACTORS = 16
#: A network of pairs does for each pair of a ranking what a step does on its way forward, and no more.
STEP_OF_NETWORK = 4


def cost_of_step(network: nn.Module) -> int:
    """What a step on one pair costs, in pairs that ``network`` ranks."""
    return STEP_OF_FACTORS if isinstance(network, Factorized) else STEP_OF_NETWORK


def num_validated(num_users: int, num_items: int, epoch_cost: float | None, wanted: int | None) -> int:
    """Users that a validation ranks for.

    Ranking for all users scores ``U * I`` pairs. Where that is more than the epoch costs, as many users are ranked for
    as take what the epoch takes, but at least :data:`MIN_USERS`.

    Args:
        num_users: U.
        num_items: I.
        epoch_cost: of the steps of an epoch, in pairs of a full ranking; None: not counted, then all users are.
        wanted: users at most, whatever they cost; None: as above.
    """
    if wanted is not None:
        return min(num_users, wanted)
    if epoch_cost is None or num_users * num_items <= epoch_cost:
        return num_users
    return min(num_users, max(MIN_USERS, int(epoch_cost // max(num_items, 1))))


def sample_note(num_drawn: int, num_users: int, num_items: int, epoch_cost: float | None, wanted: int | None) -> str:
    """Says that a validation is of a sample, why, and what to set; arguments as for :func:`num_validated`."""
    said = f"validation ranks for a sample of {num_drawn:,} of {num_users:,} users, the same in each epoch"
    if wanted is not None or epoch_cost is None:
        return f"{said} (training.validation_users={wanted})"
    times = num_users * num_items / epoch_cost
    return f"{said}: for all it would take {times:.1f} times an epoch. training.validation_users={num_users} takes all."
