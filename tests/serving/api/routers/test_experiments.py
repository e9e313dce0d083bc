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
    assert api.client.post("/v1/experiments/two/start").status_code == 409


def test_a_stopped_experiment_stays_so(api: Api):
    make(api)
    api.client.post("/v1/experiments/one/stop")
    assert api.client.post("/v1/experiments/one/start").status_code == 409
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


def test_an_experiment_is_paused_and_resumed(api: Api):
    make(api)
    assert api.client.post("/v1/experiments/one/pause").status_code == 409
    api.client.post("/v1/experiments/one/start")
    assert api.client.post("/v1/experiments/one/pause").json()["status"] == "paused"
    assert api.client.post("/v1/experiments/one/start").status_code == 409
    assert api.client.post("/v1/experiments/one/resume").json()["status"] == "running"
    assert api.client.post("/v1/experiments/one/resume").status_code == 409


GUARDED = {"guardrails": [{"metric": "click_rate", "relative_tolerance": 0.05}]}


def test_an_experiment_is_rolled_out(api: Api):
    make(api, **GUARDED)
    assert api.client.get("/v1/experiments/one").json()["rollout"] is None
    begun = api.client.post("/v1/experiments/one/rollout", json={"steps": [0.1, 1.0], "min_hours": 1}).json()
    assert (begun["status"], begun["rollout"]["status"], begun["rollout"]["step"]) == ("running", "running", 0)
    assert (begun["rollout"]["treatment_share"], begun["rollout"]["everyone_since"]) == (0.1, None)
    told = api.client.get("/v1/experiments/one").json()
    assert told["rollout"]["reason"] == "The rollout has begun."
    assert api.client.get("/v1/experiments/one/results").json()["rollout"] == told["rollout"]
    assert api.client.post("/v1/experiments/one/ramp", json={"traffic": 0.5}).status_code == 409
    assert api.client.post("/v1/experiments/one/stop").json()["rollout"]["status"] == "rolled back"


def test_a_rollout_that_cannot_be_is_refused(api: Api):
    make(api)
    answer = api.client.post("/v1/experiments/one/rollout", json={})
    assert (answer.status_code, "needs a guardrail" in answer.json()["detail"]) == (422, True)
    assert api.client.post("/v1/experiments/one/rollout", json={"steps": [0.7]}).status_code == 422
    assert api.client.post("/v1/experiments/none/rollout", json={}).status_code == 404
