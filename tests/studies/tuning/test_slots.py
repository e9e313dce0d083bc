from __future__ import annotations

import optuna
import pytest

from recsys.studies.tuning.slots import slots

State = optuna.trial.TrialState


def trial(number: int, state: optuna.trial.TrialState, **noted: object) -> optuna.trial.FrozenTrial:
    fixed = noted.pop("fixed", None)
    system = {} if fixed is None else {"fixed_params": fixed}
    made = optuna.trial.create_trial(
        state=state, value=0.5 if state == State.COMPLETE else None, user_attrs=noted, system_attrs=system
    )
    made.number = number
    return made


def numbers(trials, retries=2):
    return [[attempt.number for attempt in slot.attempts] for slot in slots(trials, retries)]


def test_each_trial_has_a_slot_in_their_order():
    found = slots([trial(0, State.COMPLETE), trial(1, State.RUNNING), trial(2, State.FAIL, error="no")], 1)
    assert [slot.origin for slot in found] == [0, 1, 2]
    assert [slot.is_finished for slot in found] == [True, False, True]
    assert [slot.error for slot in found] == ["", "", "no"]


def test_a_trial_whose_worker_was_lost_is_to_be_repeated_in_its_slot():
    lost = trial(0, State.FAIL, worker="a", overrides={"l2": "5"})
    (slot,) = slots([lost], 1)
    assert slot.is_to_be_repeated and not slot.is_finished
    assert slot.next_attempt() == ({}, {"overrides": {"l2": "5"}, "origin": 0, "attempt": 1})
    repeated = slots([lost, trial(1, State.COMPLETE), trial(2, State.WAITING, origin=0, attempt=1)], 1)
    assert [[attempt.number for attempt in slot.attempts] for slot in repeated] == [[0, 2], [1]]
    assert repeated[0].is_waiting and not repeated[0].is_to_be_repeated


def test_of_two_that_stand_for_the_same_attempt_the_first_counts():
    lost = trial(0, State.FAIL, worker="a")
    twice = [trial(number, State.WAITING, origin=0, attempt=1) for number in (1, 2)]
    assert numbers([lost, *twice]) == [[0, 1]]


def test_of_two_starts_the_first_counts():
    assert numbers([trial(0, State.WAITING, start=True), trial(1, State.WAITING, start=True)]) == [[0]]


def test_what_was_given_back_or_never_begun_has_no_slot():
    assert numbers([trial(0, State.FAIL, surplus=True), trial(1, State.FAIL), trial(2, State.COMPLETE)]) == [[2]]


@pytest.mark.parametrize(("retries", "repeated"), [(0, False), (1, True)])
def test_a_slot_costs_no_more_workers_than_it_may(retries, repeated):
    (slot,) = slots([trial(0, State.FAIL, worker="a")], retries)
    assert slot.is_to_be_repeated is repeated
    assert slot.is_finished is not repeated
    assert slot.is_given_up is not repeated
    assert slot.error == "given up, as 1 worker ended without a result in it, perhaps for want of memory"


def test_settings_that_were_refused_are_not_given_up():
    (slot,) = slots([trial(0, State.FAIL, worker="a"), trial(1, State.FAIL, origin=0, attempt=1, error="no")], 1)
    assert slot.is_finished and not slot.is_given_up and slot.losses == 1


def test_an_interruption_costs_no_worker():
    attempts = [trial(n, State.FAIL, worker="a", interrupted=True, origin=0, attempt=n) for n in range(3)]
    (slot,) = slots(attempts, 0)
    assert slot.is_to_be_repeated and slot.losses == 0


def test_what_was_not_drawn_whole_is_drawn_anew():
    (drawn,) = slots([trial(0, State.FAIL, worker="a", fixed={"l2": 5.0}, start=True)], 1)
    assert drawn.next_attempt() == ({"l2": 5.0}, {"start": True, "origin": 0, "attempt": 1})
