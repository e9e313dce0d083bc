import numpy as np
import pytest

from recsys.errors import EvaluationError
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.retrieval.seen_policy import SeenPolicy
from tests.data.splitting.generated import make

DAY = 86_400


def test_all_or_none_are_left_out_whatever_their_times() -> None:
    known, targets = make([0, 1]), make([0, 1])
    assert ONLY_NEW.left_out(known, targets).tolist() == [True, True]
    assert KnownItems(SeenPolicy(False)).left_out(known, targets).tolist() == [False, False]


def test_days_count_back_from_the_first_held_out_interaction_of_the_user() -> None:
    known = make([0, 0, 1, 1, 2], timestamps=[0, 2 * DAY, 0, 2 * DAY, 0], num_users=3)
    targets = make([0, 0, 1], timestamps=[9 * DAY, 3 * DAY, 30 * DAY], num_users=3)
    # User 0 on day 3: that of day 2 is left out. User 1 on day 30: all come back. User 2 is not recommended to.
    marks = KnownItems(SeenPolicy(True, 2.5)).left_out(known, targets)
    assert marks[:4].tolist() == [False, True, False, False]


def test_no_other_way_to_treat_repeats() -> None:
    with pytest.raises(EvaluationError, match="evaluation.repeats must be drop or keep, but it is 'both'"):
        KnownItems(repeats="both")  # type: ignore[arg-type]


def test_times_are_needed_for_days() -> None:
    with pytest.raises(EvaluationError, match="needs the times of interactions"):
        KnownItems(SeenPolicy(True, 2.0)).left_out(make([0]), make([0], timestamps=np.array([1]).tolist()))
