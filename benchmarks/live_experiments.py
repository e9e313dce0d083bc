"""Experiments of a running service with simulated users: an A/B that the better variant wins, and two rollouts.

Needs a service that was started with ``RECSYS_ROLLOUT_SECONDS=2`` or so, and a second bundle beside its live one:
``python benchmarks/live_experiments.py --better second``. The users' taste is known here alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from recsys_serving.client.connecting import connect
from recsys_serving.client.service_client import ServiceClient
from recsys_serving.local.installation import Installation
from recsys_serving.local.service_state import read_service_state
from results_file import write_results

from recsys.studies.benchmark.hardware import hardware_summary
from recsys.studies.simulation.click_model import ClickModel
from recsys.studies.simulation.driving import DrivingSettings, Simulation
from recsys.studies.simulation.summary import Visit, summarise
from recsys.studies.simulation.taste import TasteModel, TasteSettings

#: Windows of the experiments: so short that a unit is final while the benchmark runs.
WINDOW_HOURS = 10 / 3600

#: Rounds of the A/B, at most.
MAX_ROUNDS = 3

METRICS = [
    {"name": "clickers", "event": "click"},
    {"name": "clicks", "event": "click", "kind": "ratio", "denominator": "exposures"},
]

Json = dict[str, Any]


class World:
    """A service and users who visit it.

    Args:
        var: directory of the installation.
        num_visits: of a round.
    """

    def __init__(self, var: Path, num_visits: int) -> None:
        state = read_service_state(var.absolute())
        if state is None:
            raise SystemExit(f"No service runs in {var}.")
        key = Installation(var.absolute()).api_key.read_text(encoding="utf-8").strip()
        self._http = httpx.Client(base_url=state.url, headers={"Authorization": f"Bearer {key}"}, timeout=60)
        self._client: ServiceClient = connect(var)
        self._taste = TasteModel({one["item_id"]: one["metadata"] for one in self._client.items()}, TasteSettings())
        self._num_visits, self._round = num_visits, 0
        self._defined: list[str] = []
        self._stamp = int(time.time()) * 1_000_000_000  # users of another run are others

    def visit(self, users: int | None = None, times: float = 1.0) -> list[Visit]:
        """A round of visits.

        Args:
            users: number of the round whose users come again; None: they are new.
            times: that each comes, in the mean.
        """
        self._round += 1
        settings = DrivingSettings(
            seed=1000 + self._round,
            num_users=self._num_visits,
            num_visits=round(times * self._num_visits),
            own_share=0.0,
        )
        renamed = _Renamed(self._client, 1_000_000 * (self._round if users is None else users) + self._stamp)
        return Simulation(renamed, self._taste, ClickModel(), settings).run()

    @property
    def round(self) -> int:
        """Number of the last round."""
        return self._round

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Ask for something to be done."""
        return self._told(self._http.post(path, json=body) if body is not None else self._http.post(path))

    def get(self, path: str) -> Json:
        """Ask how something is."""
        return self._told(self._http.get(path))

    def define(self, name: str, definition: Json) -> None:
        """Make a draft of an experiment, which is stopped at the end whatever happens."""
        self.post("/v1/experiments", {"experiment_id": name, "name": name, "definition": definition})
        self._defined.append(name)

    def close(self) -> None:
        """Stop what was begun, and close the connections."""
        for name in self._defined:
            self._http.post(f"/v1/experiments/{name}/stop")
        self._http.close()
        self._client.close()

    @staticmethod
    def _told(answer: httpx.Response) -> Json:
        if answer.is_error:
            raise SystemExit(f"{answer.request.url}: {answer.status_code} {answer.text}")
        found: Json = answer.json()
        return found


