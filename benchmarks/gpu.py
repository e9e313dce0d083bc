"""All figures that need a GPU, in under eight minutes: each time beside the floor that the device sets.

::

    python benchmarks/gpu.py                          # writes benchmarks/results/gpu/gpu.jsonl and gpu.md
    python benchmarks/gpu.py --only neumf evaluation
    python benchmarks/gpu.py --tiny --output /tmp/gpu # on any machine, in seconds: says only that everything runs

NeuMF at the sizes of NVIDIA's NCF (138,493 users, 26,744 items, 20 million interactions, 4 negatives, steps of 2^20
samples), MF, both again with a step as one compiled region, an iteration of iALS, EASE, evaluations of all users, a
step of the two-tower model, FAISS. A part that fails is named with its error, and the others go on; one that would
begin after ``--minutes`` is left out, and named.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from on_gpu.ceilings import measure_ceilings
from on_gpu.closed_forms import measure_ease, measure_ials
from on_gpu.evaluation import measure_evaluation
from on_gpu.measurement import Ceilings, Measurement
from on_gpu.report import write_report
from on_gpu.sampled_training import measure_compiled, measure_mf, measure_neumf
from on_gpu.search import measure_search
from on_gpu.sizes import FULL, TINY, Sizes
from on_gpu.two_tower import measure_two_tower

from recsys.studies.benchmark.hardware import hardware_summary

Part = Callable[[torch.device, Sizes], Iterator[Measurement]]

#: In the order in which they are measured.
PARTS: dict[str, Part] = {
    "neumf": measure_neumf,
    "mf": measure_mf,
    "compiled": measure_compiled,
    "evaluation": measure_evaluation,
    "two_tower": measure_two_tower,
    "ials": measure_ials,
    "ease": measure_ease,
    "search": measure_search,
}


def run_parts(
    names: Sequence[str], device: torch.device, sizes: Sizes, ceilings: Ceilings, seconds: float
) -> Iterator[dict[str, Any]]:
    """The records of some parts; one that fails, or would begin too late, gives a record with its error.

    Args:
        names: of :data:`PARTS`.
        device: where they compute.
        sizes: of data, models and batches.
        ceilings: of the device.
        seconds: after which no other part begins.
    """
    started = time.perf_counter()
    for name in names:
        if time.perf_counter() - started > seconds:
            yield {"name": name, "error": f"left out: {seconds:.0f} seconds were over before it could begin"}
            continue
        try:
            for measurement in PARTS[name](device, sizes):
                yield measurement.record(ceilings)
        except Exception as error:  # whatever it is, the figures of the other parts are worth having
            yield {"name": name, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def main() -> int:
    """Measure, print each line as it comes, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, on the CPU where there is no GPU")
    parser.add_argument("--minutes", type=float, default=7.0, help="after which no other part begins")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "gpu", help="directory")
    arguments = parser.parse_args()
    if not torch.cuda.is_available() and not arguments.tiny:
        parser.error("a CUDA GPU is required, but PyTorch finds none; --tiny runs everything on the CPU in seconds")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sizes = TINY if arguments.tiny else FULL
    ceilings = measure_ceilings(device, sizes)
    records = []
    names = arguments.only or list(PARTS)
    for record in run_parts(names, device, sizes, ceilings, 60 * arguments.minutes):
        records.append(record)
        print(record, file=sys.stderr, flush=True)
        # After each line, so that an interrupted run leaves what it has.
        write_report(records, ceilings, hardware_summary(), arguments.output, arguments.tiny)
    return 1 if any("error" in record for record in records) else 0


if __name__ == "__main__":
    sys.exit(main())
