from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from recsys.errors import SettingsError
from recsys.retrieval.seen_policy import SECONDS_PER_DAY, SeenPolicy

DAY = SECONDS_PER_DAY


@pytest.mark.parametrize(
    ("written", "text"),
    [(True, "true"), (False, "false"), ({"after_days": 30}, "{after_days: 30}"), ({"after_days": 0.5}, None)],
)
def test_each_form_is_read_and_written_again(written: object, text: str | None) -> None:
    policy = SeenPolicy.parse(written)
    assert policy.written() == written
    assert SeenPolicy.parse(policy.written()) == SeenPolicy.parse(policy) == policy
    assert text is None or str(policy) == text


def test_settings_of_hydra_and_numbers_of_numpy_are_read() -> None:
    assert SeenPolicy.parse(OmegaConf.create({"after_days": 7})) == SeenPolicy(True, 7)
    assert SeenPolicy.parse({"after_days": np.int64(7)}).written() == {"after_days": 7}
    assert SeenPolicy.parse(np.bool_(False)) == SeenPolicy(False)


@pytest.mark.parametrize(
    "written", [None, "yes", 1, 30, {}, {"after_days": None}, {"days": 3}, {"after_days": 3, "more": 1}, [True]]
)
def test_other_forms_are_refused_with_those_that_there_are(written: object) -> None:
    with pytest.raises(SettingsError, match=r"exclude_seen must be true, false or \{after_days: DAYS\}"):
        SeenPolicy.parse(written)


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), "30", True])
def test_days_are_a_number_above_zero(days: object) -> None:
    with pytest.raises(SettingsError, match="exclude_seen.after_days must be a number of days above 0"):
        SeenPolicy.parse({"after_days": days})


def test_what_is_never_left_out_cannot_come_back() -> None:
    with pytest.raises(SettingsError, match="never left out"):
        SeenPolicy(excludes=False, after_days=3)


def test_an_item_comes_back_so_many_days_after_its_interaction_and_not_a_second_sooner() -> None:
    policy, now = SeenPolicy.parse({"after_days": 2}), 10 * DAY
    times = np.array([now - 2 * DAY - 1, now - 2 * DAY, now - 2 * DAY + 1, now, now + 5])
    np.testing.assert_array_equal(policy.excluded(times, now), [False, False, True, True, True])


def test_without_times_seen_items_stay_out_and_an_unknown_time_counts_as_late() -> None:
    policy = SeenPolicy.parse({"after_days": 2})
    assert policy.needs_times
    assert policy.excluded(None, now=0) is True
    np.testing.assert_array_equal(policy.excluded(np.array([np.iinfo(np.int64).min, 0]), now=10 * DAY), [True, False])


@pytest.mark.parametrize("excludes", [True, False])
def test_policies_without_days_ask_for_no_times(excludes: bool) -> None:
    policy = SeenPolicy.parse(excludes)
    assert not policy.needs_times
    assert policy.excluded(np.array([1, 2]), now=3) is excludes


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(-(2**63) + 1, 2**63 - 1), st.integers(1, 10**400))
def test_no_time_overflows(now: int, seen: int, days: int) -> None:
    excluded = SeenPolicy(True, days).excluded(np.array([seen]), now)
    assert bool(np.all(excluded)) == (now - seen < days * DAY)


@given(st.one_of(st.booleans(), st.integers(1, 10**6).map(lambda days: {"after_days": days})), st.integers(0, 2**40))
def test_the_latest_return_tells_what_is_left_out(written: object, now: int) -> None:
    policy, times = SeenPolicy.parse(written), np.array([0, now // 2, now])
    np.testing.assert_array_equal(np.broadcast_to(policy.excluded(times, now), 3), times > policy.latest_return(now))
