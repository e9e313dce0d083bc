import subprocess
import sys

from counted.process_memory import watch_memory

MEBIBYTE = 2**20


def peak_of(program: str) -> int:
    return watch_memory(subprocess.Popen([sys.executable, "-c", f"import time\n{program}\ntime.sleep(0.3)"])).own


def test_memory_that_a_process_had_is_seen():
    more = peak_of(f"held = b'x' * {64 * MEBIBYTE}")
    assert 60 * MEBIBYTE < more - peak_of("held = b'x'") < 70 * MEBIBYTE


def test_mapped_files_are_no_memory_of_the_process(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(64 * MEBIBYTE))
    program = f"import mmap\nfile = open({str(path)!r}, 'rb')\nheld = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)"
    process = subprocess.Popen([sys.executable, "-c", f"{program}\nsum(held[::4096])\nimport time\ntime.sleep(0.3)"])
    peak = watch_memory(process)
    assert peak.total - peak.own > 60 * MEBIBYTE
    assert peak.own < 40 * MEBIBYTE
