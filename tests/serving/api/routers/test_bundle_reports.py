from pathlib import Path

from tests.export.board_bundles import board_bundle
from tests.serving.api.conftest import MakeApi


def test_a_bundle_tells_its_evaluation_and_its_map(make_api: MakeApi, tmp_path: Path):
    for name, model in (("first", "ease"), ("second", "two_tower")):
        (tmp_path / name).symlink_to(board_bundle(model))
    client = make_api().client
    found = client.get("/v1/bundles/second/evaluation").json()
    assert (found["bundle"], found["num_items"]) == ("second", 30) and len(found["data_hash"]) == 64
    (model,) = found["models"]
    assert (model["role"], model["metrics"]) == (
        "retriever",
        [{"metric": "ndcg", "k": 10, "value": 0.5, "low": None, "high": None}],
    )
    mapped = client.get("/v1/bundles/second/item-map", params={"limit": 10}).json()
    assert len(mapped["items"]) == 10 and len(mapped["explained"]) == 2 and mapped["note"] is None
    without = client.get("/v1/bundles/first/item-map").json()
    assert without["items"] == [] and "without vectors" in without["note"]
    for report in ("evaluation", "item-map"):
        assert client.get(f"/v1/bundles/third/{report}").status_code == 404
