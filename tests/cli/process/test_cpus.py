import os
from pathlib import Path

import pytest

from recsys.cli.process.cpus import cpu_quota, usable_cpus


def groups(tmp_path: Path, lines: str, files: dict[str, str]) -> tuple[Path, Path]:
    proc, root = tmp_path / "cgroup", tmp_path / "root"
    proc.write_text(lines)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return proc, root


@pytest.mark.parametrize(
    ("lines", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/app/job\n", {"app/cpu.max": "200000 100000", "app/job/cpu.max": "max 100000"}, 2.0),
        ("0::/app/job\n", {"app/cpu.max": "400000 100000", "app/job/cpu.max": "100000 100000"}, 1.0),
        ("0::/../elsewhere\n", {"cpu.max": "300000 100000"}, 3.0),
        (
            "4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "50000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            0.5,
        ),
        ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 2.5),
    ],
    ids=["v2", "v2 parent", "v2 own", "v2 namespace", "v1 container", "v1 mount"],
)
def test_the_quota_of_a_container(tmp_path, lines, files, expected):
    assert cpu_quota(*groups(tmp_path, lines, files)) == expected


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}),
        ("0::/\n", {"cpu.max": "nonsense"}),
        ("0::/\n", {}),
        ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}),
        ("", {}),
        ("nonsense\n", {}),
    ],
)
def test_without_a_quota_more_than_any_machine_has(tmp_path, lines, files):
    assert cpu_quota(*groups(tmp_path, lines, files)) > 1000
    assert cpu_quota(tmp_path / "missing", tmp_path) > 1000


def test_affinity_bounds_the_number():
    assert 1 <= usable_cpus() <= len(os.sched_getaffinity(0))
