from types import SimpleNamespace

from app.service import connection
from tests.app.conftest import texts


def test_bundles_are_compared(address, api, open_page):
    page = open_page("models")
    assert not page.exception and "answers: EASE" in texts(page)
    (bundles, *_) = [one.value for one in page.table if "Bundle" in one.value.columns]
    assert bundles[["Bundle", "State", "ndcg@10"]].values.tolist() == [["ease", "live", r"0\.500"]]
    for section, words in (
        ("Segments", "No bundle says how it does for parts"),
        ("Learning curves", "No model of these bundles was trained by epochs"),
        ("Map of items", "without vectors of items"),
        ("Runs", ""),
        ("History", "the first one answers"),
    ):
        page.segmented_control(key="section").set_value(section).run()
        assert not page.exception and words in texts(page)


def test_what_was_measured_on_the_data_of_the_live_bundle_is_shown_first(address, open_page, monkeypatch):
    live, overview = connection.evaluation("ease"), connection.bundles().overview()
    found = {"older": live | {"bundle": "older", "data": "other", "data_hash": "0" * 64}, "ease": live}
    monkeypatch.setattr(connection, "evaluation", found.__getitem__)
    monkeypatch.setattr(
        connection, "bundles", lambda: SimpleNamespace(overview=lambda: overview | {"available": list(found)})
    )
    page = open_page("models")
    assert not page.exception
    (chosen,) = [box for box in page.selectbox if box.label == "Measured on"]
    assert chosen.value == live["data_hash"]
