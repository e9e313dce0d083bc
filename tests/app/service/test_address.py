import json

import pytest

from app.service.address import ServiceAddress, find_service
from app.service.errors import ServiceAway


def installation(directory, **state):
    (directory / "secrets").mkdir()
    (directory / "secrets" / "api_key").write_text("rk_file\n", encoding="utf-8")
    (directory / "service.json").write_text(json.dumps(state), encoding="utf-8")
    return {"RECSYS_VAR": str(directory)}


def test_the_environment_comes_first(tmp_path):
    named = {"RECSYS_API_URL": "https://api.example/", "RECSYS_API_KEY": "rk_own", "RECSYS_VAR": str(tmp_path)}
    assert find_service(named) == ServiceAddress("https://api.example", "rk_own")


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:8000"), ("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000")],
)
def test_what_was_started_here_is_found(tmp_path, host, url):
    assert find_service(installation(tmp_path, host=host, port=8000)) == ServiceAddress(url, "rk_file")


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"host": "h", "port": "none"}'])
def test_a_state_that_cannot_be_read_is_no_service(tmp_path, state):
    environment = installation(tmp_path)
    (tmp_path / "service.json").write_text(state, encoding="utf-8")
    with pytest.raises(ServiceAway, match="No service was started here"):
        find_service(environment)


def test_without_a_key_it_says_what_to_set(tmp_path):
    with pytest.raises(ServiceAway, match="Set RECSYS_API_KEY"):
        find_service({"RECSYS_API_URL": "http://h", "RECSYS_VAR": str(tmp_path)})


def test_the_key_is_not_shown():
    assert "rk_" not in repr(ServiceAddress("http://h", "rk_secret"))
