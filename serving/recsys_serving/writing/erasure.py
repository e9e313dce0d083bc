"""Forgets a user: everywhere at once where data are rows, and by a stated day where they are in a model.

A receipt says what was deleted and which bundles were trained with the user's interactions. Those are replaced within
``retention_days``; it is signed, and names the user by a salted hash alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from recsys_serving.recommending.erased_mirror import ErasedMirror
from recsys_serving.spool.commands import ERASED, erase_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.store import Store
from recsys_serving.store.users.records import ErasureReceipt
from recsys_serving.writing.bundle_users import bundles_with
from recsys_serving.writing.receipts import ReceiptSigner

#: Longest time of a statement that reads or deletes all of a user.
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ErasureOutcome:
    """What became of a request to be forgotten.

    Args:
        receipt_id: of the receipt.
        receipt: signed; None where the request waits for the store.
    """

    receipt_id: str
    receipt: Mapping[str, Any] | None


class Eraser:
    """Forgets users.

    Args:
        store: with their rows.
        spool: with what waits for the store.
        signer: of receipts.
        bundle_directories: gives those of all bundles that there are.
        retention_days: after which no bundle is used that was trained before an erasure.
        forget: drops what workers keep of a user, such as lists in the cache.
        erased: remembers who was erased for the time that the store is away.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        signer: ReceiptSigner,
        bundle_directories: Callable[[], Iterable[Path]],
        retention_days: int,
        forget: Callable[[str], None],
        erased: ErasedMirror,
    ) -> None:
        self._store = store
        self._spool = spool
        self._signer = signer
        self.bundle_directories = bundle_directories
        self._retention_days = retention_days
        self._forget = forget
        self._erased = erased

    def erase(self, user_id: str, actor: str) -> ErasureOutcome:
        """Forget a user, and those that were merged into it.

        One that is not known gets a receipt as well. While the store is away, or earlier changes wait, so does this.
        The rows, the receipt and the entry of the audit are one transaction.

        Args:
            user_id: the user.
            actor: who asks, for the audit.

        Raises:
            SpoolError: it could not even be noted.
        """
        requested_at = datetime.now(UTC)
        if self._spool.is_empty():
            try:
                receipt = self._erase(user_id, requested_at, actor)
                return ErasureOutcome(str(receipt["receipt_id"]), receipt)
            except StoreUnavailable:
                pass
        self._spool.discard_user(user_id)
        command = erase_command(user_id, requested_at, self._about_bundles([user_id], requested_at), actor)
        self._spool.append([command])
        self._erased.mark([user_id], requested_at)
        self._forget(user_id)
        return ErasureOutcome(str(UUID(command.command_id)), None)

    def receipt(self, receipt_id: UUID) -> dict[str, Any] | None:
        """A receipt, signed; None where there is none.

        One of an erasure that had waited for the store is signed when it is first asked for.
        """
        record = self._store.users.erasure(receipt_id)
        return None if record is None else self._signed(record)

    def receipts(self, limit: int) -> list[dict[str, Any]]:
        """The latest receipts, the newest first, signed as :meth:`receipt` has them."""
        return [self._signed(record) for record in self._store.users.list_erasures(limit)]

    def _erase(self, user_id: str, requested_at: datetime, actor: str) -> dict[str, Any]:
        expected = self._store.users.family_ids(user_id)
        about = self._about_bundles(expected, requested_at)  # reads files, so nobody is locked meanwhile
        with self._store.transaction(_SECONDS):
            user_ids = self._store.users.family_ids(user_id, locked=True)
            if user_ids != expected:
                about = self._about_bundles(user_ids, requested_at)
            record = self._store.users.erase(user_id, requested_at, about)
            signed = self._signed(record)
            self._store.audit.append(AuditEntry(actor, ERASED, str(record.receipt_id)))
        self._erased.replace(self._store.users.erased())
        for one in user_ids:
            self._spool.discard_user(one)
            self._forget(one)
        return signed

    def _about_bundles(self, user_ids: Sequence[str], requested_at: datetime) -> dict[str, Any]:
        until = requested_at + timedelta(days=self._retention_days)
        found = bundles_with(user_ids, self.bundle_directories())
        bundles = [{"name": one.name, "fingerprint": one.fingerprint, "until": until.isoformat()} for one in found]
        return {"bundles": bundles, "bundle_retention_days": self._retention_days}

    def _signed(self, record: ErasureReceipt) -> dict[str, Any]:
        if "signature" in record.receipt:
            return dict(record.receipt)
        told = {
            "receipt_id": str(record.receipt_id),
            "user_hash": record.user_hash,
            "requested_at": record.requested_at.isoformat(),
            "completed_at": record.completed_at.isoformat(),
            "deleted": dict(record.deleted),
            "bundles": record.receipt.get("bundles", []),
            "bundle_retention_days": record.receipt.get("bundle_retention_days", self._retention_days),
        }
        signed = self._signer.sign(told)
        self._store.users.annotate_erasure(record.receipt_id, signed)
        return signed
