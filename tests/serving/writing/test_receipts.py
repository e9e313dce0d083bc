import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from recsys_serving.writing.receipts import ReceiptSigner, is_genuine, new_private_key, read_signer, signed_bytes

from recsys.errors import ServingError

RECEIPT = {"receipt_id": "r", "deleted": {"users": 1}}


def test_a_receipt_is_verified_by_its_public_key():
    signer = ReceiptSigner(new_private_key())
    signed = signer.sign(RECEIPT)
    assert is_genuine(signed, signer.public_key)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signed["public_key"]))
    key.verify(base64.b64decode(signed["signature"]), b'{"deleted":{"users":1},"receipt_id":"r"}')


def test_a_receipt_that_was_changed_is_not_genuine():
    signer = ReceiptSigner(new_private_key())
    signed = signer.sign(RECEIPT)
    assert not is_genuine(signed | {"deleted": {"users": 0}}, signer.public_key)
    assert not is_genuine(signed | {"signature": ""}, signer.public_key)
    assert not is_genuine(RECEIPT, signer.public_key)


def test_a_receipt_of_another_installation_is_not_genuine():
    signed = ReceiptSigner(new_private_key()).sign(RECEIPT)
    assert not is_genuine(signed, ReceiptSigner(new_private_key()).public_key)


def test_the_order_of_the_fields_does_not_matter():
    assert signed_bytes(RECEIPT) == signed_bytes(dict(reversed(RECEIPT.items())))


def test_an_installation_keeps_its_key(tmp_path):
    assert read_signer(tmp_path / "key").public_key == read_signer(tmp_path / "key").public_key


def test_what_is_no_key_is_refused():
    with pytest.raises(ServingError, match="a private key in PEM"):
        ReceiptSigner(b"nonsense")
