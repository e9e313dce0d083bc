"""Items that come and go on a server: every process knows them, and so does one that is started again."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recsys_serving.triton.client import TritonRecommender
from recsys_serving.triton.launcher import start, stop
from recsys_serving.triton.repository import OnnxPlace, write_repository
from recsys_serving.triton.served_items import add_items, carry_values, remove_items, update_items
from recsys_serving.triton.state import ServerState

from recsys.errors import BundleError, ExportError, RequestError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS
from tests.serving.triton.board_versions import swap

EVEN = RecommendationRequest(history=["i02", "i08", "i12"], k=NUM_ITEMS + 2)
NEW = pa.table({"item_id": ["new even", "new odd"], "colours": ["black|even", "odd|white"]})


def bundle() -> Bundle:
    return Bundle.open(board_bundle("two_tower"))


def bundle_with_ranker() -> Bundle:
    return Bundle.open(board_bundle("two_tower", ranker="two_tower"))


@pytest.fixture(params=["in_process", "triton"])
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    place: OnnxPlace = request.param
    path = tmp_path / "repository"
    write_repository(bundle(), path, version=1, python_instances=2, models=place)
    return path


def test_changes_are_files_that_people_can_read(repository: Path):
    add_items(repository, NEW)
    remove_items(repository, ["i04", "new odd"])
    directory = repository / "recommender" / "1" / "items"
    assert sorted(path.name for path in directory.iterdir()) == ["000001-add.parquet", "000002-remove.json"]
    assert pq.read_table(directory / "000001-add.parquet").equals(NEW)
    assert json.loads((directory / "000002-remove.json").read_text()) == ["i04", "new odd"]


def test_what_does_not_fit_is_refused_and_not_written(repository: Path):
    add_items(repository, NEW)
    with pytest.raises(RequestError, match="new even, new odd are known already"):
        add_items(repository, NEW)
    with pytest.raises(RequestError, match="Items that are there are required, but i99 are not"):
        remove_items(repository, ["i02", "i99"])
    with pytest.raises(ExportError, match="must have version 7 to change its items, but has 1"):
        remove_items(repository, ["i02"], version=7)
    assert len(list((repository / "recommender" / "1" / "items").iterdir())) == 1


def test_a_model_without_content_knows_no_new_items(tmp_path: Path):
    write_repository(Bundle.open(board_bundle("ease")), tmp_path / "repository", version=1)
    with pytest.raises(BundleError, match="knows new items by their content is required"):
        add_items(tmp_path / "repository", NEW)


def test_new_values_are_written_and_go_with_a_later_version(repository: Path):
    update_items(repository, {"in_stock": {"i02": False}, "colours": {"i04": "white"}})
    with pytest.raises(RequestError, match="i99 are not"):
        update_items(repository, {"in_stock": {"i99": False}})
    update_items(repository, {"in_stock": {"i02": True}})
    write_repository(Bundle.open(board_bundle("two_tower")), repository, version=2, python_instances=2)
    carry_values(repository, 1, 2)
    directory = repository / "recommender" / "2" / "items"
    (change,) = directory.iterdir()
    assert change.name == "000001-update.json"
    assert json.loads(change.read_text()) == {"in_stock": {"i02": True}, "colours": {"i04": "white"}}


@pytest.mark.parametrize("place", ["in_process", "triton"])
def test_a_ranker_that_scores_new_items_has_its_encoder_in_the_repository(tmp_path: Path, place: OnnxPlace):
    write_repository(bundle_with_ranker(), tmp_path / "repository", version=1, models=place)
    add_items(tmp_path / "repository", NEW)
    has_model = (tmp_path / "repository" / "ranker_item_encoder" / "1" / "model.onnx").is_file()
    assert has_model == (place == "triton")


def test_values_that_items_have_already_are_not_written_again(repository: Path):
    feed = {"in_stock": {"i02": False, "i04": True}, "price": {"i02": 2.5}}
    assert update_items(repository, feed) == feed
    assert update_items(repository, feed) == feed
    update_items(repository, {"in_stock": {"i02": False, "i04": False}})
    directory = repository / "recommender" / "1" / "items"
    changes = [json.loads(path.read_text()) for path in sorted(directory.iterdir())]
    assert changes == [feed, {"in_stock": {"i04": False}}]


def test_unknown_items_may_be_left_out_of_new_values(repository: Path):
    feed = {"in_stock": {"i02": False, "i99": True}, "price": {"i99": 2.5}}
    assert update_items(repository, feed, skip_unknown=True) == {"in_stock": {"i02": False}}
    assert update_items(repository, {"price": {"i99": 2.5}}, skip_unknown=True) == {}
    assert len(list((repository / "recommender" / "1" / "items").iterdir())) == 1


@pytest.mark.triton
def test_every_process_knows_them_also_after_a_restart(tmp_path: Path, triton_environment: Path):
    repository, state_directory = tmp_path / "repository", tmp_path / "triton"
    places: dict[int, OnnxPlace] = {1: "in_process", 2: "triton"}
    for version, place in places.items():
        write_repository(bundle(), repository, version, python_instances=2, models=place)
    state = start(state_directory, repository, environment=triton_environment)
    try:
        expected = {}
        for version in places:
            swap(state, repository, version)
            expected[version] = changed(repository, state, version)
        stop(state_directory)
        state = start(state_directory, repository, environment=triton_environment)
        for version in (2, 1):  # 2 answered last, and 1 is loaded beside it
            if version == 1:
                swap(state, repository, 1)
            assert answers(state, version) == expected[version]
    finally:
        stop(state_directory)


@pytest.mark.triton
@pytest.mark.parametrize("place", ["in_process", "triton"])
def test_a_ranker_scores_new_items_as_in_process(tmp_path: Path, triton_environment: Path, place: OnnxPlace):
    repository, state_directory = tmp_path / "repository", tmp_path / "triton"
    write_repository(bundle_with_ranker(), repository, 1, python_instances=2, models=place)
    state = start(state_directory, repository, environment=triton_environment)
    try:
        changed(repository, state, 1, bundle_with_ranker())
        in_process = BundleRecommender(bundle_with_ranker())
        in_process.add_items(NEW)
        in_process.remove_items(["i04", "new odd"])
        with TritonRecommender(state.grpc_url, timeout_seconds=60) as recommender:
            answer, expected = recommender.recommend_one(EVEN), in_process.recommend_one(EVEN)
        assert answer.scores == pytest.approx(expected.scores, rel=1e-5)
    finally:
        stop(state_directory)


def changed(
    repository: Path, state: ServerState, version: int, served: Bundle | None = None
) -> tuple[list[str], list[str]]:
    """Add items to the version that answers and remove some; what it answers then is what it does in process."""
    in_process = BundleRecommender(bundle() if served is None else served)
    assert answers(state, version) == (in_process.recommend_one(EVEN).item_ids, [])
    add_items(repository, NEW)
    in_process.add_items(NEW)
    expected = in_process.recommend_one(EVEN).item_ids, in_process.similar(["new even"], 4)[0].item_ids
    assert "new even" in expected[0]
    assert answers(state, version) == expected
    remove_items(repository, ["i04", "new odd"])
    in_process.remove_items(["i04", "new odd"])
    expected = in_process.recommend_one(EVEN).item_ids, in_process.similar(["new even"], 4)[0].item_ids
    assert "i04" not in expected[0] and "new odd" not in expected[0]
    assert answers(state, version) == expected
    return expected


def answers(state: ServerState, version: int) -> tuple[list[str], list[str]]:
    """The list for ``EVEN``, and what is like the new item where it is in it; either process must say the same."""
    found = []
    with TritonRecommender(state.grpc_url, timeout_seconds=60) as recommender:
        for _ in range(12):  # by either process
            answer = recommender.recommend_one(EVEN)
            assert answer.model_version == str(version)
            is_new = "new even" in answer.item_ids
            found.append((answer.item_ids, recommender.similar(["new even"], 4)[0].item_ids if is_new else []))
    assert all(one == found[0] for one in found)
    return found[0]
