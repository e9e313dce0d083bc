from pathlib import Path

from recsys_serving.triton.guard.health import HEALTH, Health, read_health


def test_is_read_as_it_was_written(tmp_path: Path):
    assert read_health(tmp_path) is None
    health = Health(17, 4, True, 2, "ended by SIGSEGV", "2026-01-31 12:00:00")
    health.save(tmp_path)
    assert read_health(tmp_path) == health
    assert [path.name for path in tmp_path.iterdir()] == [HEALTH]


def test_of_another_form_there_is_none(tmp_path: Path):
    (tmp_path / HEALTH).write_text('{"process": 1}', encoding="utf-8")
    assert read_health(tmp_path) is None
