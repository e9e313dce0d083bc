"""Checksums of files, each with the name of its algorithm."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import SourceError


@dataclass(frozen=True, slots=True)
class Checksum:
    """The checksum that a file must have.

    Args:
        algorithm: name known to :mod:`hashlib`, such as ``sha256`` or ``md5``. MD5 guards against damage, not
            against forgery; it is supported because some publishers give no other.
        digest: hexadecimal digest, lower case.
    """

    algorithm: str
    digest: str

    def verify(self, path: Path, name: str) -> None:
        """Check that the file at ``path`` has this checksum; ``name`` names the file in messages.

        Raises:
            SourceError: it has another checksum.
        """
        found = digest_of(path, self.algorithm)
        if found != self.digest:
            raise SourceError(
                f"{name} is not the file that was published: its {self.algorithm} must be {self.digest}, but is {found}"
            )


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of the file at ``path``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
