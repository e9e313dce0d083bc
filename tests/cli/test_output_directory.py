import pytest

from recsys.cli.output_directory import make_output_directory
from recsys.errors import RunError


def test_makes_what_is_not_there_and_keeps_what_is(tmp_path):
    make_output_directory(tmp_path / "a" / "b", "results", "output=")
    (tmp_path / "a" / "b" / "kept").write_text("", encoding="utf-8")
    make_output_directory(tmp_path / "a" / "b", "results", "output=")
    assert (tmp_path / "a" / "b" / "kept").is_file()


def test_a_file_in_the_way_is_named_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="required for the results, but .*below cannot be made .* another output="):
        make_output_directory(tmp_path / "file" / "below", "results", "output=")
