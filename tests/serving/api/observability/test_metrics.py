import subprocess
import sys

from recsys_serving.api.observability.metrics import ServiceMetrics

from tests.serving.api.conftest import Api


def numbers(text: bytes) -> dict[str, float]:
    lines = [line for line in text.decode().splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_what_was_counted_is_told():
    metrics = ServiceMetrics(lambda: {"recsys_spool_commands": ("Waiting.", 3.0)})
    metrics.count_request("/v1/items", "GET", 200, 0.004)
    metrics.observe_stage("model", 0.002)
    metrics.count_cache(True)
    metrics.count_cache(False)
    metrics.count_answer("control", ["store"])
    metrics.count_spooled()
    found = numbers(metrics.text())
    assert found['recsys_requests_total{method="GET",route="/v1/items",status="200"}'] == 1
    assert found['recsys_request_seconds_bucket{le="0.005",route="/v1/items"}'] == 1
    assert found['recsys_request_seconds_bucket{le="0.002",route="/v1/items"}'] == 0
    assert found['recsys_stage_seconds_count{stage="model"}'] == 1
    assert found['recsys_cache_lookups_total{result="hit"}'] == 1
    assert found['recsys_degraded_answers_total{dependency="store"}'] == 1
    assert found['recsys_variant_answers_total{variant="control"}'] == 1
    assert found["recsys_spooled_writes_total"] == 1
    assert found["recsys_spool_commands"] == 3


def test_two_applications_of_a_process_count_for_themselves():
    first, second = ServiceMetrics(), ServiceMetrics()
    first.count_spooled()
    assert numbers(second.text())["recsys_spooled_writes_total"] == 0


def test_workers_are_counted_together(tmp_path):
    count = "from recsys_serving.api.observability.metrics import ServiceMetrics as M; m = M(); m.count_spooled(); "
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    for code in (count, count + "print(m.text().decode())"):
        told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
    assert numbers(told)["recsys_spooled_writes_total"] == 2


def test_what_became_of_lists_is_told_by_experiment_and_variant():
    metrics = ServiceMetrics()
    metrics.count_exposures("waiting", "one", "new", 3)
    metrics.count_exposures("waiting", "one", "new", -2)
    metrics.count_exposures("stored", "one", "new", 2)
    metrics.count_exposures("dropped", None, None, 1)
    found = numbers(metrics.text())
    assert found['recsys_exposures_waiting{experiment="one",variant="new"}'] == 1
    assert found['recsys_exposures_total{experiment="one",fate="stored",variant="new"}'] == 2
    assert found['recsys_exposures_total{experiment="none",fate="dropped",variant="none"}'] == 1


def test_what_waited_in_a_worker_that_died_counts_no_more(tmp_path):
    code = (
        "from recsys_serving.api.observability.metrics import ServiceMetrics as M; m = M(); "
        "m.count_exposures('waiting', 'one', 'new', 5); m.count_exposures('stored', 'one', 'new', 7); "
    )
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    for ending in ("", "print(m.text().decode())"):
        told = subprocess.run(
            [sys.executable, "-c", code + ending], env=environment, capture_output=True, check=True
        ).stdout
    found = numbers(told)
    assert found['recsys_exposures_waiting{experiment="one",variant="new"}'] == 5
    assert found['recsys_exposures_total{experiment="one",fate="stored",variant="new"}'] == 14


def test_routes_of_the_api_are_templates(api: Api):
    api.client.get("/v1/users/very-private/recommendations")
    api.client.get("/made/up/path")
    api.client.request("BREW", "/made/up/path")
    text = api.client.get("/metrics").text
    assert 'route="/v1/users/{user_id}/recommendations"' in text and 'route="none"' in text
    assert 'method="other"' in text
    assert "very-private" not in text and "made/up" not in text and "BREW" not in text


def test_variants_degraded_answers_and_the_spool_are_told(api: Api):
    api.client.post("/v1/recommendations", json={"scenario": "outage"})
    found = numbers(api.client.get("/metrics").content)
    assert found['recsys_variant_answers_total{variant="control"}'] == 1
    assert found['recsys_degraded_answers_total{dependency="store"}'] == 1
    assert found["recsys_spool_commands"] == 0
    assert found["recsys_store_up"] == 1
