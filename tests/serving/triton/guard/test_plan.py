import stat
from pathlib import Path

from recsys_serving.triton.guard.plan import Plan, read_plan


def test_a_plan_is_for_its_owner_alone_and_read_as_it_was(tmp_path: Path):
    plan = Plan(["server", "--key=k"], {"A": "b"}, "models", str(tmp_path), ".", "127.0.0.1", 8000, "h:1", None, 2.5)
    path = plan.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_plan(path) == plan
    assert plan.http_socket == tmp_path / "http.sock"
