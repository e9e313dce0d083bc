"""Memory of a training on many interactions: ``scripts/train.py`` from the raw file to its metrics, watched as it runs.

    python benchmarks/training_memory.py 20e6 --directory DIR
    python benchmarks/training_memory.py 20e6 --copies 5 --directory DIR training.batch_size=65536 model.embedding_dim=8

The raw file is written first, in pieces. With ``--copies`` the same interactions are there several times, of other
users each time, which takes less time than to draw as many. Further arguments are settings of train.py.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from counted.interactions_file import write_copies, write_interactions
from counted.process_memory import watch_memory

ROOT = Path(__file__).parents[1]
_SETTINGS = ["model=mf", "trainer.max_epochs=1", "tracking=none", "show_users=0", "evaluation.max_users=10000"]


def main() -> None:
    """Write the file, train, and print a row of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interactions", type=float, help="how many")
    parser.add_argument("--copies", type=int, default=1, help="how often they are there, of other users each time")
    parser.add_argument("--items", type=int, default=27_000, help="size of the catalogue")
    parser.add_argument("--directory", type=Path, required=True, help="where all files go; what is there is used again")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="of scripts/train.py")
    arguments = parser.parse_intermixed_args()
    directory = arguments.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    raw = directory / f"interactions_{int(arguments.interactions)}.parquet"
    count_file = raw.with_suffix(".count")
    if not count_file.is_file():
        count_file.write_text(str(write_interactions(raw, int(arguments.interactions), arguments.items)))
    count = int(count_file.read_text()) * arguments.copies
    if arguments.copies > 1:
        drawn, raw = raw, raw.with_stem(f"{raw.stem}_times_{arguments.copies}")
        if not raw.is_file():
            write_copies(drawn, raw, arguments.copies)
    shutil.rmtree(directory / "prepared", ignore_errors=True)
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "scripts/train.py", *_SETTINGS, "data=table", f"data.interactions={raw}"]
        + [f"paths.prepared_dir={directory}/prepared", f"paths.runs_dir={directory}/runs", *arguments.settings],
        cwd=ROOT,
    )
    peak = watch_memory(process)
    seconds = time.perf_counter() - begin
    if process.returncode != 0:
        raise SystemExit(f"train.py failed with status {process.returncode}")
    print(
        f"| {count:,} | {peak.total / 2**30:.2f} GiB | {peak.own / 2**30:.2f} GiB | {peak.total / count:.0f} | "
        f"{peak.own / count:.0f} | {seconds:,.0f} s | {peak.cpu_seconds:,.0f} s |"
    )


if __name__ == "__main__":
    main()
