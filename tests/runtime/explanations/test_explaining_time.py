from recsys.runtime.explanations.explaining_time import ExplainingTime


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_without_a_bound_every_list_takes_as_long_as_it_takes():
    assert ExplainingTime(None, 3).share() is None


def test_lists_share_the_time_evenly_and_have_what_others_leave_over():
    clock = Clock()
    time = ExplainingTime(9.0, 3, clock)
    assert time.share() == 3.0
    clock.now += 1.0
    assert time.share() == 4.0
    clock.now += 6.0
    assert time.share() == 2.0


def test_when_the_time_is_over_there_is_none_left():
    clock = Clock()
    time = ExplainingTime(9.0, 2, clock)
    assert time.share() == 4.5
    clock.now += 20.0
    assert time.share() == 0.0


def test_a_list_more_than_was_told_has_what_is_left():
    clock = Clock()
    time = ExplainingTime(9.0, 0, clock)
    assert time.share() == 9.0 and time.share() == 9.0
