import pytest

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.layers import check_layers, free_share, with_traffic


def experiment(id, buckets=(), **values):
    return Experiment(id, f"salt of {id}", [Variant("control", 0.5), Variant("b", 0.5)], buckets=buckets, **values)


def buckets(one):
    return {bucket for start, stop in one.buckets for bucket in range(start, stop)}


def test_experiments_of_one_layer_must_not_share_buckets():
    first, second = experiment("a", [(0, 100)]), experiment("b", [(99, 200)])
    with pytest.raises(ExperimentError, match="'a' and 'b' both have bucket 99 of layer 'default'"):
        check_layers([first, second])


def test_other_layers_and_stopped_experiments_do_not_count():
    first, second = experiment("a", [(0, 100)]), experiment("b", [(0, 100)], layer="other")
    check_layers([first, second, experiment("c", [(0, 100)], status="stopped")])


def test_ids_come_once():
    with pytest.raises(ExperimentError, match="'a' comes twice"):
        check_layers([experiment("a"), experiment("a")])


def test_who_takes_part_goes_on_as_the_traffic_grows():
    others = [experiment("b", [(150, 9000)])]
    shares = (0.01, 0.02, 0.05, 0.11)
    grown = [experiment("a", [(100, 101)])]
    for share in shares:
        grown.append(with_traffic(grown[-1], share, others))
    assert [one.traffic_share for one in grown[1:]] == pytest.approx(shares)
    assert all(buckets(before) < buckets(after) for before, after in zip(grown, grown[1:], strict=False))
    assert not buckets(grown[-1]) & buckets(others[0])


def test_a_smaller_traffic_gives_back_what_came_last():
    others = [experiment("b", [(9990, 10_000)])]
    first = with_traffic(experiment("a", [(9980, 9985)]), 0.001, others)
    second = with_traffic(first, 0.01, others)
    assert with_traffic(second, 0.001, others) == first


def test_a_full_layer_says_what_is_free():
    with pytest.raises(ExperimentError, match="needs 500 more buckets of layer 'default', of which 400 are free"):
        with_traffic(experiment("a"), 0.05, [experiment("b", [(0, 9600)])])


@pytest.mark.parametrize("share", [0, 0.00001, 1.1, -0.1])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ExperimentError, match="the traffic of experiment 'a' must be"):
        with_traffic(experiment("a"), share, [])


def test_free_share_counts_what_nobody_owns():
    owners = [
        experiment("a", [(0, 2000)]),
        experiment("b", [(5000, 6000)]),
        experiment("c", [(0, 9000)], layer="other"),
    ]
    assert free_share("default", owners) == pytest.approx(0.7)
