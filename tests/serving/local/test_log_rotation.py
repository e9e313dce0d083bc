import subprocess
from pathlib import Path

from recsys_serving.local.log_rotation import LogRotation


def test_a_log_that_is_full_is_put_aside_and_goes_on_at_its_beginning(tmp_path: Path):
    log = tmp_path / "service.log"
    rotation = LogRotation(log, max_bytes=10)
    assert not rotation.rotate_once(), "there is none yet"
    writer = subprocess.Popen(["sh", "-c", f'while read line; do echo "$line"; done >>{log}'], stdin=subprocess.PIPE)
    assert writer.stdin is not None
    kept = []
    for text in (b"short\n", b"a long line\n", b"later\n", b"another long line\n", b"last\n"):
        before = log.stat().st_size if log.exists() else 0
        writer.stdin.write(text)
        writer.stdin.flush()
        while not log.exists() or log.stat().st_size == before:
            pass
        kept.append(rotation.rotate_once())
    writer.stdin.close()
    assert writer.wait(60) == 0
    assert kept == [False, True, False, True, False]
    assert log.read_text() == "last\n"
    assert (tmp_path / "service.log.1").read_text() == "later\nanother long line\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["service.log", "service.log.1"]


def test_a_log_that_is_small_stays(tmp_path: Path):
    log = tmp_path / "service.log"
    log.write_text("a line\n")
    rotation = LogRotation(log, max_bytes=100)
    rotation.start()
    assert not rotation.rotate_once()
    rotation.close()
    assert log.read_text() == "a line\n"
