import pytest

from recsys.cli.console import user_errors
from recsys.errors import DataError, SourceError


def test_a_users_error_is_one_message_and_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_, user_errors():
        raise DataError("The table needs [a] column.")
    assert exit_.value.code == 2
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "error: The table needs [a] column.\n")


def test_the_users_error_behind_another_error_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_, user_errors():
        try:
            raise SourceError("There is no file.")
        except SourceError as error:
            raise RuntimeError("Error in call to target") from error
    assert exit_.value.code == 2
    assert capsys.readouterr().err == "error: There is no file.\n"


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), user_errors():
        raise ZeroDivisionError


def test_it_decorates_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    @user_errors()
    def main() -> None:
        raise DataError("No.")

    for _ in range(2):
        with pytest.raises(SystemExit):
            main()
    assert capsys.readouterr().err == "error: No.\nerror: No.\n"


def test_without_an_error_nothing_happens() -> None:
    with user_errors():
        value = 1
    assert value == 1
