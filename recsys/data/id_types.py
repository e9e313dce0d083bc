"""The types that ids have in the user's own tables; inside the framework they are text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recsys.data.schema import Schema

#: Ids that are text outside as well.
TEXT = "str"

#: Where the types of the ids are in the fingerprint of a reader, which prepared data keep.
ID_TYPES = "id_types"


@dataclass(frozen=True, slots=True)
class IdTypes:
    """The types that the ids had in the user's tables, as pandas names them.

    Args:
        user: of the ids of users, such as ``int64`` or ``str``.
        item: of the ids of items.
    """

    user: str = TEXT
    item: str = TEXT


def noted_id_types(schema: Schema) -> IdTypes:
    """The types that the ids of prepared data had in the user's tables; text where nothing was noted."""
    reader: Any = schema.fingerprint.get("reader")
    noted = reader.get(ID_TYPES) if isinstance(reader, Mapping) else None
    return IdTypes(**noted) if isinstance(noted, Mapping) else IdTypes()
