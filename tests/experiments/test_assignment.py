from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.assignment import Assigner, assign, bucket_of, choose_variant, takes_part, unit_fraction
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.layers import with_traffic

UNITS = [f"user {number}" for number in range(10_000)]


def experiment(id="a", shares=(0.5, 0.5), **values):
    variants = [Variant(name, share) for name, share in zip(("control", "b", "c"), shares, strict=False)]
    return Experiment(**{"id": id, "salt": f"salt of {id}", "variants": variants, "status": "running"} | values)


def variants(one, units=UNITS):
    return [None if (found := assign(one, unit)) is None else found.variant.name for unit in units]


def test_fractions_are_uniform():
    fractions = [unit_fraction("layer", "x", unit) for unit in UNITS]
    assert scipy.stats.kstest(fractions, "uniform").pvalue > 0.01


def test_buckets_are_uniform():
    counts = np.bincount([bucket_of("x", unit) // 100 for unit in UNITS], minlength=100)
    assert scipy.stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5)], ids=str)
def test_variants_have_their_shares(shares):
    counts = Counter(variants(experiment(shares=shares)))
    observed = [counts[name] for name in ("control", "b", "c")[: len(shares)]]
    assert scipy.stats.chisquare(observed, np.array(shares) * len(UNITS)).pvalue > 0.01


def test_experiments_and_layers_are_independent():
    first, second = variants(experiment("a")), variants(experiment("b", layer="other"))
    low = [bucket_of("x", unit) < 5000 for unit in UNITS]
    other_low = [bucket_of("y", unit) < 5000 for unit in UNITS]
    for left, right in [(first, second), (low, other_low), (first, low), (second, low)]:
        table = np.array([[Counter(zip(left, right, strict=True))[x, y] for y in set(right)] for x in set(left)])
        assert table.shape == (2, 2)
        assert scipy.stats.chi2_contingency(table).pvalue > 0.01


def test_another_salt_assigns_anew():
    before, after = variants(experiment()), variants(experiment(salt="other"))
    same = np.mean([one == other for one, other in zip(before, after, strict=True)])
    assert same == pytest.approx(0.5, abs=0.02)


def test_nobody_changes_variant_or_leaves_while_the_traffic_grows():
    grown = [with_traffic(experiment(buckets=[(7, 8)]), share, []) for share in (0.01, 0.1, 0.5, 1.0)]
    for before, after in pairwise(variants(one, UNITS[:5000]) for one in grown):
        kept = [now for then, now in zip(before, after, strict=True) if then is not None]
        assert kept == [then for then in before if then is not None]
        assert sum(one is not None for one in after) > len(kept)


def test_nobody_leaves_a_variant_that_grows():
    before = variants(experiment(shares=(0.6, 0.1, 0.3)))
    after = variants(experiment(shares=(0.4, 0.4, 0.2)))
    assert all(now == "b" for then, now in zip(before, after, strict=True) if then == "b")
    assert all(now in (then, "b") for then, now in zip(before, after, strict=True))


def test_nobody_gets_a_variant_without_a_share():
    assert set(variants(experiment(shares=(0.0, 1.0)), UNITS[:200])) == {"b"}


def test_the_order_of_the_variants_does_not_matter():
    pair = [Variant("a", 0.3), Variant("b", 0.7)]
    assert all(choose_variant("s", unit, pair) == choose_variant("s", unit, pair[::-1]) for unit in UNITS[:200])


def test_experiments_of_one_layer_exclude_each_other():
    first = with_traffic(experiment("a", buckets=[]), 0.3, [])
    second = with_traffic(experiment("b", buckets=[]), 0.5, [first])
    assigner = Assigner([first, second])
    counts = Counter(tuple(one.experiment_id for one in assigner.assign(unit)) for unit in UNITS)
    assert set(counts) == {(), ("a",), ("b",)}
    observed = [counts[("a",)], counts[("b",)], counts[()]]
    assert scipy.stats.chisquare(observed, np.array([0.3, 0.5, 0.2]) * len(UNITS)).pvalue > 0.01


def test_experiments_of_different_layers_meet():
    assigner = Assigner([experiment("a"), experiment("b", layer="other")])
    assert [one.experiment_id for one in assigner.assign("7")] == ["a", "b"]


def test_experiments_that_share_buckets_are_refused():
    with pytest.raises(ExperimentError, match="must not share buckets"):
        Assigner([experiment("a"), experiment("b")])


def test_an_override_holds_whether_the_unit_takes_part_or_not():
    one = experiment(buckets=[], overrides={"7": "b"})
    assert not takes_part(one, "7")
    assert (assign(one, "7").variant.name, assign(one, "7").overridden) == ("b", True)
    assert assign(one, "8") is None


@pytest.mark.parametrize(
    ("status", "overridden", "others"),
    [("draft", "b", None), ("running", "b", "some"), ("paused", None, None), ("stopped", None, None)],
)
def test_the_status_says_who_gets_a_variant(status, overridden, others):
    one = experiment(status=status, overrides={"7": "b"})
    assert variants(one, ["7"]) == [overridden]
    assert (variants(one, ["8"]) == [None]) == (others is None)


@pytest.mark.parametrize("unit", ["", None, 7], ids=repr)
def test_a_unit_needs_an_id(unit):
    with pytest.raises(ExperimentError, match="a text that is not empty"):
        assign(experiment(), unit)


def test_texts_are_kept_apart():
    assert unit_fraction("ab", "c") != unit_fraction("a", "bc")
    assert 0 < unit_fraction("ab", "c") < 1


def test_assignments_do_not_move_with_a_new_version():
    """Numbers of the first version: another hash would move every user of a running experiment."""
    assert [bucket_of("default", unit) for unit in ("1", "2", "é")] == [7216, 8542, 1724]
    pair = [Variant("control", 0.5), Variant("b", 0.5)]
    assert "".join(choose_variant("s", unit, pair).name[0] for unit in "12345678") == "bccbcbcc"
