from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.preparation.repeats import num_pairs, resolve_repeats
from recsys.errors import DataWarning
from tests.data.preparation.made_interactions import PAIRS, listed, make


@st.composite
def events(draw: st.DrawFn) -> Interactions:
    pairs = draw(PAIRS)
    size = len(pairs)

    def drawn(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    return make(
        pairs,
        rating=drawn(st.sampled_from([1.0, 2.0, 5.0])),
        timestamp=drawn(st.integers(0, 4)),
        weight=drawn(st.integers(1, 5)) if draw(st.booleans()) else None,
        subsecond_ns=drawn(st.sampled_from([0, 1, 500_000_000])) if draw(st.booleans()) else None,
    )


def frame(rows: Interactions) -> pd.DataFrame:
    """The rows in the order of time, rows of the same moment in their order."""
    assert rows.moments is not None
    columns = {"pair": rows.pairs, "row": np.arange(len(rows)), "moment": rows.moments, "rating": rows.rating}
    columns["time"] = rows.timestamp
    columns["weight"] = np.ones(len(rows)) if rows.weight is None else rows.weight
    return pd.DataFrame(columns).sort_values(["moment", "row"], kind="stable")


# --- latest and first ------------------------------------------------------------------------------------------------


def test_the_latest_of_repeated_interactions_stays() -> None:
    kept, rule = resolve_repeats(
        make([(0, 1), (2, 2), (0, 1), (0, 1)], timestamp=[5, 1, 9, 7], rating=[1, 2, 3, 4]), "latest"
    )
    assert (listed(kept.rating), listed(kept.timestamp)) == ([2, 3], [1, 9])
    assert rule.removed == {"interactions": 2}
    assert listed(kept.first_timestamp) == [1, 5]  # user 0 had item 1 since 5


def test_the_first_stays_where_it_is_asked_for() -> None:
    rows = make([(0, 1), (2, 2), (0, 1), (0, 1)], timestamp=[5, 1, 9, 5], rating=[1, 2, 3, 4])
    kept, rule = resolve_repeats(rows, "first")
    assert (listed(kept.rating), listed(kept.timestamp)) == ([1, 2], [5, 1])
    assert (rule.removed, kept.first_timestamp) == ({"interactions": 2}, None)


def test_parts_of_a_second_decide_what_is_latest() -> None:
    rows = make([(0, 1), (0, 1)], rating=[4, 1], timestamp=[7, 7], subsecond_ns=[900_000_000, 100_000_000])
    assert listed(resolve_repeats(rows, "latest")[0].rating) == [4]
    assert listed(resolve_repeats(rows, "first")[0].rating) == [1]


def test_ties_in_time_leave_the_last_row() -> None:
    kept, _ = resolve_repeats(make([(0, 1), (0, 1), (3, 3)], timestamp=[5, 5, 5], rating=[1, 2, 3]), "latest")
    assert listed(kept.rating) == [2, 3]


def test_without_timestamps_the_last_row_stays() -> None:
    kept, _ = resolve_repeats(make([(0, 1), (4, 4), (0, 1)], rating=[1.0, 2.0, 3.0]), "latest")
    assert listed(kept.rating) == [2, 3]


@pytest.mark.parametrize("repeats", ["latest", "first", "keep", "aggregate"])
def test_without_repetitions_all_stays_as_it_is(repeats: Any) -> None:
    rows = make([(3, 1), (0, 1), (3, 0)], timestamp=[9, 8, 7])
    kept, rule = resolve_repeats(rows, repeats)
    assert kept is rows
    assert not any(rule.removed.values())


def test_a_given_split_keeps_repetitions_across_folds_and_at_other_times() -> None:
    pairs = [(0, 1), (0, 1), (0, 1), (0, 1), (0, 1)]
    rows = make(pairs, rating=[3, 3, 3, 3, 4], timestamp=[7, 7, 8, 7, 7], fold=[0, 0, 0, 2, 0])
    # Rows 0 and 1 are equal; row 2 differs in time, row 3 in its fold, row 4 in its rating.
    kept, rule = resolve_repeats(rows, "latest")
    assert (listed(kept.timestamp), listed(kept.fold)) == ([7, 8, 7, 7], [0, 0, 2, 0])
    assert rule.removed == {"interactions": 1}
    assert listed(resolve_repeats(rows, "aggregate")[0].weight) == [4, 1]  # each fold for itself


@pytest.mark.filterwarnings("ignore::recsys.errors.DataWarning")
@given(events(), st.sampled_from(["latest", "first"]))
def test_one_row_agrees_with_pandas(rows: Interactions, repeats: Any) -> None:
    chosen = frame(rows).groupby("pair")["row"].agg("last" if repeats == "latest" else "first")
    kept, rule = resolve_repeats(rows, repeats)
    assert kept.pairs.tolist() == rows.pairs[np.sort(chosen)].tolist()
    assert listed(kept.rating) == listed(rows.take(np.sort(chosen.to_numpy())).rating)
    assert rule.removed == {"interactions": len(rows) - len(chosen)}


# --- keep and aggregate ----------------------------------------------------------------------------------------------


def test_kept_events_count_one_each() -> None:
    kept, rule = resolve_repeats(make([(0, 1), (0, 1), (2, 2)], timestamp=[1, 2, 3]), "keep")
    assert (len(kept), listed(kept.weight), num_pairs(kept)) == (3, [1, 1, 1], 2)
    assert str(rule) == "repeats removed nothing: 1 of 3 interactions (33.3%) repeat an earlier one and are kept"


def test_kept_events_keep_their_weights() -> None:
    rows = make([(0, 1), (0, 1)], weight=[3, 4])
    assert resolve_repeats(rows, "keep")[0] is rows


@given(events())
def test_aggregation_agrees_with_pandas(rows: Interactions) -> None:
    expected = (
        frame(rows)
        .groupby("pair")
        .agg(row=("row", "last"), rating=("rating", "last"), weight=("weight", "sum"), first=("time", "first"))
    )
    expected = expected.sort_values("row")
    kept, _ = resolve_repeats(rows, "aggregate")
    assert kept.pairs.tolist() == expected.index.tolist()
    assert listed(kept.rating) == expected["rating"].tolist()
    weight = np.ones(len(kept)) if kept.weight is None else kept.weight
    assert weight.tolist() == expected["weight"].tolist()
    first = kept.timestamp if kept.first_timestamp is None else kept.first_timestamp
    assert listed(first) == expected["first"].tolist()


# --- warnings --------------------------------------------------------------------------------------------------------


def test_many_repetitions_are_told_with_a_remedy() -> None:
    with pytest.warns(DataWarning, match=r"^29 of 30 interactions \(96.7%\) repeat.*repeats=aggregate adds them up"):
        resolve_repeats(make([(0, 0)] * 30), "latest")


def test_weights_are_not_lost_in_silence() -> None:
    with pytest.warns(DataWarning, match="the weights of the others are lost"):
        resolve_repeats(make([(0, 0)] * 2, weight=[1, 2]), "latest")