class _Renamed:
    """A service whose simulated users have other names in each round."""

    def __init__(self, client: ServiceClient, first: int) -> None:
        self._client, self._first = client, first

    def recommend(self, requests: Any) -> list[Json]:
        return self._client.recommend([{**one, "user_id": self._name(one["user_id"])} for one in requests])

    def append_interactions(self, interactions: Any) -> None:
        self._client.append_interactions([{**one, "user_id": self._name(one["user_id"])} for one in interactions])

    def _name(self, user_id: str) -> str:
        return f"visitor-{self._first + int(user_id.rpartition('-')[2])}"


def definition(treatment: Mapping[str, Any], **others: Any) -> Json:
    """An experiment of control and one other variant."""
    return {
        "variants": [{"name": "control", "share": 0.5}, {"name": "treatment", "share": 0.5, **treatment}],
        "metrics": METRICS,
        "exposure_window_hours": WINDOW_HOURS,
        "attribution_window_hours": WINDOW_HOURS,
        **others,
    }


def by_variant(visits: list[Visit]) -> str:
    """True utility of the lists of each variant, as text."""
    parts = []
    for name in ("control", "treatment"):
        mine = [one for one in visits if one.variant == name]
        found = summarise(mine)
        parts.append(f"{name} {found.utility:.4f} ± {found.standard_error:.4f} ({len(mine)} lists)")
    return ", ".join(parts)


def ab_test(world: World, name: str, better: str) -> list[str]:
    """An A/B of the live bundle and a better one, looked at after each round until it says so.

    Its users were there before the experiment: of somebody new both bundles know only what is popular.
    """
    groups = []
    for _ in range(MAX_ROUNDS):
        world.visit(times=3.0)
        groups.append(world.round)
    world.define(name, definition({"bundle": better}))
    world.post(f"/v1/experiments/{name}/start")
    _warm(world, name)
    visits: list[Visit] = []
    lines = ["| round | users, final | clicks a list, control | treatment | difference, at every look | verdict |"]
    lines.append("|---|---|---|---|---|---|")
    for number, group in enumerate(groups, 1):
        visits += world.visit(group)
        _until_final(world, name)
        results = world.get(f"/v1/experiments/{name}/results")
        found = next(one for one in results["comparisons"]["treatment"] if one["metric"] == "clicks")
        between = (
            "-" if found["low"] is None else f"{found['difference']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"
        )
        units = sum(results["num_units"].values())
        values = f"{found['control']:.4f} | {found['treatment']:.4f}"
        lines.append(f"| {number} | {units} | {values} | {between} | {found['verdict']} |")
        print(lines[-1], flush=True)
        if found["verdict"] in ("better", "worse"):
            break
    mismatch = results["sample_ratio"]["sentence"]
    world.post(f"/v1/experiments/{name}/stop")
    return [*lines, "", f"True utility: {by_variant(visits)}. {mismatch}"]


def rollout(world: World, name: str, treatment: Mapping[str, Any]) -> list[str]:
    """A rollout, until it is done or taken back; with what users had at the end."""
    guarded = definition(treatment, guardrails=[{"metric": "clicks", "relative_tolerance": 0.1}])
    world.define(name, guarded)
    plan = {"steps": [0.1, 0.25, 0.5, 1.0], "min_hours": 1 / 3600, "min_units": 150}
    begin = time.monotonic()
    world.post(f"/v1/experiments/{name}/rollout", plan)
    visits: list[Visit] = []
    status = "running"
    for _ in range(30):
        visits += world.visit()
        _until_final(world, name)
        state = world.get(f"/v1/experiments/{name}")["rollout"]
        print(name, state["status"], state["treatment_share"], state["reason"], flush=True)
        status = state["status"]
        if status != "running":
            break
    steps = world.get(f"/v1/experiments/{name}")["steps"]
    after = world.visit()
    lines = ["| act | by | share of users | users of the variant, final | reason |", "|---|---|---|---|---|"]
    for step in steps:
        if step["actor"] == "rollout":
            detail = step["detail"]
            told = f"{detail['treatment_share']:g} | {detail['units']} | {detail['reason']}"
            lines.append(f"| {step['act']} | {step['actor']} | {told} |")
    had = [one for one in visits if one.variant == "treatment"]
    lines += [
        "",
        f"It was {status} after {time.monotonic() - begin:.0f} s and {len(visits)} lists, {len(had)} of them of the "
        "variant. "
        f"True utility: {by_variant(visits)}. Of {len(after)} lists afterwards "
        f"{sum(one.variant == 'treatment' for one in after)} were of the variant.",
    ]
    if status == "done":
        world.post(f"/v1/experiments/{name}/stop")
    return lines


