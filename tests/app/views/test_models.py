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
