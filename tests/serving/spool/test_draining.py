from __future__ import annotations

from contextlib import contextmanager, nullcontext

import pytest
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.draining import apply_all
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
