"""The best of some models."""

from __future__ import annotations

import math

import pytest

from recsys.errors import RunError
from recsys.evaluation.statistics.significance import Interval
from recsys.studies.selection.candidate import Candidate
from recsys.studies.selection.selection import Measurement, choose

VALUES = {"a": 0.1, "b": 0.3, "c": 0.3, "d": math.nan}


def measure(candidate):
    if candidate.name not in VALUES:
        raise RunError("it needs content")
    return Measurement(VALUES[candidate.name], 2.0)


def chosen(names):
    return choose([Candidate(name, (f"model={name}",)) for name in names], measure, "ndcg@10")


def test_the_highest_value_is_best_and_of_equal_ones_the_first():
    assert chosen("abc").best.candidate.name == "b"
    assert chosen("acb").best.candidate.name == "c"


def test_what_fails_or_has_no_value_takes_no_part_and_the_table_says_why():
    found = chosen("xdab")
    assert found.best.candidate.name == "b"
    table = found.table()
    assert [row[0].text for row in table.rows] == ["b", "a", "x", "d"]
    assert [row[0].bold for row in table.rows] == [True, False, False, False]
    assert "x failed: it needs content" in table.note and "d failed: its ndcg@10 is nan" in table.note


def test_where_all_fail_each_says_why():
    with pytest.raises(RunError, match=r"(?s)each of them failed.*x: it needs content"):
        chosen("xy")


def test_intervals_are_told_where_there_are_some():
    def with_interval(candidate):
        return Measurement(0.2, 1.0, Interval(0.1, 0.3))

    table = choose([Candidate("a", ("model=a",))], with_interval, "ndcg@10").table()
    assert table.rows[0][1].text == "0.2000 [0.1000, 0.3000]" and "95 % bootstrap intervals" in table.note
    table = chosen("a").table()
    assert table.rows[0][1].text == "0.1000" and "interval" not in table.note
