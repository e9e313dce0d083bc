import pytest

from recsys.data.preparing import Preparation, load_or_prepare
from recsys.data.readers.table import TableReader
from recsys.errors import DataError
from recsys.studies.newer_data.held_out import read_held_out
from tests.studies.newer_data.small_shop import contestant

OLD = contestant("old", [("u1", "a"), ("u2", "b")], items="abc")
NEW = contestant("new", [("u1", "a"), ("u1", "c"), ("u2", "b"), ("u3", "d")], items="abcd", threshold=4.0)


def table(tmp_path, *rows, header="user_id,item_id"):
    path = tmp_path / "newer.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def test_what_a_contestant_knows_or_none_can_find_is_left_out_and_told(tmp_path):
    path = table(tmp_path, "u1,b", "u1,b", "u1,c", "u3,a", "u2,z")
    found = read_held_out(path, None, [OLD, NEW])
    # u1 has c for the new one already; nobody has z; b comes twice.
    assert sorted(found.pairs.itertuples(index=False, name=None)) == [("u1", "b"), ("u3", "a")]
    assert (found.num_rows, found.num_repeated, found.num_known, found.num_unreachable) == (5, 1, 1, 1)
    assert sorted(found.known.itertuples(index=False, name=None)) == [("u1", "a"), ("u1", "c"), ("u3", "d")]
    assert found.missing_users == {"old": 1, "new": 0}
    lines = found.told()
    assert lines[0] == (
        "newer.csv: 5 interactions, of which 2 of 2 users are to be recovered (left out: 1 known to a contestant "
        "already; 1 repeated; 1 of items that no contestant has)"
    )
    assert lines[1].startswith("old does not have the items of 0.0% of them") and "1 of the users" in lines[1]
    assert len(lines) == 2


def test_the_share_of_items_that_a_contestant_lacks_is_told(tmp_path):
    found = read_held_out(table(tmp_path, "u1,d", "u2,a", "u2,c", "u2,d"), None, [OLD, NEW])
    assert found.missing_items == {"old": 0.5, "new": 0.0}


def test_columns_may_have_other_names_and_low_ratings_are_no_positives(tmp_path):
    path = table(tmp_path, "u1,b,5", "u2,a,3", header="who,what,stars")
    found = read_held_out(path, {"user": "who", "item": "what", "rating": "stars"}, [OLD, NEW])
    assert found.pairs.to_numpy().tolist() == [["u1", "b"]]
    assert found.num_rated_low == 1


def test_a_prepared_directory_does_as_well(tmp_path):
    reader = TableReader(table(tmp_path, "u1,b", "u2,a"), name="week")
    prepared = load_or_prepare(tmp_path / "prepared", reader, Preparation())
    found = read_held_out(prepared.directory, None, [OLD, NEW])
    assert found.name == "week"
    assert sorted(found.pairs.itertuples(index=False, name=None)) == [("u1", "b"), ("u2", "a")]


def test_nothing_new_is_refused(tmp_path):
    with pytest.raises(DataError, match="of the 1 of .*newer.csv none is left: 1 pairs are known"):
        read_held_out(table(tmp_path, "u1,a"), None, [OLD, NEW])


def test_pairs_that_are_known_may_be_found_again_at_the_time_of_the_first_of_them(tmp_path):
    path = table(tmp_path, "u1,b,90", "u1,a,70", "u1,c,80", "u4,b,60", header="user_id,item_id,timestamp")
    found = read_held_out(path, None, [OLD, NEW], repeats="keep")
    assert sorted("".join(pair) for pair in found.pairs.to_numpy()) == ["u1a", "u1b", "u1c", "u4b"]
    assert found.num_known == 2  # a for both, c for the new one
    assert found.times == {"u1": 70, "u4": 60}
    lines = found.told()
    assert lines[0] == "newer.csv: 4 interactions, of which 4 of 2 users are to be recovered"
    assert lines[1].startswith("2 of them were known to a contestant already and are to be found again; ")


def test_white_space_around_ids_does_not_count_where_no_contestant_has_any(tmp_path):
    """As where preparation has stripped it."""
    path = table(tmp_path, '" u1",b', 'u1,"b "', '"u3\t",a', '" u1",c')
    found = read_held_out(path, None, [OLD, NEW])
    assert sorted(found.pairs.itertuples(index=False, name=None)) == [("u1", "b"), ("u3", "a")]
    assert (found.num_stripped, found.num_repeated, found.num_known) == (4, 1, 1)
    assert (
        "white space around the ids of 4 interactions does not count, as no contestant has an id with any"
        in found.told()
    )


def test_white_space_around_ids_counts_where_a_contestant_has_some(tmp_path):
    spaced = contestant("spaced", [("u1 ", "a"), ("u1", "b")], items="abc")
    found = read_held_out(table(tmp_path, '"u1 ",b', 'u1,"a "', "u1,c"), None, [spaced, OLD])
    # "u1 " stays another user than "u1"; of the items none has any.
    assert sorted(found.pairs.itertuples(index=False, name=None)) == [("u1", "c"), ("u1 ", "b")]
    assert (found.num_stripped, found.num_known) == (1, 1)
