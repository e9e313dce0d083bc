from dataclasses import replace

from recsys_serving.recommending.seen_items import SeenItems
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import DependencyUnavailable
from recsys_serving.store.users.records import UserState

LONG = Deadline(1e6)
ADA = UserState("ada", True, 1, True, {}, ("c",), (None,), ("view",), (3.0,), 0, 0, 0, is_cut=True)


class Reader:
    """Notes whom it is asked for."""

    def __init__(self):
        self.asked = []
        self.seen = {"c": 3.0, "b": 2.0, "a": 1.0}
        self.fails = False

    def __call__(self, user_id, deadline):
        self.asked.append(user_id)
        if self.fails:
            raise DependencyUnavailable("store", "away")
        return self.seen


def test_what_the_history_has_is_left_out_and_read_once_for_each_revision():
    read = Reader()
    seen = SeenItems(read, 100)
    for _ in range(3):
        assert seen.older(ADA, LONG) == ({"b": 2.0, "a": 1.0}, False)
    assert read.asked == ["ada"]
    read.seen = {"c": 3.0, "a": 1.0}
    assert seen.older(replace(ADA, revision=2), LONG) == ({"a": 1.0}, False)


def test_without_the_store_it_is_what_was_read_last():
    read = Reader()
    seen = SeenItems(read, 100)
    seen.older(ADA, LONG)
    read.fails = True
    assert seen.older(replace(ADA, revision=2), LONG) == ({"b": 2.0, "a": 1.0}, True)
    assert seen.older(replace(ADA, user_id="ben"), LONG) == ({}, True)


def test_so_many_items_are_remembered_and_no_more():
    read = Reader()
    seen = SeenItems(read, 4)
    for name in ("ada", "ben", "cid", "ben", "ada"):
        seen.older(replace(ADA, user_id=name), LONG)
    assert read.asked == ["ada", "ben", "cid", "ada"]


def test_who_is_forgotten_is_read_anew():
    read = Reader()
    seen = SeenItems(read, 100)
    seen.older(ADA, LONG)
    seen.forget("ada")
    seen.older(ADA, LONG)
    assert read.asked == ["ada", "ada"]
