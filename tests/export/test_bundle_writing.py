import numpy as np
import pytest
import torch

from recsys.errors import ExportError, RecsysError
from recsys.export.bundle_writing import BundleSettings, write_bundle
from recsys.models.mf import MF
from recsys.models.onnx.exportable import ServingForm
from recsys.models.pure_svd import PureSVD
from recsys.runs.run_manifest import RunManifest
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.personalization.knowledge import Reads
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.similar_items import TIE
from tests.export.board_bundles import board_bundle, board_run, quietly
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board


def test_a_bundle_says_what_it_is_made_of_and_what_it_promises():
    bundle = Bundle.open(board_bundle("mf"))
    manifest = bundle.manifest
    assert (manifest.retriever.model, manifest.ranker, manifest.name) == ("MF", None, "mf")
    assert manifest.retriever.metrics == {"test/ndcg@10": 0.5}
    assert manifest.data.content_hash == prepared_board().schema.content_hash
    assert (manifest.data.min_rating, manifest.data.rating_range) == (4, (1, 5))
    assert manifest.index.kind == "exact" and manifest.index.recall == 1
    assert manifest.parity["query_encoder"]["max_difference"] <= 1e-3
    assert manifest.inputs["query_encoder.onnx"]["history"] == {"type": "tensor(int64)", "shape": ["batch", "length"]}
    assert bundle.item_vectors().shape == (NUM_ITEMS, 9)
    assert len(bundle.histories) == NUM_USERS and bundle.histories.counts.tolist() == [NUM_ITEMS] * NUM_USERS


def test_a_model_without_vectors_scores_the_catalogue():
    bundle = Bundle.open(board_bundle("ease"))
    assert bundle.manifest.index.kind == "scores"
    assert bundle.index().exact


def test_a_ranker_orders_what_the_retriever_finds():
    retrieved = BundleRecommender(Bundle.open(board_bundle("ease")))
    ranked = BundleRecommender(Bundle.open(board_bundle("ease", ranker="pure_svd")))
    alone = BundleRecommender(Bundle.open(board_bundle("pure_svd")))
    asked = RecommendationRequest(history=["i02", "i08", "i04"], k=5)
    assert ranked.recommend_one(asked).item_ids == alone.recommend_one(asked).item_ids
    assert ranked.bundle.manifest.ranker.model == "PureSVD"
    assert retrieved.recommend_one(asked).scores != ranked.recommend_one(asked).scores


def test_a_ranker_may_get_few_candidates_that_it_takes_for_equal():
    manifest = Bundle.open(board_bundle("pure_svd", ranker="ease", num_candidates=7)).manifest
    assert manifest.num_candidates == 7 and manifest.parity["ranker"]["top_k_agreement"] == 1


@pytest.mark.parametrize("settings", [{"storage": "float16"}, {"storage": "int8"}, {"precision": "float16"}])
def test_fewer_bytes_say_what_they_cost(settings):
    manifest = Bundle.open(board_bundle("mf", **settings)).manifest
    (kind, value), *_ = settings.items()
    assert manifest.parity[kind][kind] == value
    assert 0.8 <= manifest.parity[kind]["top_10_overlap"] <= 1


def test_a_ranker_of_fewer_bytes_says_what_that_costs():
    manifest = Bundle.open(board_bundle("ease", ranker="pure_svd", precision="int8")).manifest
    assert 0.5 < manifest.parity["ranker_precision"]["top_10_overlap"] <= 1
    assert manifest.parity["ranker"]["max_difference"] <= 1e-3


def test_histories_that_are_cut_say_what_that_costs():
    bundle = Bundle.open(board_bundle("ease", ranker="pure_svd", max_history=3))
    cost = bundle.manifest.parity["max_history"]
    assert (bundle.manifest.max_history, bundle.manifest.longest_history) == (3, 3)
    assert cost["share_of_users"] == 1 and 0 <= cost["top_10_overlap"] == cost["top_10_overlap_of_these"] <= 1
    cut, whole = BundleRecommender(bundle), BundleRecommender(Bundle.open(board_bundle("ease", ranker="pure_svd")))
    history = ["i00", "i05", "i02", "i08", "i04"]
    answer = cut.recommend_one(RecommendationRequest(history=history, k=5))
    latest = whole.recommend_one(RecommendationRequest(history=history[2:], exclude_items=history[:2], k=5))
    assert answer.scores == pytest.approx(latest.scores)
    assert not set(history) & set(cut.recommend_one(RecommendationRequest(history=history, k=30)).item_ids)


def test_a_cut_that_nobody_feels_costs_nothing():
    cost = Bundle.open(board_bundle("ease", max_history=NUM_ITEMS)).manifest.parity["max_history"]
    assert cost == {"top_10_overlap": 1, "share_of_users": 0, "top_10_overlap_of_these": 1}


def test_a_bundle_that_differs_from_the_model_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    right = MF.serving_form

    def wrong(self):
        form = right(self)
        return ServingForm(form.encoder, form.item_vectors * torch.linspace(1, 1.1, NUM_ITEMS)[:, None])

    monkeypatch.setattr(MF, "serving_form", wrong)
    with pytest.raises(ExportError, match="differs from PyTorch.*refused"):
        write_bundle(board_run("mf", tmp_path / "run"), None, tmp_path / "out", BundleSettings(), quietly)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_model_that_scores_where_the_original_does_not_is_refused(tmp_path, monkeypatch):
    class EveryoneIsKnown(torch.nn.Module):
        def forward(self, query):
            return query.users.clamp(min=0)[:, None] + torch.zeros(1, NUM_ITEMS)

    monkeypatch.setattr(MF, "serving_form", lambda self: ServingForm(EveryoneIsKnown(), None))
    with pytest.raises(ExportError, match="differs"):
        write_bundle(board_run("mf", tmp_path / "run"), None, tmp_path / "out", BundleSettings(), quietly)


