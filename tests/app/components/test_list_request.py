from app.components.list_request import ListChoices, list_request, without_diversity, without_rating

COLUMNS = [{"name": "year"}, {"name": "genres"}]
PLAIN = ListChoices(12, True, 0.0, "genres", {})
DIVERSE = ListChoices(5, False, 0.4, "genres", {"year": {"gte": 1990}})


def test_a_request_says_what_was_chosen():
    request = list_request("anna", DIVERSE, COLUMNS)
    assert (request["k"], request["exclude_seen"], request["metadata"]) == (5, False, ["year", "genres"])
    assert request["diversity"] == {"kind": "mmr", "weight": 0.4, "column": "genres"}
    assert request["filters"] == {"year": {"gte": 1990}} and request["explain"]


def test_what_was_not_chosen_is_not_said():
    request = list_request("anna", PLAIN, COLUMNS)
    assert not {"diversity", "filters", "log_exposure"} & set(request)
    assert not ListChoices(5, True, 0.4, None, {}).is_diverse


def test_lists_to_compare_with_are_not_noted():
    request = list_request("anna", DIVERSE, COLUMNS)
    before = without_diversity(request)
    assert "diversity" not in before and before["log_exposure"] is False and before["filters"] == request["filters"]
    other = without_rating(request, {"history": []}, "a")
    assert (other["session"], other["exclude_items"], other["log_exposure"]) == ({"history": []}, ["a"], False)
    assert other["user_id"] == "anna"
