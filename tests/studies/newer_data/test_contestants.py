import pytest

from recsys.errors import RunError
from recsys.studies.newer_data.contestants import open_contestants
from tests.studies.newer_data.small_shop import contestant


def test_the_pairs_that_it_knows_of_some_users_come_by_id_and_once():
    one = contestant("one", [("u1", "a"), ("u2", "b"), ("u1", "a"), ("u3", "c")])
    known = one.known_pairs(["u1", "u3", "stranger"])
    assert sorted(known.itertuples(index=False, name=None)) == [("u1", "a"), ("u3", "c")]
    assert one.known_pairs(["stranger"]).empty


def test_one_alone_or_the_same_twice_is_refused(tmp_path):
    for paths in ([tmp_path], [tmp_path, tmp_path]):
        with pytest.raises(RunError, match="The first is the champion"):
            open_contestants(paths)
