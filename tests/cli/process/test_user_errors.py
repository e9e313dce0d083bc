import errno

import pytest

from recsys.cli.process.user_errors import user_errors
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


def test_text_of_the_data_in_a_message_sends_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), user_errors():
        raise DataError("There is no item 'a\x1b[2J'.\nNearest: 'b\r'.")
    assert capsys.readouterr().err == "error: There is no item 'a\\x1b[2J'.\nNearest: 'b\\r'.\n"


def test_a_library_of_an_extra_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), user_errors():
        try:
            raise ModuleNotFoundError("No module named 'onnxscript'", name="onnxscript")
        except ModuleNotFoundError as error:
            raise RuntimeError("the exporter failed") from error
    assert capsys.readouterr().err.endswith("is not installed: pip install 'recsys-framework[serving]'.\n")


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "No space is left on the disk"), (errno.EACCES, "Permission is required to write or read runs/a.")],
)
def test_disk_and_permissions_are_told(number: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), user_errors():
        raise OSError(number, "says the system", "runs/a")
    assert capsys.readouterr().err.startswith(f"error: {message}")
