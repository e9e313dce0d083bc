"""The manifests are what Kubernetes takes, name each other rightly, and ask for no rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "serving" / "kubernetes").glob("*.yaml"))
OBJECTS: list[dict[str, Any]] = [
    one for path in FILES for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one
]
NAMES = [f"{one['kind']}/{one['metadata']['name']}" for one in OBJECTS]
WORKLOADS = [one for one in OBJECTS if one["kind"] in ("Deployment", "StatefulSet", "Job")]


def _containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_all_parts_are_there():
    assert {"Namespace/recsys", "Job/recsys-prepare", "StatefulSet/recsys-api", "Deployment/recsys-app"} <= set(NAMES)
    assert all(one["metadata"].get("namespace") == "recsys" for one in OBJECTS if one["kind"] != "Namespace")


@pytest.mark.parametrize("manifest", OBJECTS, ids=NAMES)
def test_a_manifest_follows_the_schema_of_kubernetes(manifest: dict[str, Any]):
    validation = pytest.importorskip("kubernetes_validate")
    validation.validate(manifest, validation.latest_version(), strict=True)


def test_the_schema_refuses_a_field_that_does_not_exist():
    validation = pytest.importorskip("kubernetes_validate")
    wrong = {**OBJECTS[NAMES.index("StatefulSet/recsys-api")]}
    wrong["spec"] = {**wrong["spec"], "replica": 2}
    with pytest.raises(validation.ValidationError):
        validation.validate(wrong, validation.latest_version(), strict=True)


@pytest.mark.parametrize("workload", WORKLOADS, ids=[one["metadata"]["name"] for one in WORKLOADS])
def test_containers_have_no_rights_and_say_what_they_need(workload: dict[str, Any]):
    pod = workload["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["automountServiceAccountToken"] is False
    for container in _containers(workload):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"] is True
        assert security["capabilities"]["drop"] == ["ALL"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]) & set(container["resources"]["limits"])
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        assert mounted <= {volume["name"] for volume in pod["volumes"]} | claims


@pytest.mark.parametrize("workload", [one for one in WORKLOADS if one["kind"] != "Job"], ids=["api", "app"])
def test_what_answers_is_asked_and_found_by_its_service(workload: dict[str, Any]):
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()
    services = [
        one for one in OBJECTS if one["kind"] == "Service" and one["spec"]["selector"].items() <= labels.items()
    ]
    assert any(one["metadata"]["name"] == workload["metadata"]["name"] for one in services)


def test_probes_of_the_service_are_its_routes():
    from recsys_serving.api.routers.health import router

    paths = {route.path for route in router.routes}  # type: ignore[attr-defined]
    (container,) = OBJECTS[NAMES.index("StatefulSet/recsys-api")]["spec"]["template"]["spec"]["containers"]
    probes = (container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe"))
    assert set(probes) <= paths


def test_settings_are_settings_of_the_service():
    from recsys_serving.settings import PREFIX, ServiceSettings

    data = OBJECTS[NAMES.index("ConfigMap/recsys-settings")]["data"]
    assert {name.removeprefix(PREFIX).lower() for name in data} <= set(ServiceSettings.model_fields)


def test_a_bundle_is_copied_to_where_the_service_looks_for_it():
    bundle = (ROOT / "serving" / "images" / "bundle.Dockerfile").read_text(encoding="utf-8")
    api = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert '"/bundles/live"]' in bundle and "RECSYS_BUNDLE=/bundles/live" in api
