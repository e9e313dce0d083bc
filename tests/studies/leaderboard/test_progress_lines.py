from __future__ import annotations

import io

from recsys.cli.console import PlainConsole
from recsys.studies.leaderboard.entrant import Standing
from recsys.studies.leaderboard.progress_lines import ProgressLines
from recsys.studies.leaderboard.schedule import FINALS, Progress
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult


class Named:
    name, searchable = "ease", True


def told(stage, trials, before):
    console = PlainConsole(file=io.StringIO(), width=80)
    standing = Standing(Named(), trials)
    ProgressLines(console, 600).tell(Progress(stage, standing, len(trials), 2.0, before, 187.0))
    return console.file.getvalue()


def done(value):
    return FinishedTrial(1, {}, TrialResult(value, 0, 1.0))


def test_a_line_has_the_clock_the_model_and_its_best():
    assert told(0, [done(0.25)], float("-inf")) == "3:07/10:00  first trial  ease              0.2500    2.0 s\n"
    assert "0.2500    2.0 s  1 trial, was 0.2000" in told(1, [done(0.25)], 0.2)
    assert "2 trials, no better" in told(2, [done(0.25), done(0.1)], 0.25)


def test_a_failure_is_told_with_its_reason_as_it_is_written():
    line = told(0, [FinishedTrial(1, {}, None, "needs [ratings]")], 0.0)
    assert line.endswith("failed: needs [ratings]\n")


def test_what_was_left_over_is_no_round():
    assert told(FINALS, [done(0.25)], 0.2).startswith("3:07/10:00  what is left  ease")


def test_models_that_are_skipped_and_tested_have_lines():
    console = PlainConsole(file=io.StringIO(), width=80)
    lines = ProgressLines(console, 600)
    lines.skipped("neumf", "not tried, one trial takes about 70 s of the 60 s that are left")
    lines.tested("ease", "2026_ease_shop", "", 61.0)
    lines.tested("slim", "", "too large", 62.0)
    assert console.file.getvalue() == (
        "neumf: not tried, one trial takes about 70 s of the 60 s that are left\n"
        "1:01/10:00  tested       ease              2026_ease_shop\n"
        "1:02/10:00  tested       slim              failed: too large\n"
    )


def test_what_is_done_now_is_shown_on_a_terminal_alone():
    for terminal in (False, True):
        console = PlainConsole(file=io.StringIO(), width=40, force_terminal=terminal)
        lines = ProgressLines(console, 60)
        with lines.shown():
            lines.now("ease model.l2=[5] " + "x" * 60, 9)
        assert ("0 s of 9  ease model.l2=[5]" in console.file.getvalue()) == terminal
        assert "x" * 60 not in console.file.getvalue()


def test_a_line_is_not_broken_to_the_width():
    console = PlainConsole(file=io.StringIO(), width=20)
    ProgressLines(console, 60).say("a line of more than twenty signs")
    assert console.file.getvalue().count("\n") == 1
