import errno
import json
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data.interactions import OPTIONAL_COLUMNS, Interactions
from recsys.data.preparation import in_memory, writing
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.preparing import Preparation, load_or_prepare, prepared_directory
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset
from recsys.data.readers.tables.memory_tables import MemoryTableReader
from recsys.data.schema import RatingScale
from recsys.errors import DataError, DataWarning, PreparedDataError
from tests.data.raw_data import FakeReader, films, interactions_table

NAN = float("nan")


def prepare(raw: RawDataset, directory: Path, **choices: Any) -> PreparedDataset:
    return Preparation(**choices).prepare(FakeReader(raw), directory / "prepared")


def triples(prepared: PreparedDataset) -> list[tuple[str, str, float]]:
    interactions = prepared.interactions
    users = prepared.user_vocabulary.ids_of(interactions.user_index).to_pylist()
    items = prepared.item_vocabulary.ids_of(interactions.item_index).to_pylist()
    ratings = [NAN] * len(users) if interactions.rating is None else interactions.rating.tolist()
    return list(zip(users, items, ratings, strict=True))


# --- what is written -------------------------------------------------------------------------------------------------


def test_interactions_stay_in_raw_order_with_their_values(tmp_path: Path) -> None:
    prepared = prepare(films(), tmp_path)
    assert triples(prepared) == [
        ("7", "x", 5.0),
        ("007", "y", 3.0),
        ("7", "y", 4.0),
        ("ánna", "x", 1.0),
        ("007", "w", 2.0),
    ]
    assert prepared.interactions.timestamp is not None
    assert prepared.interactions.timestamp.tolist() == [30, 10, 20, 40, 50]


def test_the_raw_interactions_are_let_go_of_before_the_rules_are_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[Any]] = []
    alive: list[bool] = []

    class Reader(FakeReader):
        def read(self) -> RawDataset:
            numbers = np.arange(5)  # shared with Arrow, not copied, so that its life is that of the raw table
            held.append(weakref.ref(numbers))
            raw = films()
            return replace(raw, interactions=raw.interactions.append_column("number", pa.array(numbers)))

    def clean(*arguments: Any) -> Any:
        alive.append(held[0]() is not None)
        return applied(*arguments)

    applied = in_memory.clean
    monkeypatch.setattr(in_memory, "clean", clean)
    prepared = Preparation().prepare(Reader(films()), tmp_path / "prepared")
    assert alive == [False]
    assert prepared.schema.columns[4].name == "number"


def test_the_files_are_plain_tables_of_indices(tmp_path: Path) -> None:
    directory = prepare(films(), tmp_path).directory
    assert sorted(path.name for path in directory.iterdir()) == [
        "interactions.arrow",
        "interactions.parquet",
        "item_vocabulary.parquet",
        "items.parquet",
        "schema.json",
        "user_vocabulary.parquet",
        "users.parquet",
    ]
    interactions = pq.read_table(directory / "interactions.parquet")
    assert {field.name: str(field.type) for field in interactions.schema} == {
        "user_index": "int32",
        "item_index": "int32",
        "rating": "float",
        "timestamp": "int64",
    }
    # Vocabularies in Unicode order: users 007, 7, ánna; items w, x, y.
    assert interactions.column("user_index").to_pylist() == [1, 0, 1, 2, 0]
    assert interactions.column("item_index").to_pylist() == [1, 2, 2, 1, 0]
    assert pq.read_table(directory / "users.parquet").to_pydict() == {
        "user_index": [0, 1, 2],
        "user_id": ["007", "7", "ánna"],
        "age": [31, 17, None],
    }
    assert pq.read_table(directory / "items.parquet").column("title").to_pylist() == [None, "Xanadu (1980)", ""]


def test_the_schema_tells_counts_ranges_and_sources(tmp_path: Path) -> None:
    schema = prepare(films(), tmp_path, positive_threshold=3).schema
    assert (schema.name, schema.num_users, schema.num_items, schema.num_interactions) == ("films", 3, 3, 5)
    assert schema.num_positives == 3
    assert schema.density == pytest.approx(5 / 9)
    assert schema.rating is not None and schema.timestamp is not None
    assert (schema.rating.min, schema.rating.max, schema.rating.mean) == (1.0, 5.0, 3.0)
    assert (schema.timestamp.first, schema.timestamp.last) == (10, 50)
    assert (schema.folds, schema.num_fixed_negatives) == (None, None)
    assert schema.sources == films().sources
    assert schema.item_features == films().item_features
    assert schema.fingerprint["preparation"]["positive_threshold"] == 3.0


