from dataclasses import replace

import pytest

from recsys.export.model_card import MODEL_CARD, write_model_card
from recsys.runtime.bundle import Bundle
from recsys.runtime.personalization.knowledge import Reads
from tests.export.board_bundles import board_bundle, board_run
from tests.models.board_data import NUM_ITEMS, NUM_USERS

METRICS = {
    "test/ndcg@5": 0.25,
    "test/ndcg@10": 0.5,
    "test/ndcg@10_low": 0.4,
    "test/ndcg@10_high": 0.6,
    "test/coverage@10": 0.75,
    "test/item_popularity=tail/recall@10": 0.125,
    "baseline/test/ndcg@10": 0.0625,
}


def card_of(tmp_path, manifest, ranker=None, measured=None):
    run = board_run("ease", tmp_path / "run")
    if measured is not None:
        run = replace(run, manifest=replace(run.manifest, measured=measured))
    write_model_card(manifest, run, ranker, tmp_path)
    return (tmp_path / MODEL_CARD).read_text(encoding="utf-8")


def manifest_of(**changes):
    manifest = Bundle.open(board_bundle("ease")).manifest
    return replace(manifest, retriever=replace(manifest.retriever, metrics=METRICS), **changes)


def test_a_bundle_has_a_card_that_its_manifest_vouches_for():
    bundle = Bundle.open(board_bundle("ease"))
    assert MODEL_CARD in bundle.manifest.files
    assert (bundle.directory / MODEL_CARD).read_text(encoding="utf-8").startswith("# Model card of ease\n")


def test_quality_stands_beside_the_most_popular_with_its_interval(tmp_path):
    card = card_of(tmp_path, manifest_of())
    assert "| ndcg@10 | 0.5000 [0.4000, 0.6000] | 0.0625 |" in card
    assert "| coverage@10 | 0.7500 |  |" in card and "ndcg@5" not in card
    assert "| item popularity: tail | 0.1250 |" in card


def test_the_data_are_counted(tmp_path):
    card = card_of(tmp_path, manifest_of())
    assert f"of {NUM_USERS:,} users with {NUM_ITEMS:,} items" in card
    assert "EASE: trained on training, as implicit feedback" in card


def test_what_was_measured_before_a_refit_is_said(tmp_path):
    assert "What was measured: another run." in card_of(tmp_path, manifest_of(), measured="another run")


def test_a_model_that_nobody_measured_says_so(tmp_path):
    manifest = manifest_of()
    bare = replace(manifest, retriever=replace(manifest.retriever, metrics={}))
    assert "Nothing was measured." in card_of(tmp_path, bare)


def test_a_ranker_has_a_part_of_its_own(tmp_path):
    manifest = Bundle.open(board_bundle("ease", ranker="pure_svd")).manifest
    card = card_of(tmp_path, manifest, ranker=board_run("pure_svd", tmp_path / "ranker"))
    assert "PureSVD orders the best 200 of them" in card and "## Quality of the ranker, PureSVD" in card


@pytest.mark.parametrize(
    "policy, words",
    [(True, "are left out"), (False, "may come again"), ({"after_days": 30}, "come again after 30 days")],
)
def test_what_happens_to_seen_items_is_in_words(policy, words, tmp_path):
    assert f"Items that a user has {words}." in card_of(tmp_path, manifest_of(exclude_seen=policy))


def test_what_a_list_depends_on_is_in_words(tmp_path):
    nothing = replace(manifest_of().retriever, reads=Reads(None, False))
    card = card_of(tmp_path, manifest_of(filters={"stock": {"gte": 1}}, max_history=50, popular_days=30))
    assert "EASE reads the items of a user's history." in card and "the latest 50 items count" in card
    assert "`{'stock': {'gte': 1}}`" in card and "popular in the latest 30 days" in card
    assert "everyone has the same list" in card_of(tmp_path, replace(manifest_of(), retriever=nothing))
    columns = replace(manifest_of().retriever, reads=Reads("ratings", True, ("age",)))
    card = card_of(tmp_path, replace(manifest_of(), retriever=columns))
    assert (
        "the ratings of a user's history and who the user is, of the users of the training and the columns `age`"
        in card
    )
