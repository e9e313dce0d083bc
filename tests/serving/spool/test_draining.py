from __future__ import annotations

from contextlib import contextmanager, nullcontext

import pytest
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.draining import Draining, apply_all
from recsys_serving.store.errors import NotFound, StoreUnavailable

COMMANDS = {number: SpoolCommand(str(number), "user_put", {}) for number in (3, 5, 8)}


def applying(outcomes):
    """Raises the error of a command, where it has one."""

    def apply(command):
        error = outcomes.get(command.command_id)
        if error is not None:
            raise error

    return apply


def test_what_was_done_has_no_error_and_what_was_refused_has_one():
    error = NotFound("no")
    assert apply_all(COMMANDS, applying({"5": error}), nullcontext) == {3: None, 5: error, 8: None}


def test_what_comes_after_the_store_went_away_is_not_done():
    assert apply_all(COMMANDS, applying({"5": StoreUnavailable("away")}), nullcontext) == {3: None}


def test_in_a_transaction_nothing_is_done_where_the_store_went_away():
    @contextmanager
    def transaction():
        yield

    assert apply_all(COMMANDS, applying({"5": StoreUnavailable("away")}), transaction) == {}


def test_other_errors_pass():
    with pytest.raises(KeyError):
        apply_all(COMMANDS, applying({"5": KeyError("bug")}), nullcontext)


def command(number, user_id=None, kind="interaction", **payload):
    return number, SpoolCommand(str(number), kind, payload, user_id)


def carried_out(commands, slow, is_alive=True):
    draining = Draining(applying({str(one): StoreUnavailable("slow") for one in slow}), nullcontext, lambda: is_alive)
    return set(draining.carry_out(dict(commands))), draining


def test_what_is_too_slow_waits_with_what_follows_of_its_user_and_the_others_do_not():
    commands = [command(1, "ann"), command(2, "ben"), command(3, "ann"), command(4, "eve"), command(5, "ben")]
    done, draining = carried_out(commands, slow=[2])
    assert done == {1, 3, 4} and not draining.is_away
    assert set(draining.carry_out(dict([command(6, "ben"), command(7, "ann")]))) == {7}


def test_while_the_store_is_away_nothing_goes_around_it():
    done, draining = carried_out([command(1, "ann"), command(2, "ben"), command(3, "eve")], slow=[2], is_alive=False)
    assert done == {1} and draining.is_away


def test_both_users_of_a_merge_wait():
    merge = command(1, "ann", "user_merge", from_user_id="ben")
    assert carried_out([merge, command(2, "ben"), command(3, "ann"), command(4, "eve")], slow=[1])[0] == {4}
    assert (
        carried_out(
            [command(1, "ben"), command(2, "ann", "user_merge", from_user_id="ben"), command(3, "ann")], slow=[1]
        )[0]
        == set()
    )


def test_changes_of_items_stay_in_order_and_lists_do_not_wait_for_them():
    commands = [command(1, kind="item_put"), command(2, kind="item_delete"), command(3, kind="exposures")]
    assert carried_out(commands, slow=[1])[0] == {3}


def test_an_interaction_is_not_taken_back_before_it_may_have_been_stored():
    assert carried_out([command(1, "ann"), command(2, kind="interaction_delete")], slow=[1])[0] == set()


def together(refused=(), away=()):
    """Carries out events unless one of them is refused or the store is away; what it was asked."""
    asked = []

    def carry_out(run):
        asked.append([one.command_id for one in run])
        if any(one.command_id in away for one in run):
            raise StoreUnavailable("away")
        if any(one.command_id in refused for one in run):
            raise NotFound("spoilt")
        return [None] * len(run)

    return carry_out, asked


def events(*numbers):
    return dict(command(number, "ann", event_id=number) for number in numbers)


def test_neighbours_are_carried_out_as_one():
    carry_out, asked = together()
    assert apply_all(events(1, 2, 3), applying({}), nullcontext, carry_out) == {1: None, 2: None, 3: None}
    assert asked == [["1", "2", "3"]]


def test_halves_find_the_one_that_spoils_a_run():
    error = NotFound("3")
    carry_out, asked = together(refused=["3"])
    done = apply_all(events(1, 2, 3, 4), applying({"3": error}), nullcontext, carry_out)
    assert done == {1: None, 2: None, 3: error, 4: None}
    assert asked == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"]]


def test_the_outcomes_of_a_run_belong_to_its_commands():
    error = NotFound("2")
    commands = events(1, 2, 3)
    assert apply_all(commands, applying({}), nullcontext, lambda run: [None, error, None]) == {
        1: None,
        2: error,
        3: None,
    }


def test_a_run_waits_where_the_store_is_away():
    carry_out, _ = together(away=["2"])
    assert apply_all(events(1, 2), applying({}), nullcontext, carry_out) == {}


def test_a_run_that_is_too_slow_is_carried_out_one_by_one():
    carry_out, _ = together(away=["2"])
    draining = Draining(applying({}), nullcontext, lambda: True, carry_out)
    assert draining.carry_out(events(1, 2, 3)) == {1: None, 2: None, 3: None}
    assert not draining.is_away
