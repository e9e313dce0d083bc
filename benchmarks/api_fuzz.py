"""Asks the whole API what schemathesis makes up, along its links too: ``python benchmarks/api_fuzz.py --bundle DIR``.

Starts a service of its own in a temporary directory, so that nothing else is changed, and writes what was found.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from recsys_serving.local.launcher import start, stop
from recsys_serving.settings import ServiceSettings
from results_file import write_results

#: Values that are as described may still be refused: a column that does not exist, buckets that are taken.
NOT_CHECKED = "positive_data_acceptance"
#: Operations that would end what the others need: the bundle, and the key of the run itself.
NOT_ASKED = ("/v1/bundles/rollback", "/v1/keys/{key_id}/rotate")


def main() -> int:
    """Fuzz; the status is that of schemathesis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("bundles/demo"))
    parser.add_argument("--examples", type=int, default=50, help="for each operation")
    parser.add_argument("--minutes", type=float, default=10, help="after which it ends")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = ServiceSettings(
            var=Path(directory) / "var",
            bundle=arguments.bundle,
            rate_limit="1000000/second",
            admin_rate_limit="1000000/second",
            failed_login_limit="1000000/second",
        )
        state, key = start(settings)
        try:
            told = _fuzz(state.url, key, Path(directory), arguments)
            statuses = _statuses(state.url)
            log = Path(state.log).read_text(encoding="utf-8", errors="replace")
        finally:
            stop(settings)
    failures = [line for line in log.splitlines() if '"event":"failed"' in line]
    page = _page(told.stdout, statuses, len(failures), arguments)
    print(page)
    print("\n".join(failures[:20]), file=sys.stderr)
    write_results(page, arguments.output)
    return told.returncode or int(bool(failures))


def _fuzz(url: str, key: str, directory: Path, arguments: argparse.Namespace) -> subprocess.CompletedProcess[str]:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).absolute().parent)) or "schemathesis"
    command = [program, "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    command += [argument for path in NOT_ASKED for argument in ("--exclude-path", path)]
    command += ["--max-examples", str(arguments.examples), "--seed", str(arguments.seed), "--mode", "all"]
    command += [
        "--exclude-checks",
        NOT_CHECKED,
        "--max-time",
        str(int(arguments.minutes * 60)),
    ]
    command += [
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--request-timeout",
        "30",
        "--no-color",
        "--generation-database",
        "none",
    ]
    command += [
        "--generation-with-security-parameters",
        "false",
        "--warnings",
        "off",
        "--suppress-health-check",
        "all",
        "--continue-on-failure",
    ]
    return subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


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


def _page(text: str, statuses: str, failures: int, arguments: argparse.Namespace) -> str:
    text = re.sub(r"http://127\.0\.0\.1:\d+", "URL", text)
    text = re.sub(r"rk_[0-9a-f]{16}_[\w\-]{43}", "KEY", text)
    return (
        f"# The API under made-up requests\n\n`python benchmarks/api_fuzz.py --examples {arguments.examples} --minutes "
        f"{arguments.minutes:g} --seed {arguments.seed}`, the demo's bundle. Tracebacks in the service's log: "
        f"{failures}.\n\n```\n{text.strip()}\n```\n\nAnswers by route and status, as the service counted them:\n\n"
        f"{statuses}"
    )


if __name__ == "__main__":
    sys.exit(main())
