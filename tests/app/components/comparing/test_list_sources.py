from app.components.comparing.list_sources import ListSource, compared_request, first_two, list_sources

OVERVIEW = {"available": ["one", "two"], "loaded": [{"name": "one", "live": True}]}
EXPERIMENTS = [
    {"experiment_id": "e", "status": "draft", "definition": {"variants": [{"name": "control"}, {"name": "new"}]}},
    {"experiment_id": "old", "status": "stopped", "definition": {"variants": [{"name": "control"}]}},
]


def test_bundles_and_variants_of_what_is_not_over_make_lists():
    sources = list_sources(OVERVIEW, EXPERIMENTS)
    assert [one.label for one in sources] == [
        "What the user gets now",
        "Bundle one (live)",
        "Bundle two",
        "Experiment e: control",
        "Experiment e: new",
    ]
    assert sources[4].preview == {"experiment_id": "e", "variant": "new"}
    assert first_two(sources, OVERVIEW) == (0, 2)
    assert first_two(list_sources({"available": [], "loaded": []}, []), {"available": [], "loaded": []}) == (0, 0)


def test_a_compared_list_is_traced_and_not_noted():
    columns = [{"name": "year"}]
    plain = compared_request("anna", ListSource("now", None), 5, True, columns)
    assert plain["trace"] and not plain["log_exposure"] and "preview" not in plain and plain["metadata"] == ["year"]
    assert compared_request("anna", ListSource("two", {"bundle": "two"}), 5, True, [])["preview"] == {"bundle": "two"}
