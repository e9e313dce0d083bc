"""What is known of a user at the moment of an answer: from the store, else what this worker knew last."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from recsys_serving.recommending.history import StoredHistory
from recsys_serving.recommending.seen_items import SeenItems
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import Dependency, DependencyUnavailable
from recsys_serving.spool.commands import SpoolCommand, interaction_of
from recsys_serving.spool.errors import SpoolError
from recsys_serving.spool.spool import Spool
from recsys_serving.store.events.records import Repeats
from recsys_serving.store.store import Store
from recsys_serving.store.users.records import UserState

#: Stands for nobody in particular: asked for the revisions alone. No id of a user is empty.
NOBODY = ""

#: Items beyond histories that a worker remembers of all users together.
MAX_SEEN = 2_000_000


@dataclass(frozen=True, slots=True)
class Revisions:
    """How often what all workers share was changed; :class:`recsys_serving.store.users.records.UserState`."""

    catalogue: int
    deployment: int
    experiment: int


@dataclass(frozen=True, slots=True)
class KnownUser:
    """What is known of one user.

    Args:
        user_id: the account; None: nobody in particular asks.
        version: changes with everything that is known.
        profiling: whether the history may be used.
        properties: attributes of the user.
        history: what is stored, with what waits in the spool.
        revisions: of what all workers share; None: the store did not answer.
        is_of_bundle: whether the store said nothing of the user, so that the history goes on from that of the bundle.
        is_erased: whether the user was erased or is about to be: what bundles know under the id is not used, only what
            is stored since.
        older: when the user last interacted with each item that is too old for the history, seconds since 1970: seen
            all the same.
    """

    user_id: str | None
    version: str
    profiling: bool = True
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)
    history: StoredHistory = StoredHistory()
    revisions: Revisions | None = None
    is_erased: bool = False
    older: Mapping[str, float] = field(default_factory=dict, hash=False)
    is_of_bundle: bool = False


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What was read of a user.

    Args:
        state: as it was then.
        repeats: how items that occur more than once are treated in its history.
        read_at: when the history was read, on the clock of :class:`UserStates`.
    """

    state: UserState
    repeats: Repeats
    read_at: float


