"""Entity tags: which revision of a record a client has seen, so that it does not overwrite another one's change."""

from __future__ import annotations

import re

from recsys_serving.api.problems import Fault, ProblemError

_WRITTEN = re.compile(r'(?:W/)?"(\d{1,18})"')

#: What If-Match may be, as the description of the API says it.
TAG_PATTERN = r'^(\*|(W/)?"[0-9]{1,18}")$'


def entity_tag(revision: int) -> str:
    """The tag of a revision, for the header ETag."""
    return f'"{revision}"'


def expected_revision(if_match: str | None) -> int | None:
    """The revision that a change is meant for.

    Args:
        if_match: the header ``If-Match``; None or ``*``: any revision.

    Raises:
        ProblemError: 422, it is no tag of this service; 412, it is one that no revision has.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    written = _WRITTEN.fullmatch(if_match.strip())
    if written is None:
        raise ProblemError(
            422,
            'If-Match must be the ETag of an earlier answer, such as "12", or *.',
            [Fault("header.if-match", "One ETag, or *, is required")],
        )
    return int(written[1])


def is_not_modified(if_none_match: str | None, revision: int) -> bool:
    """Whether a client has this revision already.

    Args:
        if_none_match: the header ``If-None-Match``; None: it has none.
        revision: the one that there is.
    """
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or entity_tag(revision) in tags
