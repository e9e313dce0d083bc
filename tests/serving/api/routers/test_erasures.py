import hashlib

from recsys_serving.writing.receipts import is_genuine

from tests.serving.api.conftest import Api


def test_a_user_is_forgotten_with_a_signed_receipt(api: Api):
    api.client.post("/v1/interactions", json={"user_id": "anna", "item_id": "a"})
    answer = api.client.delete("/v1/users/anna")
    receipt = answer.json()
    assert receipt["deleted"]["interactions"] == 1 and receipt["deleted"]["users"] == 1
    assert receipt["user_hash"] == hashlib.sha256(f"{receipt['receipt_id']}:anna".encode()).hexdigest()
    assert "anna" not in answer.text
    assert is_genuine(receipt, receipt["public_key"])
    assert api.client.get(f"/v1/erasures/{receipt['receipt_id']}").json() == receipt
    assert api.client.get("/v1/users/anna").status_code == 404
    assert "forget anna" in api.canned.changed


def test_a_user_who_is_not_known_gets_a_receipt_too(api: Api):
    assert set(api.client.delete("/v1/users/nobody").json()["deleted"].values()) == {0}


def test_the_audit_has_the_receipt_and_not_the_user(api: Api):
    receipt = api.client.delete("/v1/users/anna").json()
    (entry,) = api.client.get("/v1/audit", params={"act": "user.erase"}).json()["entries"]
    assert entry["target"] == receipt["receipt_id"]


def test_a_receipt_that_is_not_there(api: Api):
    assert api.client.get("/v1/erasures/3f2b8c1e-8a4d-4e57-9d0a-6a1c2b3d4e5f").status_code == 404
    assert api.client.get("/v1/erasures/none").status_code == 422


def test_the_latest_receipts_come_first_and_name_nobody(api: Api):
    receipts = [api.client.delete(f"/v1/users/{name}").json() for name in ("anna", "ben")]
    answer = api.client.get("/v1/erasures", params={"limit": 5})
    assert answer.json()["erasures"] == receipts[::-1]
    assert "anna" not in answer.text
    assert len(api.client.get("/v1/erasures", params={"limit": 1}).json()["erasures"]) == 1
    assert api.client.get("/v1/erasures", headers=api.with_scopes("read")).status_code == 403
