from tests.serving.api.conftest import Api

DEFINITION = {
    "variants": [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5}],
    "metrics": [{"name": "click_rate", "event": "click"}],
}


def make(api: Api, experiment_id: str = "one", **definition):
    body = {"experiment_id": experiment_id, "name": "One", "definition": {**DEFINITION, **definition}}
    return api.client.post("/v1/experiments", json=body)


def test_an_experiment_is_made_started_ramped_and_stopped(api: Api):
    made = make(api)
    assert (made.status_code, made.headers["Location"], made.json()["status"]) == (201, "/v1/experiments/one", "draft")
    assert api.client.post("/v1/experiments/one/start").json()["status"] == "running"
    ramped = api.client.post("/v1/experiments/one/ramp", json={"traffic": 0.1}).json()
    assert sum(stop - start for start, stop in ramped["definition"]["buckets"]) == 1000
    assert api.client.post("/v1/experiments/one/stop").json()["status"] == "stopped"
    told = api.client.get("/v1/experiments/one").json()
    assert [step["act"] for step in told["steps"]] == ["create", "start", "ramp", "stop"]
    assert len(api.client.get("/v1/experiments").json()["experiments"]) == 1


def test_an_experiment_is_made_once(api: Api):
    make(api)
    assert make(api).status_code == 409


def test_a_definition_that_is_not_by_the_rules_is_refused(api: Api):
    answer = make(api, variants=[{"name": "alone", "share": 1.0}])
    assert (answer.status_code, "at least two variants" in answer.json()["detail"]) == (422, True)
    assert make(api, colour="red").status_code == 422


def test_two_experiments_of_a_layer_do_not_run_in_the_same_buckets(api: Api):
    make(api, "one")
    make(api, "two")
    api.client.post("/v1/experiments/one/start")
    assert api.client.post("/v1/experiments/two/start").status_code == 422


def test_a_stopped_experiment_stays_so(api: Api):
    make(api)
    api.client.post("/v1/experiments/one/stop")
    assert api.client.post("/v1/experiments/one/start").status_code == 422
    assert api.client.post("/v1/experiments/one/ramp", json={"traffic": 0.5}).status_code == 409


def test_only_a_draft_gets_another_definition(api: Api):
    tag = make(api).headers["ETag"]
    changed = api.client.patch("/v1/experiments/one", json={"name": "Uno"}, headers={"If-Match": tag})
    assert changed.json()["name"] == "Uno"
    assert api.client.patch("/v1/experiments/one", json={"name": "X"}, headers={"If-Match": tag}).status_code == 412
    api.client.post("/v1/experiments/one/start")
    assert api.client.patch("/v1/experiments/one", json={"definition": DEFINITION}).status_code == 409


def test_results_of_an_experiment_that_nobody_has_seen(api: Api):
    make(api)
    results = api.client.get("/v1/experiments/one/results").json()
    assert results["num_units"] == {"control": 0, "new": 0}
    assert results["comparisons"] == {}


def test_an_experiment_that_is_not_there(api: Api):
    for path in ("", "/results"):
        assert api.client.get(f"/v1/experiments/none{path}").status_code == 404
    for act in ("start", "stop"):
        assert api.client.post(f"/v1/experiments/none/{act}").status_code == 404
