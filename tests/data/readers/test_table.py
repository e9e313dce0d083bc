from __future__ import annotations

import gzip
import json
import os
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, Reader
from recsys.data.readers.table import TableReader
from recsys.errors import DataError, SourceError

ROWS = [
    {"user_id": "007", "item_id": "日", "rating": 4.5, "timestamp": 20},
    {"user_id": "7", "item_id": "a b", "rating": 3.0, "timestamp": 10},
]


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind in ("jsonl", "json"):
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    else:
        separator = "\t" if kind == "tsv" else ","
        lines = [list(rows[0]), *(["" if value is None else str(value) for value in row.values()] for row in rows)]
        content = "".join(separator.join(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize(
    "name", ["i.csv", "i.CSV", "i.csv.gz", "i.tsv", "i.tsv.gz", "i.jsonl", "i.json", "i.jsonl.gz", "i.parquet"]
)
def test_every_kind_of_file_gives_the_same_interactions(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, ROWS)  # type: ignore[arg-type]
    dataset = TableReader(interactions=path).read()
    assert dataset.interactions.to_pylist() == ROWS
    id_type = pa.dictionary(pa.int32(), pa.string())
    assert dataset.interactions.schema.types == [id_type, id_type, pa.float32(), pa.int64()]
    assert (dataset.name, dataset.users, dataset.items) == ("table", None, None)
    assert (dataset.sources[0].name, dataset.sources[0].origin) == (name, str(path))


def test_relative_paths_start_from_the_root(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    elsewhere = _write(tmp_path / "items.csv", [{"item_id": "a b"}])
    reader = TableReader(interactions="i.csv", items=elsewhere, root=tmp_path)
    assert reader.read().interactions.to_pylist() == ROWS
    assert reader.fingerprint() == TableReader(interactions=path, items=elsewhere).fingerprint()


def test_it_is_a_reader() -> None:
    assert isinstance(TableReader(), Reader)


def test_whole_number_ids_of_typed_files_become_their_digits(tmp_path: Path) -> None:
    for name in ("i.parquet", "i.jsonl"):
        path = _write(tmp_path / name, [{"user_id": 7, "item_id": 2**53 + 1}])
        assert TableReader(interactions=path).read().interactions.to_pylist() == [
            {"user_id": "7", "item_id": "9007199254740993"}
        ]


def test_fractional_ids_are_refused(tmp_path: Path) -> None:
    for name in ("i.parquet", "i.jsonl"):
        path = _write(tmp_path / name, [{"user_id": 7.0, "item_id": 1}])
        with pytest.raises(DataError, match="the ids in column 'user_id' must be text or whole numbers.* such as 7.0"):
            TableReader(interactions=path).read()


@pytest.mark.parametrize("name", ["i.csv", "i.jsonl", "i.parquet"])
def test_columns_are_renamed_and_further_ones_ignored(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, [{"who": "u", "what": "i", "stars": 5, "note": "x", "when": "1970-01-02"}])
    columns = {"user": "who", "item": "what", "rating": "stars", "timestamp": "when"}
    dataset = TableReader(interactions=path, columns=columns).read()
    assert dataset.interactions.to_pylist() == [{"user_id": "u", "item_id": "i", "rating": 5.0, "timestamp": 86400}]


@pytest.mark.parametrize("name", ["i.csv", "i.jsonl", "i.parquet"])
def test_rating_and_timestamp_may_be_absent_or_left_out(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, [{"user_id": "u", "item_id": "i", "rating": 5}])
    assert TableReader(interactions=path).read().interactions.column_names == ["user_id", "item_id", "rating"]
    left_out = TableReader(interactions=path, columns={"rating": None}).read()
    assert left_out.interactions.column_names == ["user_id", "item_id"]


@pytest.mark.parametrize("name", ["i.csv", "i.jsonl", "i.parquet"])
def test_missing_columns_are_named_with_what_came_and_the_option(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, [{"userId": "u", "item_id": "i"}])
    message = (
        rf"{name} must have the column 'user_id', but its columns are 'userId', 'item_id'\. "
        r"Say which column it is with data\.columns\.user=userId\."
    )
    with pytest.raises(DataError, match=message):
        TableReader(interactions=path).read()


def test_a_renamed_rating_must_be_there(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.csv", [{"user_id": "u", "item_id": "i", "rating": 5}])
    with pytest.raises(DataError, match=r"must have the column 'stars'.*data\.columns\.rating=rating\."):
        TableReader(interactions=path, columns={"rating": "stars"}).read()


def test_a_file_without_a_header_shows_its_first_row(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("1,31,2.5\n1,32,3\n")
    with pytest.raises(DataError, match=r"seems to have no header: its first line is '1', '31', '2\.5'\. Set"):
        TableReader(interactions=tmp_path / "i.csv").read()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("i.csv", "i.csv: column 'rating' must hold numbers, but row 2 has 'good'"),
        ("i.jsonl", "i.jsonl: field 'rating' must hold numbers, but line 2 has \"good\""),
    ],
)
def test_text_in_the_ratings_is_refused_with_its_place(tmp_path: Path, name: str, message: str) -> None:
    rows = [{"user_id": "u", "item_id": "i", "rating": 5}, {"user_id": "u", "item_id": "j", "rating": "good"}]
    with pytest.raises(DataError, match=message):
        TableReader(interactions=_write(tmp_path / name, rows)).read()  # type: ignore[arg-type]


def test_text_in_the_ratings_of_parquet_is_refused_with_its_row(tmp_path: Path) -> None:
    rows = [{"user_id": "u", "item_id": "i", "rating": "5"}, {"user_id": "u", "item_id": "j", "rating": "good"}]
    with pytest.raises(DataError, match=r"i\.parquet: column 'rating' must hold numbers, but row 2 has 'good'"):
        TableReader(interactions=_write(tmp_path / "i.parquet", rows)).read()  # type: ignore[arg-type]


def test_text_in_the_timestamps_is_refused_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("user_id,item_id,timestamp\nu,i,5\nu,j,soon\n")
    with pytest.raises(DataError, match=r"column 'timestamp' must hold seconds .* but row 2 has 'soon'"):
        TableReader(interactions=tmp_path / "i.csv").read()


def test_text_in_the_ratings_is_told_also_beside_dates(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("user_id,item_id,rating,timestamp\nu,i,5,2024-05-31\nu,j,good,2024-05-31\n")
    with pytest.raises(DataError, match=r"column 'rating' must hold numbers, but row 2 has 'good'"):
        TableReader(interactions=tmp_path / "i.csv").read()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("5", "6.9", [5, 6]), ("", "6", [None, 6]), ("2024-05-31T12:00Z", "1970-01-02", [1717156800, 86400])],
)
def test_timestamps_of_text_files(tmp_path: Path, first: str, second: str, expected: list[int]) -> None:
    (tmp_path / "i.csv").write_text(f"user_id,item_id,timestamp\nu,i,{first}\nu,j,{second}\n")
    assert TableReader(interactions=tmp_path / "i.csv").read().interactions["timestamp"].to_pylist() == expected


def test_json_text_that_looks_like_a_date_stays_an_id(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.jsonl", [{"user_id": "2020-01-01", "item_id": "i"}])
    assert TableReader(interactions=path).read().interactions["user_id"].to_pylist() == ["2020-01-01"]


def test_json_ids_must_not_change_their_type(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.jsonl", [{"user_id": "1", "item_id": "i"}, {"user_id": 2, "item_id": "i"}])
    with pytest.raises(DataError, match="field 'user_id' must hold text, but line 2 has 2"):
        TableReader(interactions=path).read()


def test_a_json_field_may_be_missing_at_first(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "i.jsonl", [{"user_id": "u", "item_id": "i"}, {"user_id": "u", "item_id": "j", "rating": 2}]
    )
    assert TableReader(interactions=path).read().interactions["rating"].to_pylist() == [None, 2.0]


def test_json_fields_of_other_types_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.jsonl", [{"user_id": ["u"], "item_id": "i"}])
    with pytest.raises(DataError, match=r"field 'user_id' must hold text or numbers, but has \['u'\]"):
        TableReader(interactions=path).read()


@pytest.mark.parametrize("name", ["i.csv", "i.jsonl", "i.parquet"])
def test_empty_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=rf"{name} (is empty|has no|is no Parquet)"):
        TableReader(interactions=tmp_path / name).read()


@pytest.mark.parametrize("name", ["i.xlsx", "interactions", "i.parquet.gz", ".csv.gz.bak"])
def test_unknown_kinds_of_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=r"must be \.csv, \.tsv, .* \.jsonl \(each also with \.gz\) or \.parquet"):
        TableReader(interactions=tmp_path / name).read()


def test_split_data_carry_their_fold(tmp_path: Path) -> None:
    train = _write(tmp_path / "train.csv", [{"user_id": "u", "item_id": "i", "rating": 4}])
    valid = _write(tmp_path / "valid.jsonl", [{"user_id": "u", "item_id": "j", "rating": 3}])
    test = _write(tmp_path / "test.parquet", [{"user_id": 8, "item_id": 9, "rating": 2}])
    dataset = TableReader(train=train, test=test, valid=valid).read()
    assert dataset.interactions.to_pylist() == [
        {"user_id": "u", "item_id": "i", "rating": 4.0, "fold": "train"},
        {"user_id": "u", "item_id": "j", "rating": 3.0, "fold": "valid"},
        {"user_id": "8", "item_id": "9", "rating": 2.0, "fold": "test"},
    ]
    assert [source.name for source in dataset.sources] == ["train.csv", "valid.jsonl", "test.parquet"]


@pytest.mark.parametrize("lacking", ["train", "valid", "test"])
@pytest.mark.parametrize("role", ["rating", "timestamp"])
def test_a_column_that_one_part_of_a_split_lacks_is_not_dropped(tmp_path: Path, lacking: str, role: str) -> None:
    whole: dict[str, object] = {"user_id": "u", "item_id": "i", "rating": 4, "timestamp": 1}
    files = {
        part: _write(
            tmp_path / f"{part}.csv", [{name: v for name, v in whole.items() if (part, name) != (lacking, role)}]
        )
        for part in ("train", "valid", "test")
    }
    message = rf"{lacking}\.csv has no column '{role}', which .* has for 1 rows\. Add it .*data\.columns\.{role}=null"
    with pytest.raises(DataError, match=message):
        TableReader(**files).read()  # type: ignore[arg-type]
    dataset = TableReader(**files, columns={role: None}).read()  # type: ignore[arg-type]
    assert role not in dataset.interactions.column_names


def test_titles_may_have_another_name(tmp_path: Path) -> None:
    interactions = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    items = _write(tmp_path / "items.csv", [{"item_id": "a b", "name": "A to B"}])
    dataset = TableReader(interactions=interactions, items=items, columns={"title": "name"}).read()
    assert dataset.items is not None
    assert dataset.items.to_pylist() == [{"item_id": "a b", "title": "A to B"}]
    assert dataset.item_features == (FeatureColumn("title", FeatureKind.TEXT),)


@pytest.mark.parametrize(
    "given",
    [[], ["train"], ["test"], ["train", "valid"], ["interactions", "train", "test"], ["interactions", "valid"]],
)
def test_either_all_interactions_or_a_split_must_be_given(tmp_path: Path, given: list[str]) -> None:
    reader = TableReader(**{part: tmp_path / f"{part}.csv" for part in given})  # type: ignore[arg-type]
    for call in (reader.read, reader.fingerprint):
        with pytest.raises(
            SourceError, match=r"either data\.interactions=FILE, or data\.train=FILE and data\.test=FILE"
        ):
            call()


@pytest.mark.parametrize("columns", [{"usr": "x"}, {"user": None}, {"item": None}])
def test_unknown_keys_of_columns_are_refused(columns: dict[str, str | None]) -> None:
    with pytest.raises(DataError, match=r"data\.columns takes user and item, and rating, timestamp, weight and title"):
        TableReader(interactions="i.csv", columns=columns)


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"data\.columns must name each column once"):
        TableReader(interactions=path, columns={"user": "item_id"}).read()


ITEMS: list[dict[str, object]] = [
    {"item_id": "007", "title": "One", "year": 1999, "zip": "01234", "price": 2.5, "kind": "a", "genres": "x|y"},
    {"item_id": "8", "title": "Two", "year": None, "zip": "99999", "price": 3, "kind": "a", "genres": "x"},
]


@pytest.mark.parametrize("name", ["items.csv", "items.tsv.gz", "items.jsonl", "items.parquet"])
def test_items_keep_their_columns_and_infer_features(tmp_path: Path, name: str) -> None:
    interactions = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    dataset = TableReader(interactions=interactions, items=_write(tmp_path / name, ITEMS)).read()
    assert dataset.items is not None
    assert dataset.items.to_pylist() == ITEMS
    kinds = {feature.name: feature.kind for feature in dataset.item_features}
    assert kinds == {
        "title": FeatureKind.TEXT,
        "year": FeatureKind.NUMBER,
        "zip": FeatureKind.TEXT,  # a leading zero: no number
        "price": FeatureKind.NUMBER,
        "kind": FeatureKind.CATEGORICAL,
        "genres": FeatureKind.TEXT,
    }


def test_declared_features_replace_inferred_ones(tmp_path: Path) -> None:
    interactions = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    users = _write(tmp_path / "users.csv", [{"user_id": "7", "age": 30}])
    dataset = TableReader(
        interactions=interactions,
        users=users,
        items=_write(tmp_path / "items.csv", ITEMS),
        user_features={},
        item_features={"genres": {"kind": "multi_valued", "separator": "|"}},
    ).read()
    assert dataset.item_features == (FeatureColumn("genres", FeatureKind.MULTI_VALUED, "|"),)
    assert dataset.user_features == ()
    assert dataset.users is not None
    assert dataset.users.to_pylist() == [{"user_id": "7", "age": 30}]


def test_ids_of_users_and_items_have_the_names_of_the_interactions(tmp_path: Path) -> None:
    interactions = _write(tmp_path / "i.csv", [{"who": "1", "what": "2"}])
    users = _write(tmp_path / "u.csv", [{"age": 3, "who": "01"}])
    columns = {"user": "who", "item": "what"}
    dataset = TableReader(interactions=interactions, users=users, columns=columns).read()
    assert dataset.users is not None
    assert dataset.users.to_pylist() == [{"user_id": "01", "age": 3}]
    with pytest.raises(DataError, match=r"must have the column 'what', as the interactions have"):
        TableReader(interactions=interactions, items=users, columns=columns).read()
    both = _write(tmp_path / "both.csv", [{"what": "1", "item_id": "2"}])
    with pytest.raises(DataError, match="has a column 'item_id' beside the ids in 'what'"):
        TableReader(interactions=interactions, items=both, columns=columns).read()


def test_lists_in_parquet_and_json_are_multi_valued(tmp_path: Path) -> None:
    interactions = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    for name in ("items.parquet", "items.jsonl"):
        items = _write(
            tmp_path / name, [{"item_id": "1", "attributes": ["a", "b"]}, {"item_id": "2", "attributes": None}]
        )
        dataset = TableReader(interactions=interactions, items=items).read()
        assert dataset.item_features == (FeatureColumn("attributes", FeatureKind.MULTI_VALUED),)


def test_large_arrow_types_become_common_ones(tmp_path: Path) -> None:
    table = pa.table(
        {
            "item_id": pa.array(["1"], pa.large_string()),
            "brand": pa.array(["b"]).dictionary_encode(),
            "tags": pa.array([["x"]], pa.large_list(pa.large_string())),
        }
    )
    pq.write_table(table, tmp_path / "items.parquet")
    dataset = TableReader(interactions=_write(tmp_path / "i.csv", ROWS), items=tmp_path / "items.parquet").read()  # type: ignore[arg-type]
    assert dataset.items is not None
    assert dataset.items.schema.types == [pa.string(), pa.string(), pa.list_(pa.string())]


def test_json_items_that_mix_types_are_refused(tmp_path: Path) -> None:
    items = _write(tmp_path / "items.jsonl", [{"item_id": "1", "price": 2}, {"item_id": "2", "price": "free"}])
    with pytest.raises(DataError, match="field 'price' must be of one type"):
        TableReader(interactions=_write(tmp_path / "i.csv", ROWS), items=items).read()  # type: ignore[arg-type]


def test_features_of_a_table_that_is_not_given_are_refused(tmp_path: Path) -> None:
    reader = TableReader(interactions=_write(tmp_path / "i.csv", ROWS), item_features={"year": "number"})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"data\.item_features declares year, but there is no data\.items"):
        reader.read()


