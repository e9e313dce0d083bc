"""Lists of candidates with labels that no score has seen.

Shape suffixes: B users of a batch, N lists, C candidates of each, I items of the catalogue, F features.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import IntArray, Interactions
from recsys.data.user_items import UserItems
from recsys.errors import SettingsError
from recsys.models.interface.protocols import Query, RanksCandidates
from recsys.models.linalg.row_positions import row_positions
from recsys.training.candidate_selection import CandidateSelector
from recsys.training.stacking_folds import Folds

#: Scores of sources that are held at once, a bound on memory.
MAX_SCORES = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class CandidateLists:
    """N lists, each of one user with at least one relevant candidate.

    Args:
        users: shape [N], int64.
        items: candidates in ascending order, shape [N, C], int64; 0 where there is none.
        present: whether there is a candidate, shape [N, C], bool.
        relevant: whether it was held out for the user, shape [N, C], bool.
        described: features, as the model's ``candidate_features`` gives them, shape [N, C, F], float32.
    """

    users: Tensor
    items: Tensor
    present: Tensor
    relevant: Tensor
    described: Tensor

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def joined(cls, parts: Sequence[CandidateLists]) -> CandidateLists:
        """All lists of ``parts``, padded to one length."""
        longest = max(part.items.shape[1] for part in parts)

        def join(name: str) -> Tensor:
            columns = []
            for part in parts:
                values = getattr(part, name)
                padded = values.new_zeros(len(values), longest, *values.shape[2:])
                padded[:, : values.shape[1]] = values
                columns.append(padded)
            return torch.cat(columns)

        return cls(
            torch.cat([part.users for part in parts]),
            *(join(name) for name in cls.__dataclass_fields__ if name != "users"),
        )


def stack(
    model: nn.Module,
    interactions: Interactions,
    folds: Folds,
    candidates: CandidateSelector,
    fit_sources: Callable[[dict[str, nn.Module], IntArray, str], None],
    device: torch.device,
    seed: int,
) -> CandidateLists:
    """Fit the sources without each fold, and score its interactions with them.

    Args:
        model: ranks candidates; it is left as it is, copies of its sources are fitted.
        interactions: training interactions, each a positive.
        folds: which of them are held out.
        candidates: which items go into a list.
        fit_sources: fits sources without the given rows (int64), which are the fold of the given name.
        device: where to score.
        seed: of the choice of candidates.

    Raises:
        SettingsError: no list has both a relevant candidate and another one.
    """
    parts = []
    for number, chosen in enumerate(folds(interactions)):
        # All copies of a pair are held out together: what is to be found must not be known.
        held_out = np.flatnonzero(np.isin(interactions.pairs, interactions.pairs[chosen]))
        rest = np.setdiff1d(np.arange(len(interactions)), held_out, assume_unique=True)
        fold_model = copy.deepcopy(model)
        assert isinstance(fold_model, RanksCandidates), "checked by the caller"
        fit_sources(fold_model.source_models(), held_out, f"fold_{number}")
        known = interactions.take(rest)
        fold_model.observe_training(known)
        fold_model.to(device).eval()
        generator = torch.Generator(device).manual_seed(seed + number)
        targets = UserItems.from_interactions(interactions.take(held_out), device)
        parts += _lists_of(fold_model, Histories.from_interactions(known, device), targets, candidates, generator)
    if not parts:
        raise SettingsError(
            "A ranker learns from lists in which something that was held out stands beside something that was not, but "
            "there is no such list. Give more candidates (candidate_selector.*), or larger folds (stacking_folds.*)."
        )
    return CandidateLists.joined(parts)


@torch.inference_mode()
def _lists_of(
    model: RanksCandidates,
    histories: Histories,
    targets: UserItems,
    candidates: CandidateSelector,
    generator: torch.Generator,
) -> list[CandidateLists]:
    """The lists of one fold, in batches."""
    users = ((targets.counts > 0) & (histories.counts > 0)).nonzero()[:, 0]
    size = max(1, MAX_SCORES // (targets.num_items * 2 * max(len(model.source_models()), 1)))
    parts = []
    for batch in users.split(min(size, 256)):
        query = Query(batch, histories.take(batch))
        source_scores = model.score_sources(query)
        relevant = torch.zeros_like(source_scores.unseen)
        relevant[targets.pairs_of(batch)] = True
        chosen = candidates(model.of_sources(source_scores), relevant, generator)
        found = chosen & relevant
        useful = found.any(1) & (chosen & ~relevant).any(1)
        items, present = row_positions(chosen)
        lists = CandidateLists(
            batch,
            items,
            present,
            found.gather(1, items) & present,
            model.candidate_features(query, source_scores, items),
        )
        if useful.any():
            parts.append(_take(lists, useful))
    return parts


def _take(lists: CandidateLists, rows: Tensor) -> CandidateLists:
    """The lists at ``rows``, a mask of shape [N]."""
    return CandidateLists(*(getattr(lists, name)[rows] for name in CandidateLists.__dataclass_fields__))
