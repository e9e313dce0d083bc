"""Worlds whose truth is known, for benchmarks/experiment_statistics.py: logs of policies, and users of two rankers."""

from __future__ import annotations

import numpy as np

from recsys.experiments.interleaving import team_draft
from recsys.experiments.off_policy.estimates import LoggedFeedback

CONTEXTS, ACTIONS, POSITIONS = 4, 6, 5


def logged(
    generator: np.random.Generator, rows: int, scales: tuple[float, float], slate: bool
) -> tuple[LoggedFeedback, float]:
    """A log of a softmax policy, and the true value of another one; by how much each likes what is good."""
    tables = np.random.default_rng(0)  # the world is the same in all experiments
    places = POSITIONS if slate else 1
    rewards = tables.beta(1, 5, (CONTEXTS, places, ACTIONS))
    taste = tables.normal(0, 1, (CONTEXTS, places, ACTIONS)) + 4 * rewards
    logging, target = (np.exp(scale * taste) for scale in scales)
    logging, target = (table / table.sum(axis=-1, keepdims=True) for table in (logging, target))
    model = np.clip(rewards + tables.normal(0, 0.05, rewards.shape), 0, 1)
    x = generator.integers(0, CONTEXTS, rows)
    chosen = (generator.random((rows, places, 1)) > logging[x].cumsum(axis=-1)).sum(axis=-1)
    place = np.arange(places)
    got = generator.random((rows, places)) < rewards[x[:, None], place, chosen]
    pick = (x[:, None], place, chosen)
    feedback = LoggedFeedback(got, logging[pick], target[pick], model[pick], (target[x] * model[x]).sum(axis=-1))
    return feedback, float((target * rewards).sum(axis=-1).mean(axis=0).sum())


def ranker_outcomes(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distributions of a user's outcome: clicks of each ranker's list, shape [2, 11], and preference -1, 0, 1.

    Users come with one of 30 needs; each ranker orders 30 items by their relevance and noise, of which the first has
    more; a user looks at position p with probability ``1 / (1 + p)**.5`` and clicks on what is relevant.
    """
    generator = np.random.default_rng(0)
    k, looked_at = 10, 1 / np.sqrt(1 + np.arange(10))
    clicks, preference = np.zeros((2, k + 1)), np.zeros(3)
    for need in range(30):
        relevance = generator.beta(1, 6, 30)
        orders = [np.argsort(-(relevance + generator.normal(0, scale, 30))) for scale in (noise, 0.02)]
        for ranker, order in enumerate(orders):
            clicks[ranker] += convolved(relevance[order[:k]] * looked_at) / 30
        names = [[str(item) for item in order[:k]] for order in orders]
        for draw in range(40):
            drawn = team_draft(*names, k, f"{need}-{draw}")
            chance = relevance[[int(item) for item in drawn.item_ids]] * looked_at
            teams = np.array(drawn.teams)
            first, second = (convolved(chance[teams == team]) for team in ("first", "second"))
            joint = np.outer(first, second)
            signs = np.sign(np.subtract.outer(-np.arange(len(first)), -np.arange(len(second)))).astype(int)
            np.add.at(preference, signs + 1, joint / (30 * 40))
    return clicks[0], clicks[1], preference


def convolved(chances: np.ndarray) -> np.ndarray:
    """Distribution of the number of clicks, from the chance of each position."""
    total = np.ones(1)
    for chance in chances:
        total = np.convolve(total, [1 - chance, chance])
    return total