def _warm(world: World, name: str) -> None:
    """Wait until the bundle of a variant is open: lists are of no variant before."""
    for _ in range(120):
        if any(one.variant == "treatment" for one in world.visit(times=0.05)):
            return
        time.sleep(1)
    raise SystemExit(f"No list of the variant of {name} came within two minutes.")


def _until_final(world: World, name: str) -> None:
    """Wait until all units are final, and rollouts were looked at."""
    for _ in range(600):
        if world.get(f"/v1/experiments/{name}/results")["num_unfinished"] == 0:
            break
        time.sleep(0.5)
    time.sleep(5)


def header(arguments: argparse.Namespace) -> str:
    """What was run, and on what."""
    wait = WINDOW_HOURS * 3600 * 2
    command = f"python benchmarks/live_experiments.py --better NAME --visits {arguments.visits}"
    return f"""# Experiments of a running service

Simulated users, whose taste no model is told, visit a service with the catalogue of MovieLens 100K. Its live bundle
knows what is popular there; the better one, which the retraining promotes, was trained with their clicks; `POST
/v1/bundles/rollback` makes the first one live again before the benchmark. A unit counts {wait:.0f} s after its first
list, and rollouts are looked at every two seconds, so that a run takes minutes. True utility is the mean probability
that an item of a list is liked, ± its standard error.

```bash
python scripts/train.py model=popularity data=movielens_100k refit=all
python scripts/export.py run=runs/DIR output=bundles/first
export RECSYS_RATE_LIMIT=100000/minute RECSYS_ADMIN_RATE_LIMIT=10000/minute RECSYS_ROLLOUT_SECONDS=2
python scripts/serve.py action=start bundle=bundles/first workers=1
python scripts/simulate.py visits=3000 users=600 own_share=0.5 seed=1
python scripts/retrain.py 'train=["model=content","data.since=2026-01-01"]'
{command} --output benchmarks/results/live_experiments.md
```

{hardware_summary()}.
"""


def main() -> None:
    """Run all three, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--var", type=Path, default=Path("var"), help="directory of the installation")
    parser.add_argument("--better", required=True, help="name of a bundle that makes better lists than the live one")
    parser.add_argument("--visits", type=int, default=1500, help="lists of a round")
    parser.add_argument("--output", type=Path, help="page to write")
    arguments = parser.parse_args()
    world = World(arguments.var, arguments.visits)
    stamp = time.strftime("%H%M%S")
    worse: Json = {"list_options": {"k": 3}}
    alike: Json = {"list_options": {"explain": False}}
    parts: list[tuple[str, Callable[[], list[str]]]] = [
        ("An A/B test that the better variant wins", lambda: ab_test(world, f"better-{stamp}", arguments.better)),
        (
            "A rollout of lists of three items instead of ten, which a guardrail takes back",
            lambda: rollout(world, f"worse-{stamp}", worse),
        ),
        (
            "A rollout of lists that are as good, which climbs all steps",
            lambda: rollout(world, f"alike-{stamp}", alike),
        ),
    ]
    try:
        text = (
            header(arguments) + "\n" + "\n\n".join(f"## {title}\n\n" + "\n".join(run()) for title, run in parts) + "\n"
        )
    finally:
        world.close()
    print(text)
    write_results(text, arguments.output)


if __name__ == "__main__":
    main()
