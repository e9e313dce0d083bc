"""Errors and warnings of an update, in the settings that ``scripts/update.py`` has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.errors import RecsysError

#: Settings of a training that an update has under a name of its own.
_OWN_SETTING = re.compile(
    r"\bdata\.(?=(?:columns|interactions|users|items|day_first)\b)|\btrainer\.(?=accelerator\b)|\bpaths\.(?=runs_dir\b)"
)
_OTHER_SETTING = re.compile(r"\b(?:data|preparation|paths\.prepared_dir)\b[.\w]*=")
_KEPT = "An update keeps the settings and the place of the first preparation; for others, train anew on all data."


@contextmanager
def in_words_of_update() -> Iterator[None]:
    """Let errors name settings of an update, and say which it does not have."""
    try:
        yield
    except RecsysError as error:
        error.args = (_in_words(str(error)),)  # some have more than a message, so that no other one is made
        raise


@contextmanager
def warnings_in_words_of_update() -> Iterator[None]:
    """Let warnings about data name settings of an update, and say which it does not have; given as the block ends."""
    with collected_warnings() as texts:
        yield
    tell_again(map(_in_words, texts))


def _in_words(message: str) -> str:
    message = _OWN_SETTING.sub("", message)
    return f"{message} {_KEPT}" if _OTHER_SETTING.search(message) else message