def test_the_fingerprint_changes_with_arguments_and_files(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    first = TableReader(interactions=path).fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert TableReader(interactions=str(path)).fingerprint() == first
    assert TableReader(interactions=path, columns={"rating": None}).fingerprint() != first
    assert TableReader(interactions=path, item_features={}).fingerprint() != first
    os.utime(path, ns=(1, 1))
    touched = TableReader(interactions=path).fingerprint()
    assert touched != first
    path.write_bytes(path.read_bytes() + b"8,9,1,1\n")
    os.utime(path, ns=(1, 1))
    assert TableReader(interactions=path).fingerprint() != touched


def test_missing_files_are_named(tmp_path: Path) -> None:
    reader = TableReader(interactions=tmp_path / "none.csv")
    with pytest.raises(SourceError, match=r"none\.csv does not exist"):
        reader.read()
    with pytest.raises(SourceError, match=r"none\.csv cannot be read: No such file"):
        reader.fingerprint()


CLICKS = [
    {"user_id": "a", "item_id": "y", "timestamp": "2023-11-14T22:13:20.600Z", "quantity": 2},
    {"user_id": "a", "item_id": "x", "timestamp": "2023-11-14T22:13:20.120Z", "quantity": -1},
]


@pytest.mark.parametrize("name", ["i.csv", "i.jsonl", "i.parquet"])
def test_weights_and_parts_of_a_second_are_read(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, CLICKS)  # type: ignore[arg-type]
    interactions = TableReader(interactions=path, columns={"weight": "quantity"}).read().interactions
    assert interactions["weight"].to_pylist() == [2, -1]
    assert interactions["timestamp"].to_pylist() == [1_700_000_000] * 2
    assert interactions["subsecond_ns"].to_pylist() == [600_000_000, 120_000_000]
    assert "weight" not in TableReader(interactions=path).read().interactions.column_names


def test_a_weight_column_must_be_there(tmp_path: Path) -> None:
    path = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="must have the column 'quantity'.*data.columns.weight=NAME"):
        TableReader(interactions=path, columns={"weight": "quantity"}).read()


