from app.components.experiments.experiment_actions import ACTS, traffic_of
from recsys.experiments.experiment import NEXT_STATUSES


def test_traffic_is_the_share_of_the_buckets():
    assert traffic_of({"buckets": [[0, 1_000], [5_000, 5_500]]}) == 0.15 and traffic_of({}) == 0


def test_nothing_is_offered_to_what_is_over():
    assert set(ACTS) == {status for status, following in NEXT_STATUSES.items() if following}
