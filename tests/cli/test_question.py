from collections.abc import Callable, Sequence

import pytest

from recsys.cli.question import can_ask, choose

Answers = Callable[[Sequence[str]], None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What the person types, line by line."""

    def typed(lines: Sequence[str]) -> None:
        left = list(lines)
        monkeypatch.setattr("recsys.cli.console.console.input", lambda prompt, markup: left.pop(0))

    return typed


@pytest.mark.parametrize(
    ("typed", "answer"),
    [([""], "b"), (["1"], "a"), (["b"], "b"), (["-"], None), (["3", "c", " 2 "], "b")],
    ids=["the likely one", "a number", "a name", "none", "again until it is one"],
)
def test_what_is_typed_is_the_answer(answers: Answers, typed: list[str], answer: str | None):
    answers(typed)
    assert choose("Which", ["a", "b"], "b", optional=True) == answer


def test_none_is_no_answer_where_one_is_required(answers: Answers, capsys: pytest.CaptureFixture[str]):
    answers(["-", "", "1"])
    assert choose("Which", ["a", "b"], None, optional=False) == "a"
    assert "'-' is none" in capsys.readouterr().out


def test_nobody_is_asked_without_a_terminal():
    assert not can_ask()
