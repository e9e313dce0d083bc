import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recsys_serving.writing.bundle_users import bundles_with


@pytest.fixture
def bundles(tmp_path):
    for name, users in (("first", ["anna", "ben"]), ("second", ["ben"]), ("third", None)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name)
        if users is not None:
            table = pa.table({"user_id": users, "user_index": list(range(len(users)))})
            pq.write_table(table, tmp_path / name / "user_vocabulary.parquet")
    (tmp_path / "other").mkdir()
    return list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("user_ids", "names"),
    [(["anna"], ["first"]), (["ben"], ["first", "second"]), (["nobody"], []), (["nobody", "anna"], ["first"])],
)
def test_bundles_that_know_a_user(bundles, user_ids, names):
    assert [one.name for one in bundles_with(user_ids, bundles)] == names


def test_a_bundle_is_named_with_its_fingerprint(bundles):
    (found,) = bundles_with(["anna"], bundles)
    assert found.fingerprint == "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
