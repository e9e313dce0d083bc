import pandas as pd
import pytest

import recsys
from recsys.api.bundle_model import BundleModel
from recsys.data.id_types import IdTypes
from recsys.runtime.bundle import Bundle


@pytest.fixture(scope="module")
def bundle(bundle_path):
    return recsys.load_bundle(bundle_path)


def test_says_what_it_is(bundle, bundle_path):
    assert repr(bundle) == f"BundleModel({str(bundle_path)!r}: 30 users, 20 items)"


def test_has_all_users(bundle):
    assert bundle.user_labels().tolist() == list(range(100, 130))
    assert bundle.seen_counts(["100", "nobody"]).tolist() == [10, 0]
    assert bundle.recommend(k=1)["user_id"].nunique() == 30


def test_similar_items_explanations_and_titles(bundle, model):
    assert bundle.similar(10, k=3)["similar_item_id"].tolist() == model.similar(10, k=3)["similar_item_id"].tolist()
    reasons = bundle.explain(histories=[[10, 12]], k=1)
    assert set(reasons["because_item_id"]) == {10, 12}
    assert bundle.recommend(104, k=1, titles=True)["title"].str.startswith("Square").all()


def test_ids_come_back_in_the_types_of_the_users_own_tables(bundle, model):
    assert bundle.bundle.manifest.data.id_types == model.id_types() == IdTypes("int64", "int64")
    pd.testing.assert_frame_equal(
        bundle.recommend(k=2).drop(columns="score"), model.recommend(k=2).drop(columns="score")
    )


def test_other_types_may_be_wanted(bundle_path):
    as_text = BundleModel(Bundle.open(bundle_path), IdTypes())
    assert as_text.recommend(104, k=1)["item_id"].dtype == "str"


def test_items_that_are_gone_are_in_no_list(bundle_path):
    bundle = recsys.load_bundle(bundle_path)
    first = bundle.recommend(104, k=1)["item_id"].iloc[0]
    bundle.remove_items(first)
    assert first not in set(bundle.recommend(104, k=20)["item_id"])


def test_its_identity_is_that_of_its_files(bundle, bundle_path):
    assert bundle.identity() == recsys.load_bundle(bundle_path).identity()
