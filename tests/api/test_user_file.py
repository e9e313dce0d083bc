import pandas as pd
import pytest

from recsys.api.user_file import read_user_ids
from recsys.errors import RequestError


def test_an_id_on_each_line(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text("﻿007\n\n 8 \n007\nuser with spaces\n", encoding="utf-8")
    assert read_user_ids(path) == ["007", "8", "user with spaces"]


@pytest.mark.parametrize(("name", "separator"), [("ids.csv", ","), ("ids.tsv", "\t")])
def test_a_column_of_a_table(tmp_path, name, separator):
    frame = pd.DataFrame({"age": [3, 4, 5], "user_id": ["007", "8", "8"]})
    frame.to_csv(tmp_path / name, sep=separator, index=False)
    assert read_user_ids(tmp_path / name) == ["007", "8"]


def test_one_column_alone(tmp_path):
    (tmp_path / "ids.csv").write_text("customer\n1\nNA\n", encoding="utf-8")
    assert read_user_ids(tmp_path / "ids.csv") == ["1", "NA"]


def test_parquet_with_whole_numbers(tmp_path):
    pd.DataFrame({"user_id": [7, 8]}).to_parquet(tmp_path / "ids.parquet")
    assert read_user_ids(tmp_path / "ids.parquet") == ["7", "8"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ids.txt", b"", "has no ids. Write one on each line"),
        ("ids.csv", b"a,b\n1,2\n", "must have a column 'user_id', or one column alone, but it has 'a', 'b'"),
        ("ids.txt", b"\xff\xfe1", "cannot be read"),
        ("ids.parquet", b"no parquet", "cannot be read"),
        ("ids.csv", b"", "cannot be read"),
    ],
)
def test_what_has_no_ids_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=message):
        read_user_ids(tmp_path / name)


def test_a_message_does_not_quote_a_whole_file(tmp_path):
    (tmp_path / "ids.csv").write_text("user_id\n1\n" + "a,b" * 5000 + "\n", encoding="utf-8")
    with pytest.raises(RequestError, match=r"Row #3: Expected 1 columns, got 5001: a,b.*\.\.\.") as told:
        read_user_ids(tmp_path / "ids.csv")
    assert len(str(told.value)) < 400


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RequestError, match="cannot be read .No such file"):
        read_user_ids(tmp_path / "ids.txt")