def test_parts_that_are_split_may_have_whole_seconds_alone(tmp_path: Path) -> None:
    train = _write(tmp_path / "train.csv", CLICKS)  # type: ignore[arg-type]
    test = _write(tmp_path / "test.csv", [{"user_id": "a", "item_id": "z", "timestamp": "2023-11-15"}])
    interactions = TableReader(train=train, test=test).read().interactions
    assert interactions["subsecond_ns"].to_pylist() == [600_000_000, 120_000_000, 0]


def test_numbers_with_decimal_commas_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("user_id;item_id;rating;weight\nu;i;3,5;0,5\nu;j;4;2\n")
    reader = TableReader(interactions=tmp_path / "i.csv", columns={"weight": "weight"})
    assert reader.read().interactions.select(["rating", "weight"]).to_pylist() == [
        {"rating": 3.5, "weight": 0.5},
        {"rating": 4.0, "weight": 2.0},
    ]


def test_dates_are_features_that_filters_can_read(tmp_path: Path) -> None:
    interactions = _write(tmp_path / "i.csv", ROWS)  # type: ignore[arg-type]
    items = _write(tmp_path / "items.csv", [{"item_id": "日", "since": "2024-05-31"}, {"item_id": "a b", "since": ""}])
    dataset = TableReader(interactions=interactions, items=items).read()
    assert dataset.item_features == (FeatureColumn("since", FeatureKind.NUMBER),)
    assert dataset.items is not None
    assert dataset.items["since"].to_pylist() == [date(2024, 5, 31), None]
    assert dataset.notes == ("items: since is read as dates",)


