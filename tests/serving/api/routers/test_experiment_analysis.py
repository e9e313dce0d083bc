from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from recsys_serving.store.events.records import Exposure, Interaction

from tests.serving.api.conftest import Api
from tests.serving.experimenting.shown_lists import show_lists

DEFINITION = {
    "variants": [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5}],
    "metrics": [{"name": "click_rate", "event": "click"}],
    "exposure_window_hours": 1.0,
    "attribution_window_hours": 1.0,
    "salt": "fixed",
}


@pytest.fixture
def seen(api: Api):
    """An experiment that many users saw five days ago; a fifth of control clicked, and half of the others."""
    api.client.post("/v1/experiments", json={"experiment_id": "one", "name": "One", "definition": DEFINITION})
    api.client.post("/v1/experiments/one/start")
    users = [f"user-{number}" for number in range(800)]
    then = datetime.now(UTC) - timedelta(days=5)
    return show_lists(api.store, "one", users, then, lambda variant, n: n % (2 if variant == "new" else 5) == 0)


def test_results_are_told_with_their_looks(api: Api, seen):
    told = api.client.get("/v1/experiments/one/results?looks=30").json()
    assert told["num_units"] == seen
    assert told["comparisons"]["new"][0]["verdict"] == "better"
    assert 5 <= len(told["looks"]) <= 6
    assert told["looks"][-1]["comparisons"] == told["comparisons"]
    assert len(api.client.get("/v1/experiments/one/results").json()["looks"]) == 1
    hourly = api.client.get("/v1/experiments/one/results?looks=5&look_hours=1").json()["looks"]
    assert len(hourly) == 5 and hourly[1]["at"] < hourly[2]["at"]
    assert api.client.get("/v1/experiments/one/results?looks=0").status_code == 422


def test_users_are_planned_for_a_rate(api: Api):
    told = api.client.post("/v1/experiments/power", json={"rate": 0.1, "relative_change": 0.1, "units_per_day": 100})
    planned = told.json()
    assert planned["fixed_horizon"] == pytest.approx(28_000, rel=0.03)
    assert 1.5 < planned["always_valid"] / planned["fixed_horizon"] < 2.5
    assert planned["days_fixed_horizon"] == planned["fixed_horizon"] / 100
    assert planned["detectable_change"] is None and "a probability of 80%" in planned["sentence"]
    again = {"rate": 0.1, "relative_change": 0.1, "units": planned["fixed_horizon"]}
    assert api.client.post("/v1/experiments/power", json=again).json()["detectable_change"] == pytest.approx(
        0.1, rel=0.01
    )


def test_users_are_planned_for_a_mean_and_from_an_experiment(api: Api, seen):
    mean = {"mean": 3.0, "variance": 9.0, "relative_change": 0.1}
    # 2 (1.96 + .84)^2 9 / .3^2 users in each variant.
    assert api.client.post("/v1/experiments/power", json=mean).json()["fixed_horizon"] == pytest.approx(3140, rel=0.01)
    control = {"experiment_id": "one", "metric": "click_rate", "relative_change": 0.1}
    told = api.client.post("/v1/experiments/power", json=control).json()
    alike = api.client.post("/v1/experiments/power", json={"rate": 0.2, "relative_change": 0.1}).json()
    assert told["fixed_horizon"] == pytest.approx(alike["fixed_horizon"], rel=0.05)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"rate": 0.1, "mean": 1.0, "variance": 1.0}, 422),
        ({"rate": 0.1, "mean": 1.0}, 422),
        ({"mean": 1.0}, 422),
        ({"metric": "clicks"}, 422),
        ({"rate": 0.1, "relative_change": 0}, 422),
        ({"rate": 1.5}, 422),
        ({"experiment_id": "none", "metric": "click_rate"}, 404),
    ],
)
def test_plans_that_cannot_be_made(api: Api, body, status):
    assert api.client.post("/v1/experiments/power", json=body).status_code == status


@pytest.fixture
def explored(api: Api):
    """Lists of two days ago whose one place explored: in half of them stood an item that was always clicked."""
    then = datetime.now(UTC) - timedelta(days=2)
    for number in range(400):
        item = "ab"[number % 2]
        context = {"ranked": {"0": "a"}, "epsilon": 0.5, "is_plain": True, "first_rank": 1}
        shown = Exposure(uuid4(), f"user-{number}", then, (item,), (0.5,), "first", "1", "new", "x", context)
        api.store.exposures.append([shown])
        if item == "b":
            clicked = Interaction(
                uuid4().hex, f"user-{number}", "b", "click", then, recommendation_id=shown.recommendation_id
            )
            api.store.interactions.append([clicked])


def judge(api: Api, policy, **others):
    return api.client.post("/v1/experiments/off-policy", json={"policy": policy, **others})


def test_a_policy_is_judged(api: Api, explored):
    told = judge(api, {"item_probabilities": {"b": 0.8, "a": 0.2}}).json()
    assert (told["num_lists"], told["places"]) == (400, [0])
    assert {one["estimator"]: round(one["value"], 1) for one in told["estimates"]} == {
        "ips": 0.8,
        "snips": 0.8,
        "doubly_robust": 0.8,
    }
    assert told["estimates"][0]["overlap"]["effective_size"] > 200
    assert "better" in told["sentence"]
    never = judge(api, {"epsilon": 0}).json()
    assert never["estimates"][1]["value"] == 0.0 and never["estimates"][1]["verdict"] == "worse"


def test_a_bundle_is_judged_by_lists_that_are_made_again(api: Api, explored):
    told = judge(api, {"list_options": {"diversity": "mmr"}}, max_lists=300).json()
    assert told["num_lists"] == 300
    assert {one["value"] for one in told["estimates"] if one["estimator"] != "doubly_robust"} == {0.0}


def test_policies_that_cannot_be_judged(api: Api, explored):
    assert judge(api, {"epsilon": 0.1, "bundle": "second"}).status_code == 422
    assert judge(api, {"item_probabilities": {"a": 0.4}}).status_code == 422
    assert judge(api, {"list_options": {"k": 3}}).status_code == 422
    assert judge(api, {"bundle": "second"}).status_code == 409
    none = judge(api, {"epsilon": 0}, since="2020-01-01T00:00:00Z", until="2020-02-01T00:00:00Z")
    assert (none.status_code, "none is left" in none.json()["detail"]) == (422, True)
    read = api.with_scopes("read")
    body = {"policy": {"epsilon": 0}}
    assert api.client.post("/v1/experiments/off-policy", json=body, headers=read).status_code == 403
