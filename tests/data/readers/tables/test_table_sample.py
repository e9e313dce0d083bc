from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers.tables.table_sample import read_table_sample
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def test_the_separator_is_recognised_without_knowing_a_name(tmp_path: Path):
    (tmp_path / "a.csv").write_text("kunde;ware;preis\n 1;a;1,98\n2;b;5,07\n", encoding="utf-8")
    sample = read_table_sample(RawFile(tmp_path / "a.csv"))
    assert sample.columns == {"kunde": ["1", "2"], "ware": ["a", "b"], "preis": ["1,98", "5,07"]}


def test_without_a_header_columns_have_their_positions_or_the_names_that_are_given(tmp_path: Path):
    (tmp_path / "u.data.tsv").write_text("196\t242\t3\n186\t302\t3\n", encoding="utf-8")
    file = RawFile(tmp_path / "u.data.tsv")
    assert read_table_sample(file, False).columns["1"] == ["242", "302"]
    assert list(read_table_sample(file, ["user", "item", "rating"]).columns) == ["user", "item", "rating"]
    with pytest.raises(DataError, match="no header"):
        read_table_sample(file)


def test_empty_fields_are_no_values(tmp_path: Path):
    (tmp_path / "a.tsv").write_text("u\ti\n1\t\n2\tb\n", encoding="utf-8")
    assert read_table_sample(RawFile(tmp_path / "a.tsv")).columns == {"u": ["1", "2"], "i": ["b"]}


def test_values_of_parquet_are_text(tmp_path: Path):
    pq.write_table(pa.table({"u": [1, 2], "ok": [True, None]}), tmp_path / "a.parquet")
    assert read_table_sample(RawFile(tmp_path / "a.parquet")).columns == {"u": ["1", "2"], "ok": ["True"]}


def test_other_files_are_refused_with_what_to_do(tmp_path: Path):
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match="must be delimited text .* Convert it"):
        read_table_sample(RawFile(tmp_path / "a.xlsx"))
