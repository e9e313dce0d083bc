"""Receipts of erasures, signed with Ed25519, so that whoever has one can prove what was said and when."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from recsys.errors import ServingError
from recsys_serving.local.secret_files import read_or_make

#: Fields of a receipt that are not signed, because they are the signature.
SIGNATURE_FIELDS = ("signature", "public_key", "algorithm")
ALGORITHM = "Ed25519"


def new_private_key() -> bytes:
    """A key that signs, as PEM."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class ReceiptSigner:
    """Signs receipts.

    Args:
        private_key: as PEM, see :func:`new_private_key`.

    Raises:
        ServingError: it is none.
    """

    def __init__(self, private_key: bytes) -> None:
        try:
            key = load_pem_private_key(private_key, password=None)
        except ValueError as error:
            raise ServingError(f"The key that signs receipts must be a private key in PEM: {error}.") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ServingError("The key that signs receipts must be one of Ed25519.")
        self._key = key

    @property
    def public_key(self) -> str:
        """What a receipt is verified with: 32 bytes in Base64."""
        return base64.b64encode(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def sign(self, receipt: Mapping[str, Any]) -> dict[str, Any]:
        """The receipt with its signature.

        Args:
            receipt: JSON.
        """
        signature = base64.b64encode(self._key.sign(signed_bytes(receipt))).decode()
        return dict(receipt) | {"algorithm": ALGORITHM, "public_key": self.public_key, "signature": signature}


def signed_bytes(receipt: Mapping[str, Any]) -> bytes:
    """What is signed of a receipt: its other fields as JSON in UTF-8, keys sorted, without blanks."""
    return orjson.dumps(
        {name: value for name, value in receipt.items() if name not in SIGNATURE_FIELDS}, option=orjson.OPT_SORT_KEYS
    )


def is_genuine(receipt: Mapping[str, Any], public_key: str) -> bool:
    """Whether a receipt was signed by the owner of a public key, and not changed since.

    Args:
        receipt: as :meth:`ReceiptSigner.sign` gave it.
        public_key: 32 bytes in Base64, from the installation, not from the receipt.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(base64.b64decode(str(receipt.get("signature", ""))), signed_bytes(receipt))
    except (InvalidSignature, ValueError):
        return False
    return True


def read_signer(path: Path) -> ReceiptSigner:
    """The signer of an installation, with a key of its own that is made where it is missing.

    Raises:
        ServingError: the file cannot be read or written, or is no key.
    """
    return ReceiptSigner(read_or_make(path, new_private_key))