def test_each_rule_tells_what_it_removed(tmp_path: Path) -> None:
    raw = films()
    more = interactions_table([("7", "x", 1.0, 29), ("7", "x", NAN, 31)])
    raw = replace(raw, interactions=pa.concat_tables([raw.interactions, more]))
    rules = prepare(raw, tmp_path, invalid_rows="drop", min_item_interactions=2).schema.rules
    # The second interaction of "7" with "x" is older than the first; item "w" has one interaction. The users table
    # has "nobody", the items table "z", who take part in none.
    assert {rule.rule: dict(rule.removed) for rule in rules} == {
        "invalid rows": {"interactions": 1},
        "duplicates": {"interactions": 1},
        "k-core": {"interactions": 1, "users": 0, "items": 1},
        "users table": {"rows of users": 1},
        "items table": {"rows of items": 1},
    }


def test_data_without_ratings_times_or_tables_are_prepared(tmp_path: Path) -> None:
    prepared = prepare(RawDataset("bare", interactions_table([("a", "x"), ("b", "x")])), tmp_path)
    assert prepared.interactions.rating is None and prepared.interactions.timestamp is None
    assert (prepared.schema.rating, prepared.schema.timestamp) == (None, None)
    assert [rule.rule for rule in prepared.schema.rules] == ["invalid rows", "duplicates", "k-core"]


SALES = ("user_id", "item_id", "timestamp", "weight")


def sales() -> RawDataset:
    """Ann buys two apples, later three, and returns one; Bob returns all his bread."""
    rows = [("ann", "apple", 10, 2), ("ann", "apple", 30, 3), ("ann", "apple", 20, -1), ("bob", "apple", 5, 1)]
    rows += [("bob", "bread", 6, 4), ("bob", "bread", 7, -4), ("ann", "bread", 8, 0)]
    return RawDataset("sales", interactions_table(rows, SALES))


def test_weights_are_added_up_and_returns_cancel_what_was_bought(tmp_path: Path) -> None:
    prepared = prepare(sales(), tmp_path, repeats="aggregate")
    interactions = prepared.interactions
    assert [triple[:2] for triple in triples(prepared)] == [("ann", "apple"), ("bob", "apple")]
    assert interactions.weight is not None and interactions.weight.tolist() == [4, 1]
    assert interactions.timestamp is not None and interactions.timestamp.tolist() == [30, 5]
    assert interactions.first_timestamp is not None and interactions.first_timestamp.tolist() == [10, 5]
    assert [rule.rule for rule in prepared.schema.rules] == ["invalid rows", "returns", "repeats", "k-core"]
    assert str(prepared.schema.rules[1]) == (
        "returns removed 4 interactions: 2 with a negative weight cancel 1 whole and 1 in part"
    )
    assert (prepared.schema.weight, prepared.schema.num_items) == (RatingScale(1.0, 4.0, 2.5), 1)
    assert prepared.schema.further_columns == ("weight", "first_timestamp")
    assert interactions_equal(open_prepared(prepared.directory, verify=True).interactions, interactions)


def test_events_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    prepared = prepare(sales(), tmp_path, repeats="keep")
    assert prepared.interactions.weight is not None and prepared.interactions.weight.tolist() == [1, 3, 1]
    assert (prepared.schema.num_interactions, prepared.schema.density) == (3, 1.0)  # two users, one item


def interactions_equal(one: Interactions, other: Interactions) -> bool:
    names = ("user_index", "item_index", *OPTIONAL_COLUMNS)
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_given_split_is_kept(tmp_path: Path) -> None:
    rows = [("a", "x", "train"), ("a", "x", "test"), ("b", "y", "valid"), ("b", "y", "valid")]
    raw = RawDataset("split", interactions_table(rows, ("user_id", "item_id", "fold")))
    prepared = prepare(raw, tmp_path)
    assert prepared.interactions.fold is not None
    assert prepared.interactions.fold.tolist() == [0, 2, 1]
    assert prepared.schema.folds == {"train": 1, "valid": 1, "test": 1}
    fold = pq.read_table(prepared.directory / "interactions.parquet").column("fold")
    assert fold.cast(pa.string()).to_pylist() == ["train", "test", "valid"]