def test_each_table_may_have_a_format_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "i.dat").write_bytes("é::1::4\n".encode("latin-1"))
    (tmp_path / "items.csv").write_bytes(b"id;title\n1;One\n")
    reader = TableReader(
        interactions=tmp_path / "i.dat",
        items=tmp_path / "items.csv",
        encoding={"interactions": "latin-1"},
        header={"interactions": ["user_id", "item_id", "rating"]},
    )
    dataset = reader.read()
    assert dataset.interactions.to_pylist() == [{"user_id": "é", "item_id": "1", "rating": 4.0}]
    assert dataset.items is not None
    assert dataset.items.to_pylist() == [{"item_id": "1", "title": "One"}]
    other = TableReader(interactions=tmp_path / "i.dat", items=tmp_path / "items.csv", encoding="cp1252")
    assert other.fingerprint() != reader.fingerprint()


def test_a_file_as_excel_writes_it_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "sep=;\nuser_id;item_id;rating;timestamp\n1;a;4,5;31.12.2024 17:00\n2;b;3,0;1.2.2024 8:00\n", encoding="utf-8"
    )
    (tmp_path / "items.csv").write_text(
        "item_id,genres,listed\n"
        + "".join(f'{name},"{genres}",{day}\n' for name, genres, day in zip("abcdef", GENRES, DAYS, strict=True)),
        encoding="utf-8",
    )
    raw = TableReader(tmp_path / "sales.csv", items=tmp_path / "items.csv").read()
    assert raw.interactions["rating"].to_pylist() == [4.5, 3.0]
    assert raw.interactions["timestamp"].to_pylist() == [1735664400, 1706774400]
    assert [(one.name, one.kind, one.separator) for one in raw.item_features] == [
        ("genres", FeatureKind.MULTI_VALUED, ","),
        ("listed", FeatureKind.NUMBER, None),
    ]
    assert "interactions: fields are separated by ';', as the first line says" in raw.notes
    assert "interactions: timestamp is read as dates, the day first" in raw.notes
    single = TableReader(
        tmp_path / "sales.csv", items=tmp_path / "items.csv", list_separators={"genres": None}, day_first=True
    ).read()
    assert all(one.separator is None for one in single.item_features)


GENRES = ("Drama, Comedy", "Comedy", "Drama", "War,Drama", "Comedy, War", "War")
DAYS = ("1/2/2024", "31/12/2024", "", "4/5/2023", "5/5/2023", "6/5/2023")


def test_separators_of_columns_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("user_id,item_id\n1,a\n", encoding="utf-8")
    with pytest.raises(DataError, match="data.list_separators names the column 'genre', but users and items have"):
        TableReader(tmp_path / "sales.csv", list_separators={"genre": ","}).read()
