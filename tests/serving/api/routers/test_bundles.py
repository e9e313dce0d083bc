from tests.serving.api.conftest import Api


def test_bundles_are_listed(api: Api):
    answer = api.client.get("/v1/bundles").json()
    assert answer["available"] == ["first", "second"]
    assert answer["loaded"][0]["name"] == "first"


def test_a_bundle_is_activated_and_rolled_back_and_the_audit_says_who_did_it(api: Api):
    live = api.client.post("/v1/bundles/second/activate", json={"note": "trained on May"})
    assert live.json()["name"] == "second"
    assert api.client.post("/v1/bundles/rollback").json()["name"] == "first"
    entries = api.client.get("/v1/audit").json()["entries"]
    assert [(entry["act"], entry["target"]) for entry in entries] == [
        ("bundle.rollback", "first"),
        ("bundle.activate", "second"),
    ]
    assert entries[1]["actor"] == api.key.split("_")[1]
    assert entries[1]["detail"] == {"note": "trained on May"}


def test_a_bundle_that_is_not_there(api: Api):
    answer = api.client.post("/v1/bundles/third/activate")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "There is no bundle 'third'; there are first, second.",
    )