class UserStates:
    """Reads what is known of users; threads may share it.

    Args:
        store: of users; None: there is none, and bundles alone know users.
        spool: interactions that wait for the store; None: there is none.
        dependency: how the store is asked.
        history_limit: latest interactions that are read.
        types: of interactions that make a history; None: all.
        max_known: users that are remembered: for the time that the store is away, and so that a history that has not
            changed is not read again.
        repeats: says whether an item stands once in a history, or each time.
        history_seconds: after which a history is read again all the same, because retention deletes interactions
            without a word.
        clock: seconds that never go back.
        erased: users who are known to be erased while the store does not answer.
        seen_limit: items that count as seen of a user, the latest ones.
    """

    def __init__(
        self,
        store: Store | None,
        spool: Spool | None,
        dependency: Dependency,
        history_limit: int = 1000,
        types: Sequence[str] | None = None,
        max_known: int = 5000,
        repeats: Callable[[], Repeats] = lambda: "latest",
        history_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        erased: Container[str] = (),
        seen_limit: int = 50_000,
    ) -> None:
        self._erased = erased
        self._seen = SeenItems(self._read_seen, MAX_SEEN)
        self._seen_limit = seen_limit
        self._store, self._spool, self._dependency = store, spool, dependency
        self._repeats = repeats
        self._history_limit, self._types, self._max_known = history_limit, types, max_known
        self._history_seconds, self._clock = history_seconds, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Remembered] = OrderedDict()

    def of(self, user_id: str | None, deadline: Deadline) -> tuple[KnownUser, bool]:
        """What is known of a user, and whether the store was missed. Never an error."""
        state, is_degraded = self._state(NOBODY if user_id is None else user_id, deadline)
        if user_id is None:
            return KnownUser(None, "", revisions=_revisions(state, is_degraded)), is_degraded
        known = KnownUser(user_id, "bundle", is_of_bundle=True) if state is None else _known_user(state, is_degraded)
        if is_degraded and user_id in self._erased:  # what is remembered may be from before
            known = KnownUser(user_id, "erased", is_erased=True)
        elif state is not None and state.is_cut:
            older, is_missed = self._seen.older(state, deadline)
            version = f"{known.version}, without old items" if is_missed else known.version
            known, is_degraded = replace(known, older=older, version=version), is_degraded or is_missed
        return self._with_spooled(known, user_id, is_degraded), is_degraded

    def forget(self, user_id: str) -> None:
        """Remember a user no more, as after an erasure."""
        with self._lock:
            self._known.pop(user_id, None)
        self._seen.forget(user_id)

    def _state(self, user_id: str, deadline: Deadline) -> tuple[UserState | None, bool]:
        store = self._store
        if store is None:
            return None, False
        repeats, now = self._repeats(), self._clock()
        remembered = self._known.get(user_id)
        is_fresh = (
            remembered is not None
            and remembered.repeats == repeats
            and now - remembered.read_at < self._history_seconds
        )
        known = remembered if is_fresh else None
        try:
            state = self._dependency.call(
                lambda: store.users.state(
                    user_id, self._history_limit, self._types, repeats, None if known is None else known.state
                ),
                deadline,
                attempts=2,
            )
        except DependencyUnavailable:
            return None if remembered is None else remembered.state, True
        if user_id != NOBODY:
            is_the_same = known is not None and known.state.revision == state.revision
            self._remember(user_id, state, repeats, known.read_at if known is not None and is_the_same else now)
        return state, False

    def _read_seen(self, user_id: str, deadline: Deadline) -> Mapping[str, float]:
        store = self._store
        assert store is not None, "its state was read"
        return self._dependency.call(lambda: store.users.seen(user_id, self._seen_limit, self._types), deadline)

    def _remember(self, user_id: str, state: UserState, repeats: Repeats, read_at: float) -> None:
        with self._lock:
            if state.known:
                self._known[user_id] = _Remembered(state, repeats, read_at)
                self._known.move_to_end(user_id)
                if len(self._known) > self._max_known:
                    self._known.popitem(last=False)
            else:
                self._known.pop(user_id, None)

    def _with_spooled(self, known: KnownUser, user_id: str, is_degraded: bool) -> KnownUser:
        """What is known, with the user's changes that wait for the store."""
        spool = self._spool
        if spool is None:
            return known
        try:
            if not is_degraded and spool.is_empty():
                return known
            commands = spool.pending_for(user_id)
        except SpoolError:
            return known
        for command in commands:
            known = self._after(known, command)
        if not commands:
            return known
        waiting = hashlib.blake2b("\0".join(one.command_id for one in commands).encode(), digest_size=8).hexdigest()
        return replace(known, version=f"{known.version}+{waiting}")

    def _after(self, known: KnownUser, command: SpoolCommand) -> KnownUser:
        if command.kind == "interaction":
            interaction = interaction_of(command)
            if self._types is not None and interaction.type not in self._types:
                return known
            of = known.history
            added = StoredHistory(
                (*of.item_ids, interaction.item_id),
                (*of.values, interaction.value),
                (*of.timestamps, interaction.occurred_at.timestamp()),
            )
            return replace(known, history=added)
        if command.kind == "user_put":
            profiling, properties = command.payload.get("profiling"), command.payload.get("properties") or {}
            told = {**known.properties, **properties}
            return replace(
                known,
                profiling=known.profiling if profiling is None else bool(profiling),
                properties={name: value for name, value in told.items() if value is not None},
            )
        if command.kind == "user_erase":
            return replace(known, history=StoredHistory(), properties={}, older={}, is_erased=True)
        return known


def _revisions(state: UserState | None, is_degraded: bool) -> Revisions | None:
    if state is None or is_degraded:
        return None
    return Revisions(state.catalogue_revision, state.deployment_revision, state.experiment_revision)


def _known_user(state: UserState, is_degraded: bool) -> KnownUser:
    version = f"{state.revision}" if state.known else "unknown"
    return KnownUser(
        user_id=state.user_id,
        version=f"{version}, erased" if state.is_erased else version,  # another list than that of before the erasure
        profiling=state.profiling,
        properties=state.properties,
        history=StoredHistory(state.item_ids, state.values, state.timestamps),
        revisions=_revisions(state, is_degraded),
        is_erased=state.is_erased,
    )
