"""Which bundle is which version, and which version is live: MLflow's model registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from recsys.cli.commands import command_line
from recsys.errors import BundleError
from recsys.runtime.bundle import Bundle
from recsys.runtime.manifest import fingerprint_of
from recsys.runtime.versions.mlflow_store import open_store

CHAMPION = "champion"
CHALLENGER = "challenger"

#: Which version had an alias before: a tag of the registered model.
_BEFORE = "{alias}_before"
_DIRECTORY = "bundle"
_FINGERPRINT = "manifest_file_sha256"
#: MLflow reads a tag of so many characters.
_MAX_TAG = 5000

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class RegisteredBundle:
    """A bundle in the registry.

    Args:
        version: its number, from 1.
        directory: where it is.
        aliases: its names, such as ``champion``.
        description: its models and data, in words.
        fingerprint: of the bundle that was registered, see :func:`recsys.runtime.manifest.fingerprint_of`; None: it was
            registered by a version of recsys that noted none.
    """

    version: int
    directory: Path
    aliases: tuple[str, ...]
    description: str
    fingerprint: str | None = None


class BundleRegistry:
    """Versions of one model, each a bundle, and aliases that point to one of them.

    Args:
        uri: of MLflow's store, such as ``sqlite:///mlflow.db``.
        name: of the model.
    """

    def __init__(self, uri: str, name: str) -> None:
        self.name = name
        self._uri = uri
        self._client: Any = self._asked(lambda: open_store(uri))

    def register(self, directory: Path) -> RegisteredBundle:
        """Enter a bundle, if it is not there yet; one that came in the place of another is a version of its own.

        Raises:
            BundleError: it is missing or damaged.
            BundleError: the registry does not answer.
        """
        bundle = Bundle.open(directory)
        for known in self.versions():
            if known.directory == directory.absolute() and known.fingerprint == bundle.fingerprint:
                return known
        if self._model() is None:
            self._asked(lambda: self._client.create_registered_model(self.name))
        tags = {
            _DIRECTORY: str(directory.absolute()),
            _FINGERPRINT: str(bundle.fingerprint),
            "data_hash": bundle.manifest.data.content_hash,
        }
        entered = self._asked(
            lambda: self._client.create_model_version(
                self.name,
                source=directory.absolute().as_uri(),
                tags=tags,
                description=described(bundle)[:_MAX_TAG],
            )
        )
        return self.version(int(entered.version))

    def versions(self) -> list[RegisteredBundle]:
        """All versions, the oldest first."""
        if self._model() is None:
            return []
        found = self._asked(lambda: self._client.search_model_versions(f"name='{self.name}'", max_results=10_000))
        return sorted((self._as_registered(version) for version in found), key=lambda known: known.version)

    def version(self, number: int) -> RegisteredBundle:
        """One version.

        Raises:
            BundleError: there is no such version.
        """
        known = {version.version: version for version in self.versions()}
        if number not in known:
            raise BundleError(
                f"A version of {self.name} is required, but {number} is none of {', '.join(map(str, known)) or 'none'}."
            )
        return known[number]

    def promote(self, version: int, alias: str) -> None:
        """Point ``alias`` to a version; :meth:`roll_back` points it to where it was.

        Raises:
            BundleError: there is no such version, or another bundle has come in its place.
        """
        _require_unchanged(self.version(version))
        before = self._aliases().get(alias)
        if before == version:
            return
        if before is not None:
            self._asked(
                lambda: self._client.set_registered_model_tag(self.name, _BEFORE.format(alias=alias), str(before))
            )
        self._asked(lambda: self._client.set_registered_model_alias(self.name, alias, str(version)))

    def roll_back(self, alias: str) -> RegisteredBundle:
        """Point ``alias`` to the version that had it before; doing it twice comes back to the one now.

        Raises:
            BundleError: no other version had it.
        """
        model = self._model()
        before = None if model is None else model.tags.get(_BEFORE.format(alias=alias))
        if before is None:
            raise BundleError(
                f"A version that was {alias} before is required to go back to, but {self.name} has had no other one."
            )
        self.promote(int(before), alias)
        return self.version(int(before))

    def with_alias(self, alias: str) -> RegisteredBundle:
        """The version that ``alias`` points to.

        Raises:
            BundleError: it points to none, or another bundle has come in its place.
        """
        aliases = self._aliases()
        if alias not in aliases:
            raise BundleError(
                f"A version of {self.name} with the alias {alias} is required, but there are "
                f"{', '.join(aliases) or 'no aliases'}. Set it: "
                f"{command_line('promote')} bundle=DIR alias={alias}"
            )
        return _require_unchanged(self.version(aliases[alias]))

    def _aliases(self) -> dict[str, int]:
        model = self._model()
        return {} if model is None else {alias: int(version) for alias, version in model.aliases.items()}

    def _model(self) -> Any:
        """The registered model; None where there is none yet."""
        found = self._asked(lambda: self._client.search_registered_models(f"name='{self.name}'"))
        return next(iter(found), None)

    def _as_registered(self, version: Any) -> RegisteredBundle:
        aliases = tuple(alias for alias, number in self._aliases().items() if number == int(version.version))
        return RegisteredBundle(
            int(version.version),
            Path(version.tags[_DIRECTORY]),
            aliases,
            version.description or "",
            version.tags.get(_FINGERPRINT),
        )

    def _asked(self, question: Callable[[], ResultT]) -> ResultT:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return question()
        except (MlflowException, SQLAlchemyError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise BundleError(
                f"The model registry {self._uri} does not do what is asked ({reason}). Give another registry.uri=, or "
                "mend it."
            ) from error


def _require_unchanged(known: RegisteredBundle) -> RegisteredBundle:
    """Require the bundle that was registered in its directory.

    Raises:
        BundleError: another one is there, or none.
    """
    if known.fingerprint is not None and fingerprint_of(known.directory) != known.fingerprint:
        raise BundleError(
            f"Version {known.version} is the bundle that was in {known.directory}, but another one, or none, is there "
            f"now. Register what is there: {command_line('promote')} bundle={known.directory} alias=ALIAS"
        )
    return known


def described(bundle: Bundle) -> str:
    """The models of a bundle, its data and what was measured, in a line."""
    manifest = bundle.manifest
    source = manifest.ranker or manifest.retriever
    ranked = "" if manifest.ranker is None else f", ranked by {manifest.ranker.model}"
    shown = ("test/ndcg@10", "test/recall@10")
    # Before those that were measured before the model was fitted to all interactions stands where they come from.
    names = [name for name in source.metrics if name.removeprefix("before_refit/") in shown]
    measured = [f"{name} {source.metrics[name]:.4f}" for name in sorted(names)]
    return f"{manifest.retriever.model}{ranked} on {manifest.data.name}{': ' if measured else ''}{', '.join(measured)}"
