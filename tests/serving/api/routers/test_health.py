from tests.serving.api.conftest import Api, MakeApi

NO_KEY = {"Authorization": ""}


def test_a_process_that_lives_says_so(api: Api):
    assert api.client.get("/healthz", headers=NO_KEY).json() == {"status": "alive"}


def test_all_dependencies_are_up(api: Api):
    answer = api.client.get("/readyz", headers=NO_KEY).json()
    assert answer["status"] == "ready"
    assert set(answer["dependencies"]) == {"store", "redis", "spool", "bundle"}


def test_the_service_is_ready_while_store_and_redis_are_away_and_says_so(make_api: MakeApi):
    api = make_api(database_url="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1")
    answer = api.client.get("/readyz", headers=NO_KEY)
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    down = {name for name, one in answer.json()["dependencies"].items() if one["status"] == "down"}
    assert down == {"store", "redis"}
    assert "127.0.0.1" not in answer.text


def test_without_a_bundle_it_is_not_ready(api: Api, monkeypatch):
    monkeypatch.setattr(api.canned, "bundles", list)
    answer = api.client.get("/readyz", headers=NO_KEY)
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


def test_metrics_are_for_prometheus(api: Api):
    answer = api.client.get("/metrics", headers=NO_KEY)
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"# TYPE recsys_requests_total counter" in answer.content
