"""The bundles that this process answers from: one is live, others belong to variants of experiments."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from recsys.errors import BundleError, RecsysError
from recsys.runtime.manifest import MANIFEST, fingerprint_of
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle

_log = logging.getLogger(__name__)


class BundlePool:
    """Opens bundles beside those that answer; threads may share it.

    A bundle that cannot be opened changes nothing. The one that was live before stays open, so that going back takes no
    time; this needs the memory of two, and of three while another is being opened.

    Args:
        directory: with the bundles, each by the name of its directory.
        live: name of the first one.
        prepare: is given each bundle that was opened, before it answers.
        make: opens a bundle.

    Raises:
        BundleError: the first one cannot be opened.
    """

    def __init__(
        self,
        directory: Path,
        live: str,
        prepare: Callable[[OpenBundle], None] = lambda opened: None,
        make: Callable[[Path], OpenBundle] = OpenBundle,
    ) -> None:
        self._directory = directory
        self._prepare = prepare
        self._make = make
        self._opening = threading.Lock()
        self._background: dict[str, threading.Thread] = {}
        self._refused: dict[str, str | None] = {}
        first = self._opened(live)
        self._open: dict[str, OpenBundle] = {live: first}
        self._live = first
        self._previous: OpenBundle | None = None

    @property
    def live(self) -> OpenBundle:
        """The bundle that answers users outside of experiments."""
        return self._live

    @property
    def previous(self) -> OpenBundle | None:
        """The one that was live before; None: there was none."""
        return self._previous

    def names(self) -> list[str]:
        """Names of the bundles in the directory, open or not."""
        if not self._directory.is_dir():
            return []
        return sorted(path.name for path in self._directory.iterdir() if (path / MANIFEST).is_file())

    def opened(self) -> list[OpenBundle]:
        """Those that are open, the live one first."""
        live = self._live
        return [live, *(one for one in list(self._open.values()) if one is not live)]

    def get(self, name: str) -> OpenBundle | None:
        """An open bundle; None: it is not open."""
        return self._open.get(name)

    def open(self, name: str) -> OpenBundle:
        """Open a bundle, or the one that came in its place under the same name; an open one is returned as it is.

        Raises:
            BundleError: it is missing, damaged or of another version.
        """
        with self._opening:
            known = self._open.get(name)
            if known is not None and known.fingerprint == fingerprint_of(self._path(name)):
                return known
            opened = self._opened(name)
            self._open = {**self._open, name: opened}
            return opened

    def open_in_background(self, name: str) -> None:
        """Open a bundle in a thread; one that was refused is tried again when another came in its place."""
        if name in self._open:
            return
        running = self._background.get(name)
        if running is not None and running.is_alive():
            return
        if name in self._refused and self._refused[name] == self._fingerprint(name):
            return

        def run() -> None:
            try:
                self.open(name)
                self._refused.pop(name, None)
            except RecsysError as error:
                self._refused[name] = self._fingerprint(name)
                _log.warning("The bundle %s of a variant cannot be opened: %s", name, error)

        thread = threading.Thread(target=run, name=f"open-{name}", daemon=True)
        self._background[name] = thread
        thread.start()

    def activate(self, name: str) -> OpenBundle:
        """Let another bundle answer from now on.

        Raises:
            BundleError: it cannot be opened; the old one goes on.
        """
        new = self.open(name)
        with self._opening:
            if new is not self._live:
                self._previous, self._live = self._live, new
        return new

    def keep(self, names: Collection[str]) -> None:
        """Let go of open bundles but the live one, the one before, and these."""
        with self._opening:
            previous = None if self._previous is None else self._previous.name
            kept = {self._live.name, previous, *names}
            self._open = {name: one for name, one in self._open.items() if name in kept}

    def _opened(self, name: str) -> OpenBundle:
        opened = self._make(self._path(name))
        self._prepare(opened)
        return opened

    def _path(self, name: str) -> Path:
        if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise BundleError(f"The name of a bundle in {self._directory} is required, but {name!r} came.")
        return self._directory / name

    def _fingerprint(self, name: str) -> str | None:
        try:
            return fingerprint_of(self._path(name))
        except BundleError:
            return None
