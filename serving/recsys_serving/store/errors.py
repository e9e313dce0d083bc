"""What can go wrong in the store.

::

    ServingError
    └── StoreError              the base class
        ├── StoreUnavailable    the database is away, refuses connections or does not answer in time: try again later
        ├── NotFound            no such user, item, interaction, experiment, key ...
        ├── Conflict            the id exists already, with other content
        ├── PreconditionFailed  somebody else changed the record since it was read
        └── StoreRefused        the database will never take this: a value it cannot hold

Only :class:`StoreUnavailable` is worth repeating. The others stay as they are however often the call is made.
"""

from __future__ import annotations

from recsys.errors import ServingError


class StoreError(ServingError):
    """Base class of what can go wrong in the store."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, or did not answer within the time allowed."""


class NotFound(StoreError):
    """What was asked for is not in the store."""


class Conflict(StoreError):
    """An id is in use already, and what it stands for differs from what came."""


class PreconditionFailed(StoreError):
    """The record has another revision than the one that the caller expected."""


class StoreRefused(StoreError):
    """The database refuses the values themselves; repeating the call does not help."""
