from recsys_serving.resilience.deadline import Deadline


def test_it_counts_down_to_nothing():
    seconds = [10.0]
    deadline = Deadline(0.5, lambda: seconds[0])
    assert deadline.remaining() == 0.5
    seconds[0] = 10.3
    assert abs(deadline.remaining() - 0.2) < 1e-9 and deadline.remaining(0.1) == 0.1
    seconds[0] = 12.0
    assert deadline.remaining() == 0.0 == deadline.remaining(0.1)