def test_an_explainer_says_how_close_it_is():
    manifest = Bundle.open(board_bundle("ease", ranker="pure_svd")).manifest
    assert manifest.parity["explainer"]["max_difference"] <= 1e-3
    assert manifest.parity["explainer"]["num_queries"] > 512
    assert {"history", "candidates"} <= set(manifest.inputs["explainer.onnx"])
    assert list(manifest.outputs["explainer.onnx"]) == ["contributions", "rest"]


@pytest.mark.parametrize("wrong", [{"scale": 1.01}, {"rest": 0.01}, {"missing": True}], ids=str)
def test_an_explainer_that_differs_from_the_model_is_refused(tmp_path, monkeypatch, wrong):
    right = PureSVD.explaining_form

    class Wrong(torch.nn.Module):
        def __init__(self, form):
            super().__init__()
            self.form = form

        def forward(self, query, items):
            contributions, rest = self.form(query, items)
            missing = torch.nan if "missing" in wrong else 0.0
            return contributions * wrong.get("scale", 1.0) + missing, rest + wrong.get("rest", 0.0)

    monkeypatch.setattr(PureSVD, "explaining_form", lambda self: Wrong(right(self)))
    with pytest.raises(ExportError, match="exported explainer.*refused"):
        write_bundle(board_run("pure_svd", tmp_path / "run"), None, tmp_path / "out", BundleSettings(), quietly)


def test_what_is_there_is_not_written_over(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ExportError, match="is there. Choose another output="):
        write_bundle(board_run("mf", tmp_path / "run"), None, tmp_path / "there", BundleSettings(), quietly)


def test_runs_of_other_data_do_not_go_together(tmp_path):
    first, second = board_run("mf", tmp_path / "a"), board_run("ease", tmp_path / "b")
    stranger = RunManifest(**{**{f: getattr(second.manifest, f) for f in RunManifest.__slots__}, "data_hash": "0" * 64})
    second = type(second)(second.directory, second.config, stranger, second.prepared, second.model)
    with pytest.raises(ExportError, match="must be of the same data"):
        write_bundle(first, second, tmp_path / "out", BundleSettings(), quietly)


def test_a_model_of_likes_and_one_of_ratings_do_not_go_together(tmp_path):
    with pytest.raises(ExportError, match="must have the same histories"):
        write_bundle(
            board_run("mf", tmp_path / "a"),
            board_run("bias", tmp_path / "b"),
            tmp_path / "out",
            BundleSettings(),
            quietly,
        )


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("storage", "float8", "storage must be float32, float16, int8, but it is float8"),
        ("max_history", 0, "max_history must be a whole number of at least 1, or null for all, but it is 0"),
        ("precision", "int4", "precision must be float32, float16, int8, but it is int4"),
        ("num_candidates", 0, "num_candidates must be a whole number of at least 1, but it is 0"),
        ("num_neighbours", 2.5, "num_neighbours must be a whole number of at least 1, but it is 2.5"),
    ],
)
def test_settings_that_do_not_exist_are_refused(setting, value, message):
    with pytest.raises(ExportError, match=message):
        BundleSettings(**{setting: value})


def test_neighbours_are_those_of_the_model():
    neighbours = Bundle.open(board_bundle("ease")).neighbours("model")
    for item in range(NUM_ITEMS):
        found, weights = neighbours.of(item)
        assert item not in found
        assert (np.diff(weights) <= TIE).all() and (weights > 0).all()
        assert (found[:5] % 2 == item % 2).all()


@pytest.mark.parametrize("settings", [{"index": "Flat"}, {"index": "HNSW8"}, {"index": "SQ8", "rescore": 3}])
def test_an_index_of_faiss_finds_what_exact_search_finds(settings):
    exact, other = (
        BundleRecommender(Bundle.open(path)) for path in (board_bundle("mf"), board_bundle("mf", **settings))
    )
    described = other.bundle.manifest.index
    assert (described.kind, described.factory) == ("faiss", settings["index"])
    assert described.recall > 0.9
    asked = RecommendationRequest(user_id="u05", history=["i02", "i08"], k=NUM_ITEMS)
    assert sorted(other.recommend_one(asked).item_ids) == sorted(exact.recommend_one(asked).item_ids)


def test_what_belongs_to_every_list_goes_with_the_bundle_and_is_told(tmp_path):
    settings = BundleSettings(
        index="HNSW32", filters={"colours": {"none_of": ["red"]}}, exclude_seen={"after_days": 3}, popular_days=2
    )
    lines: list[str] = []
    manifest = write_bundle(
        board_run("ease", tmp_path / "run"), None, tmp_path / "made", settings, lines.append
    ).manifest
    assert manifest.filters == {"colours": {"none_of": ["red"]}}
    assert (manifest.exclude_seen, manifest.popular_days) == ({"after_days": 3.0}, 2.0)
    text = "\n".join(lines)
    assert "index=HNSW32 has no effect: EASE scores the whole catalogue" in text
    assert f"filters: {NUM_ITEMS} of {NUM_ITEMS} items are allowed now. Values that they name and no item has" in text
    assert text.count("or a slip: colours: red") == 1
    assert manifest.retriever.reads == Reads("items", False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": {"colours": {"some_of": ["red"]}}}, "must have any_of, none_of, gte or lte"),
        ({"exclude_seen": "often"}, "exclude_seen must be true, false or"),
    ],
)
def test_malformed_settings_of_lists_are_refused(settings, message):
    with pytest.raises(RecsysError, match=message):
        BundleSettings(**settings)
