import time
from dataclasses import replace

import pyarrow as pa
import pytest

from recsys.data.appending.append import append
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset
from recsys.errors import DataError, DataWarning
from tests.data.appending.test_append import COLUMNS, reader
from tests.data.raw_data import FakeReader, interactions_table

FIRST = [
    (f"{10 + user}", f"{100 + item}", 1.0 + (user + item) % 5, 1_700_000_000 + item)
    for user in range(8)
    for item in range(8)
]
NEW = [(f"{10 + user}", f"{120 + user}", 3.0, 1_700_100_000) for user in range(6)]


@pytest.fixture
def first(tmp_path):
    return Preparation().prepare(reader(FIRST), tmp_path / "toy")


def changed(rows, *functions):
    """The rows with a function of each column."""
    return [tuple(function(value) for function, value in zip(functions, row, strict=True)) for row in rows]


def same(value):
    return value


def test_what_goes_on_is_not_told(first):
    rows = [(user, f"{100 + number}", *rest) for number, (user, _, *rest) in enumerate(NEW)]
    assert append(first, reader(rows)).prepared.schema.warnings == ()


@pytest.mark.parametrize("spelled", [lambda user: f"{user}.0", lambda user: f"000{user}", lambda user: f" {user}"])
def test_known_ids_in_another_spelling_are_refused(first, tmp_path, spelled):
    with pytest.raises(DataError, match=r"0 of the 6 users of the new interactions are known so far\. Without .*'10'"):
        append(first, reader(changed(NEW, spelled, same, same, same)))
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_some_ids_in_another_spelling_are_told(first):
    rows = [*changed(NEW[:3], lambda user: f"{user}.0", same, same, same), *[("16", "100", 3.0, 1_700_100_000)]]
    with pytest.warns(DataWarning, match="1 of the 4 users .* 3 more would match"):
        append(first, reader(rows))


def test_ids_of_another_kind_are_told_and_kept(first):
    with pytest.warns(DataWarning, match="0 of the 6 users .* ids such as 'u10', those so far such as '10'"):
        grown = append(first, reader(changed(NEW, lambda user: f"u{user}", lambda item: "100", same, same))).prepared
    assert grown.schema.num_users == 14 and len(grown.schema.warnings) == 1


def test_a_single_new_user_is_nothing_unusual(first):
    assert append(first, reader([("new", "100", 3.0, 1_700_100_000)])).prepared.schema.warnings == ()


def test_new_ids_that_are_words_for_a_missing_value_are_told(first):
    with pytest.warns(DataWarning, match=r"'nan' \(2 interactions\)\. Leave these rows out if no id came\."):
        append(first, reader([("nan", "100", 3.0, 1_700_100_000), ("nan", "101", 3.0, 1_700_100_000)]))


def test_ids_that_are_words_for_a_missing_value_are_missing_where_the_first_preparation_said_so(tmp_path):
    first = Preparation(null_ids="missing", invalid_rows="drop").prepare(reader(FIRST), tmp_path / "toy")
    rows = [("nan", "100", 3.0, 1_700_100_000), ("10", "101", 3.0, 1_700_100_000)]
    grown = append(first, reader(rows)).prepared
    assert grown.schema.num_users == first.schema.num_users and grown.schema.warnings == ()


def test_ratings_on_another_scale_are_told(first):
    rows = [(*row[:1], "100", 50.0, row[3]) for row in NEW]
    with pytest.warns(DataWarning, match="6 of the 6 .* outside of those so far, 1 to 5, such as 50"):
        append(first, reader(rows))


def test_times_before_all_and_in_the_future_are_told(first):
    with pytest.warns(DataWarning, match="All 6 new interactions.* are earlier than the first so far, 2023-11-14"):
        append(first, reader(changed(NEW, same, lambda item: "100", same, lambda at: 12)))
    ahead = int(time.time()) + 400 * 86_400
    with pytest.warns(DataWarning, match="6 of the 6 new interactions are in the future"):
        append(first, reader(changed(NEW, same, lambda item: "100", same, lambda at: ahead)))


@pytest.mark.parametrize("repeats", ["keep", "latest"])
def test_rows_that_are_there_already_are_told(tmp_path, repeats):
    first = Preparation(repeats=repeats).prepare(reader(FIRST), tmp_path / "toy")
    with pytest.warns(DataWarning, match="5 of the 6 new interactions are in the data already"):
        append(first, reader([*FIRST[:5], ("10", "100", 3.0, 1_700_100_000)]))
    later = [(*row[:3], row[3] + 100) for row in FIRST[:5]]
    assert append(first, reader(later)).prepared.schema.warnings == ()


def test_a_table_of_other_users_is_told_and_what_is_left_out_is_counted(first):
    users = pa.table({"user_id": ["10.0", "11.0"], "age": [1, 2]})
    rows = [("10", "100", 3.0, 1_700_100_000)]
    raw = RawDataset("toy", interactions_table(rows, COLUMNS), users=users)
    with pytest.warns(DataWarning, match="None of the 2 rows of the users table is of one of the 8 users .* Without"):
        grown = append(first, FakeReader(raw)).prepared
    assert "users table removed 2 rows of users" in [str(rule) for rule in grown.schema.rules]
    own = FakeReader(replace(raw, users=users.set_column(0, "user_id", pa.array(["10", "77"]))), settings={"own": True})
    grown = append(first, own).prepared
    assert grown.schema.warnings == ()
    assert "users table removed 1 rows of users" in [str(rule) for rule in grown.schema.rules]


def test_what_waits_is_no_part_of_the_new_interactions(tmp_path):
    """Users who wait for more were told when they came."""
    first = Preparation(min_user_interactions=2).prepare(reader(FIRST), tmp_path / "toy")
    waiting = [(f"w{number}", "100", 3.0, 1_700_100_000) for number in range(6)]
    with pytest.warns(DataWarning, match="0 of the 6 users"):
        second = append(first, reader(waiting)).prepared
    third = append(second, reader([("10", "107", 3.0, 1_700_200_000)])).prepared
    assert len(third.schema.warnings) == 1
