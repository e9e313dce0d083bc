"""Asks the whole API what schemathesis makes up, along its links too: ``python benchmarks/api_fuzz.py --bundle DIR``.

Starts a service of its own in a temporary directory, so that nothing else is changed, and writes what was found.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import httpx
from api_fuzz_hooks import OWN_KEY, REFUSALS, SPARE_KEY
from api_hostile import HostileAnswer, ask_hostile, hostile_table
from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings
from results_file import write_results

from recsys.studies.benchmark.hardware import hardware_summary

ROOT = Path(__file__).parents[1]

#: Of the runs one after the other: what is asked, and the setting that has its minutes.
PHASES = {"examples,coverage,fuzzing": "minutes", "stateful": "stateful_minutes"}

CONFIG = """hooks = "{hooks}"
request-timeout = 60.0

[generation]
with-security-parameters = false
database = "none"
allow-x00 = false

[phases.stateful]
max-steps = 12

# A revoked key can still be read: the audit names it.
[[operations]]
include-path = "/v1/keys/{{key_id}}"
checks.use_after_free.enabled = false

# Whoever is not known, or was erased, has done nothing: an empty list.
[[operations]]
include-path = "/v1/users/{{user_id}}/interactions"
checks.use_after_free.enabled = false

# The other user, whom the body names, need not exist.
[[operations]]
include-path = "/v1/users/{{user_id}}/merge"
checks.ensure_resource_availability.enabled = false
"""


def main() -> int:
    """Fuzz; the status is that of schemathesis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("bundles/service"))
    parser.add_argument("--examples", type=int, default=50, help="for each operation")
    parser.add_argument("--minutes", type=float, default=10, help="after which single requests end")
    parser.add_argument("--stateful-minutes", type=float, default=15, help="after which sequences of requests end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        bundles = Path(directory) / "bundles"
        for name in ("first", "second"):  # so that one can be made live, and taken back
            shutil.copytree(arguments.bundle, bundles / name)
        settings = ServiceSettings(
            var=Path(directory) / "var",
            bundle=bundles / "first",
            rate_limit="1000000/second",
            admin_rate_limit="1000000/second",
            failed_login_limit="1000000/second",
        )
        state, key = start(settings)
        try:
            hostile = ask_hostile(state.url, key, Path(state.log))
            told = [_fuzz(state.url, key, Path(directory), arguments, phases) for phases in PHASES]
            refusals = [_refusals(Path(directory) / f"{phases}.txt") for phases in PHASES]
            statuses = _statuses(state.url)
            log = Path(state.log).read_text(encoding="utf-8", errors="replace")
        finally:
            stop(settings)
    failures = [line for line in log.splitlines() if '"event":"failed"' in line]
    page = _page([one.stdout for one in told], refusals, hostile, statuses, len(failures), arguments)
    print(page)
    print("\n".join(failures[:20]), file=sys.stderr)
    write_results(page, arguments.output)
    return max(one.returncode for one in told) or int(bool(failures) or any(not one.is_right for one in hostile))


def _fuzz(
    url: str, key: str, directory: Path, arguments: argparse.Namespace, phases: str
) -> subprocess.CompletedProcess[str]:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).absolute().parent)) or "schemathesis"
    (directory / "schemathesis.toml").write_text(
        CONFIG.format(hooks=(Path(__file__).parent / "api_fuzz_hooks.py").absolute().as_posix())
    )
    spare = httpx.post(
        f"{url}/v1/keys", headers={"Authorization": f"Bearer {key}"}, json={"name": "spare", "scopes": ["read"]}
    ).json()
    command = [program, "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    command += ["--max-examples", str(arguments.examples), "--seed", str(arguments.seed), "--mode", "all"]
    command += ["--max-time", str(int(getattr(arguments, PHASES[phases]) * 60)), "--phases", phases, "--no-color"]
    command += ["--warnings", "off", "--suppress-health-check", "all", "--continue-on-failure"]
    command += ["--exclude-checks", "positive_data_acceptance"]  # api_fuzz_hooks has one in its place
    own = {OWN_KEY: key.split("_")[1], SPARE_KEY: spare["key_id"], REFUSALS: str(directory / f"{phases}.txt")}
    own["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "serving")])
    environment = os.environ | own
    return subprocess.run(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _refusals(path: Path) -> str:
    """Why valid requests were refused, as a list."""
    lines = path.read_text().splitlines() if path.exists() else []
    told = [f"- {reason}: {number}" for number, _, reason in (line.partition("\t") for line in lines)]
    return "\n".join(["Requests as described that were refused, by the reason:", "", *(told or ["- none"])]) + "\n"


def _statuses(url: str) -> str:
    """A table of the answers by method, route and status."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    found: dict[tuple[str, str], list[str]] = {}
    pattern = r'^recsys_requests_total\{method="(.*?)",route="(.*?)",status="(.*?)"\} (\d+)'
    for method, route, status, number in re.findall(pattern, text, re.M):
        found.setdefault((route, method), []).append(f"{status}: {number}")
    rows = [f"| `{method} {route}` | {', '.join(sorted(told))} |" for (route, method), told in sorted(found.items())]
    return "\n".join(["| operation | answers by status |", "|---|---|", *rows]) + "\n"


def _page(
    texts: list[str],
    refusals: list[str],
    hostile: list[HostileAnswer],
    statuses: str,
    failures: int,
    arguments: argparse.Namespace,
) -> str:
    shown = []
    for text in texts:
        text = re.sub(r"http://127\.0\.0\.1:\d+", "URL", text)
        text = re.sub(r"rk_[0-9a-f]{16}_[\w\-]{43}", "KEY", text)
        shown.append(f"```\n{text.strip()}\n```\n")
    command = (
        f"python benchmarks/api_fuzz.py --bundle {arguments.bundle} --examples {arguments.examples} --minutes "
        f"{arguments.minutes:g} --stateful-minutes {arguments.stateful_minutes:g} --seed {arguments.seed}"
    )
    machine = f"{hardware_summary()}, load average {os.getloadavg()[2]:.0f} at the end"
    return f"""# The API under made-up requests

`{command}`; a bundle of MovieLens 100K, two workers; {machine}.
Every operation, and the checks of schemathesis but for these: in place of `positive_data_acceptance` there is one of
our own, which counts a request that is as described and is refused all the same as a failure, except for the reasons
that are counted below and no description can say (`benchmarks/api_fuzz_hooks.py`); `use_after_free` leaves out revoked
keys, which the audit names, and the interactions of erased users, which are an empty list;
`ensure_resource_availability` leaves out the merging of users, as the other user need not exist. Tracebacks in the
service's log: {failures}.

## Single requests

{shown[0]}
{refusals[0]}
## Sequences of requests along links

{shown[1]}
{refusals[1]}
## Hostile requests

Each answer that tells an error must be a problem of RFC 9457 without a traceback.

{hostile_table(hostile)}
## Answers by route and status, as the service counted them

{statuses}"""


if __name__ == "__main__":
    sys.exit(main())
