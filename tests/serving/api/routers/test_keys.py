from datetime import UTC, datetime, timedelta

from tests.serving.api.conftest import Api


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def make(api: Api, **values):
    return api.client.post("/v1/keys", json={"name": "shop", "scopes": ["read"], **values})


def test_a_key_is_shown_once(api: Api):
    made = make(api)
    assert made.status_code == 201
    key = made.json()["key"]
    assert api.client.get("/v1/elicitation", headers=bearer(key)).status_code == 200
    listed = api.client.get("/v1/keys")
    assert key not in listed.text and "hash" not in listed.text
    told = api.client.get(made.headers["Location"]).json()
    assert (told["name"], told["scopes"]) == ("shop", ["read"])


def test_a_key_ends(api: Api):
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert make(api, expires_at=past).status_code == 422
    assert make(api, expires_at="2099-01-01T00:00:00Z").status_code == 201


def test_a_rotated_key_counts_beside_its_successor_for_a_while(api: Api):
    old = make(api).json()
    new = api.client.post(f"/v1/keys/{old['key_id']}/rotate", json={"overlap_seconds": 3600}).json()
    assert new["key_id"] != old["key_id"]
    for key in (old["key"], new["key"]):
        assert api.client.get("/v1/elicitation", headers=bearer(key)).status_code == 200


def test_a_key_that_is_rotated_without_overlap_ends_at_once(api: Api):
    old = make(api).json()
    api.client.get("/v1/elicitation", headers=bearer(old["key"]))
    api.client.post(f"/v1/keys/{old['key_id']}/rotate", json={"overlap_seconds": 0})
    assert api.client.get("/v1/elicitation", headers=bearer(old["key"])).status_code == 401
    assert api.client.post(f"/v1/keys/{old['key_id']}/rotate").status_code == 409


def test_a_revoked_key_ends_at_once(api: Api):
    made = make(api).json()
    assert api.client.get("/v1/elicitation", headers=bearer(made["key"])).status_code == 200
    assert api.client.delete(f"/v1/keys/{made['key_id']}").json()["revoked_at"] is not None
    assert api.client.get("/v1/elicitation", headers=bearer(made["key"])).status_code == 401


def test_a_key_does_not_revoke_itself(api: Api):
    assert api.client.delete(f"/v1/keys/{api.key.split('_')[1]}").status_code == 409


def test_a_key_that_is_not_there(api: Api):
    assert api.client.get("/v1/keys/none").status_code == 404
    assert api.client.delete("/v1/keys/none").status_code == 404
    assert api.client.post("/v1/keys/none/rotate").status_code == 404


def test_the_audit_says_who_did_what_page_by_page(api: Api):
    made = make(api).json()
    api.client.delete(f"/v1/keys/{made['key_id']}")
    page = api.client.get("/v1/audit", params={"limit": 1}).json()
    assert (page["entries"][0]["act"], page["entries"][0]["target"]) == ("key.revoke", made["key_id"])
    following = api.client.get("/v1/audit", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert following["entries"][0]["act"] == "key.create"
    assert made["key"] not in api.client.get("/v1/audit").text
