"""Files of this machine that are copies of what lies elsewhere: messages name the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.data.sources.raw_file import RawFile
from recsys.data.sources.shards import ShardedFile


@dataclass(frozen=True, slots=True)
class CopiedFile(RawFile):
    """One file.

    Args:
        path: of the copy.
        member: None.
        origin: what it is a copy of, for messages.
    """

    origin: str = ""

    def __str__(self) -> str:
        return self.origin


@dataclass(frozen=True, slots=True)
class CopiedShards(ShardedFile):
    """A table in several files.

    Args:
        path: of the directory of the copies.
        member: None.
        files: the copies, in their order.
        num_header_lines: see :class:`recsys.data.sources.shards.ShardedFile`.
        origin: what they are copies of.
        origins: what each is a copy of.
    """

    origin: str = ""
    origins: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.origin

    def shards(self) -> Sequence[RawFile]:
        """Each file by itself."""
        return [CopiedFile(path, None, origin) for path, origin in zip(self.files, self.origins, strict=True)]