def test_fixed_negatives_are_kept(tmp_path: Path) -> None:
    negatives = pa.table({"user_id": ["7", "007"], "item_ids": [["y", "w"], ["x", "x"]]})
    prepared = prepare(replace(films(), fixed_negatives=negatives), tmp_path)
    assert prepared.fixed_negatives is not None
    users, items = prepared.fixed_negatives
    assert users.tolist() == [1, 0]
    assert items.tolist() == [[2, 0], [1, 1]]
    assert prepared.schema.num_fixed_negatives == 2


@pytest.mark.filterwarnings("ignore::recsys.errors.DataWarning")  # of ids that differ by white space
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=3),
            st.sampled_from(["x", "y", "z", "0", "00"]),
            st.floats(-5, 5, width=32),
            st.integers(0, 4_102_444_800),
        ),
        min_size=1,
        unique_by=lambda row: (row[0], row[1]),
    )
)
def test_what_is_prepared_comes_back(tmp_path: Path, rows: list[tuple[str, str, float, int]]) -> None:
    prepared = prepare(RawDataset("any", interactions_table(rows)), tmp_path)
    assert triples(prepared) == [(user, item, rating) for user, item, rating, _ in rows]
    assert prepared.interactions.timestamp is not None
    assert prepared.interactions.timestamp.tolist() == [time for *_, time in rows]
    assert open_prepared(prepared.directory, verify=True).schema == prepared.schema


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_an_item_that_nobody_rated_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    assert prepare(films(), tmp_path).item_vocabulary.ids.to_pylist() == ["w", "x", "y"]
    prepared = prepare(films(), tmp_path, include_unrated_items=True)
    assert prepared.item_vocabulary.ids.to_pylist() == ["w", "x", "y", "z"]
    assert prepared.interactions.num_items == 4
    assert triples(prepared)[0] == ("7", "x", 5.0)
    assert prepared.titles([3]) == ["Zulu (1964)"]


def test_a_user_with_one_interaction_stays(tmp_path: Path) -> None:
    prepared = prepare(films(), tmp_path)
    assert prepared.user_vocabulary.index("ánna") == 2


# --- determinism -----------------------------------------------------------------------------------------------------


def test_the_hash_does_not_depend_on_the_order_of_columns(tmp_path: Path) -> None:
    raw = films()
    assert raw.users is not None and raw.items is not None
    shuffled = replace(
        raw,
        interactions=raw.interactions.select(["timestamp", "item_id", "rating", "user_id"]),
        users=raw.users.select(["age", "user_id"]),
        items=raw.items.select(["genres", "item_id", "title"]),
    )
    hashes = {prepare(each, tmp_path).schema.content_hash for each in (raw, raw, shuffled)}
    assert len(hashes) == 1


def test_the_hash_does_not_depend_on_chunks_or_dictionaries(tmp_path: Path) -> None:
    raw = films()
    table = raw.interactions
    pieces = pa.concat_tables([table.slice(0, 2), table.slice(2)])
    coded = pieces.set_column(0, "user_id", pieces.column("user_id").dictionary_encode())
    expected = prepare(raw, tmp_path).schema.content_hash
    assert prepare(replace(raw, interactions=coded), tmp_path).schema.content_hash == expected


