from __future__ import annotations

from recsys.studies.leaderboard.budget import Budget


def test_earlier_sittings_count():
    now = [100.0]
    budget = Budget(60.0, spent_before=20.0, clock=lambda: now[0])
    assert (budget.elapsed, budget.left) == (20.0, 40.0)
    now[0] = 150.0
    assert (budget.elapsed, budget.left) == (70.0, -10.0)


def test_it_begins_when_the_command_did():
    assert Budget(60.0, began=90.0, clock=lambda: 100.0).elapsed == 10.0
