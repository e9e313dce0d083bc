from dataclasses import fields

from recsys_serving.api.schemas.administration import KeyResponse, LoadedBundleResponse, NewKeyResponse
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.recommending.types import LoadedBundle


def test_a_key_is_told_without_its_hash():
    key, record = new_key("shop", ["read"])
    assert "hash" not in KeyResponse.of(record).model_dump()
    assert record.hash not in KeyResponse.of(record).model_dump_json()
    assert NewKeyResponse.with_key(key, record).key == key


def test_a_bundle_is_told_with_all_its_fields():
    assert set(LoadedBundleResponse.model_fields) == {field.name for field in fields(LoadedBundle)}
