from __future__ import annotations

import pytest

from recsys.cli.process import beginning


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(beginning, "_began", None)
    monkeypatch.setattr(beginning.time, "monotonic", lambda: now[0])
    return now


def test_a_command_began_when_it_was_noted(clock):
    beginning.command_begins()
    clock[0] = 130.0
    assert beginning.began_at() == 100.0


def test_where_no_command_began_it_is_now(clock):
    clock[0] = 130.0
    assert beginning.began_at() == 130.0
