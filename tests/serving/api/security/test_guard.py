import pytest
from recsys_serving.api.security.api_keys import new_key

from tests.serving.api.conftest import Api, MakeApi


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Basic abc",
        "Bearer nonsense",
        pytest.param(f"Bearer {new_key('x', ['read'])[0]}", id="a key of nobody"),  # drawn anew in each process
    ],
)
def test_nobody_comes_in_without_a_valid_key(api: Api, header):
    headers = {"Authorization": ""} if header is None else {"Authorization": header}
    answer = api.client.get("/v1/elicitation", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="recsys"'


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("read", "GET", "/v1/elicitation", True),
        ("read", "POST", "/v1/interactions", False),
        ("write", "GET", "/v1/elicitation", False),
        ("write", "DELETE", "/v1/users/anna", False),
        ("admin", "GET", "/v1/keys", True),
        ("read", "GET", "/v1/keys", False),
        ("read", "GET", "/v1/users/anna/export", False),
    ],
)
def test_a_key_does_what_its_scopes_allow(api: Api, scope, method, path, allowed):
    answer = api.client.request(method, path, headers=api.with_scopes(scope))
    assert (answer.status_code != 403) == allowed


def test_the_key_is_asked_for_before_the_body_is_read(api: Api):
    answer = api.client.post("/v1/interactions", content=b"{", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401


def test_a_key_asks_so_often_and_no_more(make_api: MakeApi):
    api = make_api(rate_limit="2/hour")
    statuses = [api.client.get("/v1/elicitation").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    answer = api.client.get("/v1/elicitation")
    assert answer.json()["type"] == "/docs#too-many-requests"
    assert int(answer.headers["Retry-After"]) >= 1


def test_who_tries_keys_is_stopped_and_others_are_not(make_api: MakeApi):
    api = make_api(failed_login_limit="2/hour")
    assert api.client.get("/v1/elicitation").status_code == 200  # the key is known from here on
    tries = [{"Authorization": f"Bearer {new_key('x', ['read'])[0]}"} for _ in range(4)]
    statuses = [api.client.get("/v1/elicitation", headers=header).status_code for header in tries]
    assert statuses == [401, 401, 429, 429]
    assert api.client.get("/v1/elicitation").status_code == 200
