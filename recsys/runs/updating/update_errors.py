"""Errors of reading and appending, in the settings that ``scripts/update.py`` has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.errors import DataError, PreparedDataError

_OTHER_SETTING = re.compile(r"\b(?:data|preparation|paths\.prepared_dir)\b[.\w]*=")
_KEPT = "An update keeps the settings of the first preparation and its place: with others, train anew on all data."


@contextmanager
def in_words_of_update() -> Iterator[None]:
    """Let errors of data name settings of an update, and say which it does not have."""
    try:
        yield
    except (DataError, PreparedDataError) as error:
        raise type(error)(_in_words(str(error))) from None


def _in_words(message: str) -> str:
    message = message.replace("data.columns.", "columns.")
    return f"{message} {_KEPT}" if _OTHER_SETTING.search(message) else message
