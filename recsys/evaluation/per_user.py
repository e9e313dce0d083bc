"""The metrics of each user as one table, so that two models can be compared user by user later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.columns import USER_ID
from recsys.data.vocabulary import Vocabulary
from recsys.errors import EvaluationError
from recsys.evaluation.fixed_negatives import FixedNegativesResult
from recsys.evaluation.means import FloatArray
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.segments import USER_ACTIVITIES, USER_ACTIVITY


def per_user_table(
    ranking: RankingResult, vocabulary: Vocabulary, fixed_negatives: FixedNegativesResult | None = None
) -> pa.Table:
    """One row for each evaluated user, in ascending order of the internal index.

    ======================================  =======================================================================
    column                                  what it is
    ======================================  =======================================================================
    ``user_id``                             external id, string
    ``user_activity``                       the user's segment: ``low``, ``mid`` or ``high``
    ``ndcg@10``, ``recall@10``, ...         each accuracy metric at each cut-off, float64
    ``novelty@10``, ``diversity@10``        novelty and diversity of the user's list, float64
    ``item_popularity=tail/recall@10``      recall of the user's held-out items in that segment, float64
    ``item_warmth=cold/recall@10``          recall of items without a training interaction, if there are any, float64
    ``cold_catalogue/recall@10``            recall in a ranking of such items alone, float64
    ``sampled-99/hit_rate@10``              hit rate among fixed negatives, if the data set has them, float64
    ======================================  =======================================================================

    A value that is undefined for a user is null: neither zero nor NaN.

    Args:
        ranking: the result of ranking the full catalogue.
        vocabulary: external ids of the users.
        fixed_negatives: the result among fixed negatives of the same users or of some of them.

    Raises:
        EvaluationError: ``fixed_negatives`` has rows of users that ``ranking`` lacks, or several rows of one user.
    """
    columns: dict[str, pa.Array] = {
        USER_ID: vocabulary.ids_of(ranking.users),
        USER_ACTIVITY: pa.array(np.array(USER_ACTIVITIES)[ranking.user_activity]),
    }
    values = ranking.per_user | ranking.per_user_beyond
    if fixed_negatives is not None:
        values |= _spread(fixed_negatives, ranking.users)
    for name, column in values.items():
        columns[name] = pa.array(column, pa.float64(), from_pandas=True)  # NaN becomes null
    return pa.table(columns)


def _spread(result: FixedNegativesResult, users: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
    """The values of ``result`` in the order of ``users`` (ascending), NaN for users without a row."""
    place = np.searchsorted(users, result.users)
    known = users[np.minimum(place, len(users) - 1)] == result.users
    if not known.all() or len(np.unique(place)) < len(place):
        raise EvaluationError(
            "fixed negatives must have at most one row for each user of the full ranking, and no other users; of "
            f"{len(place)} rows {int((~known).sum())} have other users and {len(place) - len(np.unique(place))} a user "
            "again: evaluate both on the same split"
        )
    columns = {}
    for name, values in result.per_row.items():
        column = columns[f"sampled-{result.num_negatives}/{name}"] = np.full(len(users), np.nan)
        column[place] = values
    return columns
