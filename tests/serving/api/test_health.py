import threading

from recsys_serving.api.health import HealthCheck, HealthChecks


def fail() -> None:
    raise ConnectionError("postgresql://me:hush@db")


def test_each_dependency_is_told_by_its_name():
    checks = HealthChecks({"a": HealthCheck(lambda: None, True, "all"), "b": HealthCheck(fail, False, "some")})
    found = checks.read()
    assert (found["a"].status, found["a"].detail) == ("up", None)
    assert (found["b"].status, found["b"].effect, found["b"].detail) == ("down", "some", "ConnectionError")
    checks.close()


def test_a_dependency_that_does_not_answer_is_down():
    never = threading.Event()
    checks = HealthChecks({"slow": HealthCheck(never.wait, True, "all")}, timeout_seconds=0.05)
    assert checks.read()["slow"].detail == "no answer within 0.05 seconds"
    never.set()
    checks.close()


def test_an_answer_counts_for_a_while():
    asked = []
    checks = HealthChecks({"a": HealthCheck(lambda: asked.append(1), True, "all")})
    checks.read()
    checks.read()
    assert len(asked) == 1
    checks.close()