def test_the_vocabularies_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    raw = films()
    first = prepare(raw, tmp_path)
    second = prepare(replace(raw, interactions=raw.interactions.take([4, 2, 0, 1, 3])), tmp_path)
    assert (first.user_vocabulary, first.item_vocabulary) == (second.user_vocabulary, second.item_vocabulary)
    assert first.users.equals(second.users) and first.items.equals(second.items)
    assert first.schema.content_hash != second.schema.content_hash


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"positive_threshold": "high"}, "preparation.positive_threshold must be a number or null, but is 'high'"),
        ({"positive_threshold": NAN}, "positive_threshold must be a number or null, but is nan"),
        ({"positive_threshold": True}, "positive_threshold must be a number or null, but is True"),
        ({"min_user_interactions": 0}, "min_user_interactions must be a whole number of at least 1, but is 0"),
        ({"min_item_interactions": 2.5}, "min_item_interactions must be a whole number of at least 1, but is 2.5"),
        ({"include_unrated_items": "yes"}, "include_unrated_items must be true or false, but is 'yes'"),
        ({"invalid_rows": "keep"}, "invalid_rows must be error or drop, but is 'keep'"),
    ],
)
def test_a_wrong_choice_is_refused(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Preparation(**choices)


def test_rules_that_leave_nothing_say_what_they_removed(tmp_path: Path) -> None:
    message = (
        "leave none of 5 interactions: invalid rows removed nothing; duplicates removed nothing; "
        "k-core removed 5 interactions, 3 users, 3 items. Lower preparation.min_user_interactions"
    )
    with pytest.raises(DataError, match=message):
        prepare(films(), tmp_path, min_user_interactions=4)
    assert not (tmp_path / "prepared").exists()


def test_a_feature_of_the_wrong_type_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    raw = replace(films(), item_features=(FeatureColumn("title", FeatureKind.NUMBER),))
    with pytest.raises(
        DataError, match="title is declared number, which needs numbers or dates, but the column is of type string"
    ):
        prepare(raw, tmp_path)
    assert not (tmp_path / "prepared").exists()


# --- where it is kept ------------------------------------------------------------------------------------------------


def test_the_directory_is_named_after_the_data_and_their_settings(tmp_path: Path) -> None:
    reader = FakeReader(films(), name="my films/2")
    directory = prepared_directory(tmp_path, reader, Preparation())
    assert directory.parent == tmp_path
    assert directory.name.startswith("my_films_2-") and len(directory.name) == len("my_films_2-") + 12
    assert prepared_directory(tmp_path, reader, Preparation()) == directory
    others = {
        prepared_directory(tmp_path, reader, Preparation(min_user_interactions=5)),
        prepared_directory(tmp_path, reader, Preparation(positive_threshold=4)),
        prepared_directory(tmp_path, FakeReader(films(), "my films/2", {"release": "1m"}), Preparation()),
        directory,
    }
    assert len(others) == 4


def test_whole_and_decimal_thresholds_are_one_setting(tmp_path: Path) -> None:
    reader = FakeReader(films())
    paths = {prepared_directory(tmp_path, reader, Preparation(positive_threshold=four)) for four in (4, 4.0)}
    assert len(paths) == 1


def test_prepared_data_are_reused(tmp_path: Path) -> None:
    reader = FakeReader(films())
    first = load_or_prepare(tmp_path, reader, Preparation())
    second = load_or_prepare(tmp_path, reader, Preparation())
    assert first.directory == second.directory == prepared_directory(tmp_path, reader, Preparation())
    assert len(reader.reads) == 1


def remove_schema(directory: Path) -> None:
    (directory / "schema.json").unlink()


def truncate(directory: Path) -> None:
    path = directory / "interactions.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def lose_items(directory: Path) -> None:
    (directory / "items.parquet").unlink()


def forge_fingerprint(directory: Path) -> None:
    text = (directory / "schema.json").read_text(encoding="utf-8")
    (directory / "schema.json").write_text(text.replace('"min_user_interactions": 1', '"min_user_interactions": 2'))


@pytest.mark.parametrize("damage", [remove_schema, truncate, lose_items, forge_fingerprint])
def test_incomplete_or_damaged_data_are_prepared_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    reader = FakeReader(films())
    first = load_or_prepare(tmp_path, reader, Preparation())
    damage(first.directory)
    second = load_or_prepare(tmp_path, reader, Preparation())
    assert len(reader.reads) == 2
    assert open_prepared(second.directory, verify=True).schema == first.schema


def test_a_directory_of_other_files_is_never_overwritten(tmp_path: Path) -> None:
    reader = FakeReader(films())
    directory = prepared_directory(tmp_path, reader, Preparation())
    directory.mkdir()
    (directory / "notes.txt").write_text("mine")
    with pytest.raises(PreparedDataError, match=r"holds notes\.txt"):
        load_or_prepare(tmp_path, reader, Preparation())
    assert (directory / "notes.txt").read_text() == "mine"


def test_a_full_disk_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table = writing.write_table

    def write_until_full(table: pa.Table, path: Path) -> None:
        if path.name == "items.parquet":
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write_table(table, path)

    monkeypatch.setattr(writing, "write_table", write_until_full)
    reader = FakeReader(films())
    with pytest.raises(
        PreparedDataError, match=r"could not be written: No space left on device\. Nothing half-written"
    ):
        load_or_prepare(tmp_path, reader, Preparation())
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []
    monkeypatch.undo()
    assert load_or_prepare(tmp_path, reader, Preparation()).schema.num_interactions == 5


def test_an_error_of_the_reader_leaves_nothing(tmp_path: Path) -> None:
    raw = replace(films(), interactions=pa.table({"user_id": ["a"]}))
    with pytest.raises(DataError, match="item_id is missing"):
        load_or_prepare(tmp_path, FakeReader(raw), Preparation())
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []


# --- what is told of the data ----------------------------------------------------------------------------------------


def test_the_report_is_kept_with_the_data_and_warnings_are_told_each_time(tmp_path: Path) -> None:
    sales = {"user_id": ["u", "u ", "v"], "item_id": ["a", "b", "c"]}
    reader = MemoryTableReader(sales, items={"item_id": ["a"], "price": [2.5]}, name="shop")
    told = []
    for _ in range(2):
        with pytest.warns(DataWarning) as caught:
            prepared = load_or_prepare(tmp_path, reader, Preparation(), told.append)
        assert [str(warning.message).partition(" if")[0].partition(".")[0] for warning in caught] == [
            "3 users are 2",
            "1 of 3 items have a row in the items table (33",
        ]
    assert [one.directory for one in told] == [prepared.directory]  # the first time alone
    schema = prepared.schema
    assert schema.warnings == tuple(str(warning.message) for warning in caught)
    assert [join.num_matched for join in schema.joins] == [1]
    assert [(column.table, column.name) for column in schema.columns] == [
        ("interactions", "user_id"),
        ("interactions", "item_id"),
        ("items", "item_id"),
        ("items", "price"),
    ]


def test_white_space_around_ids_is_stripped_where_the_user_says_so(tmp_path: Path) -> None:
    reader = MemoryTableReader({"user_id": ["u", "u "], "item_id": ["a", "b"]})
    prepared = load_or_prepare(tmp_path, reader, Preparation(strip_ids=True))
    assert prepared.user_vocabulary.ids.to_pylist() == ["u"]
    assert prepared.schema.warnings == ()


@pytest.mark.parametrize("engine", ["memory", "streaming"])
def test_ids_that_are_words_for_a_missing_value_are_told_kept_or_missing(tmp_path: Path, engine: Any) -> None:
    rows = pa.table({"user_id": ["u", "NaN", "NaN"], "item_id": ["a", "b", "c"]})
    reader = FakeReader(RawDataset("toy", rows))
    with pytest.warns(DataWarning, match=r"'NaN' \(2 interactions\)\. Set preparation\.null_ids=missing if"):
        told = load_or_prepare(tmp_path, reader, Preparation(engine=engine))
    kept = load_or_prepare(tmp_path, reader, Preparation(engine=engine, null_ids="keep"))
    assert [one.user_vocabulary.ids.to_pylist() for one in (told, kept)] == [["NaN", "u"]] * 2
    with pytest.raises(DataError, match="2 of 3 rows of the interactions come without user_id"):
        load_or_prepare(tmp_path, reader, Preparation(engine=engine, null_ids="missing"))
    left = load_or_prepare(tmp_path, reader, Preparation(engine=engine, null_ids="missing", invalid_rows="drop"))
    assert left.user_vocabulary.ids.to_pylist() == ["u"]
    assert kept.schema.warnings == left.schema.warnings == ()


def test_a_table_that_matches_nobody_leaves_nothing(tmp_path: Path) -> None:
    reader = MemoryTableReader({"user_id": ["1"], "item_id": ["a"]}, users={"user_id": ["1.0"], "age": [3]})
    with pytest.raises(DataError, match="users table has a row for none of the 1 users"):
        load_or_prepare(tmp_path, reader, Preparation())
    assert not list(tmp_path.glob("*/schema.json"))


def test_a_schema_of_an_earlier_version_opens_without_the_report(tmp_path: Path) -> None:
    prepared = load_or_prepare(tmp_path, MemoryTableReader({"user_id": ["1"], "item_id": ["a"]}), Preparation())
    path = prepared.directory / "schema.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for key in ("columns", "joins", "notes", "warnings"):
        del content[key]
    path.write_text(json.dumps(content), encoding="utf-8")
    schema = open_prepared(prepared.directory).schema
    assert (schema.columns, schema.joins, schema.notes, schema.warnings) == ((), (), (), ())
