"""From the store to a live bundle: train, compare with the live model, and promote what is not worse.

Whatever fails leaves the live bundle: it is changed by one request at the very end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from filelock import FileLock, Timeout

from recsys.data.readers.store.database import URL_VARIABLE, StoreDatabase
from recsys.errors import DataError, RunError, SettingsError
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.manifest import Manifest
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.newer_data.contestants import Contestant, open_contestants
from recsys.studies.newer_data.held_out import read_held_out
from recsys.studies.newer_data.report import write_newer_report
from recsys.studies.newer_data.scoring import measured
from recsys.studies.newer_data.verdict import Verdict
from recsys.studies.retraining.command_stage import run_command_stage
from recsys.studies.retraining.newest_interactions import HeldOutKind, NewestInteractions, read_newest
from recsys.studies.retraining.promotion_rule import PromotionDecision, decide
from recsys.studies.retraining.retrained_bundles import delete_old_bundles, new_bundle_name, unwanted_users
from recsys.studies.retraining.served_histories import WithStoredHistories

_HELD_OUT = "held_out.parquet"


class LiveService(Protocol):
    """The service whose model is retrained."""

    def live_bundle(self) -> str:
        """Name of the bundle that answers."""
        ...

    def recent_bundles(self) -> list[str]:
        """Names of the bundles that were made live, the latest first."""
        ...

    def promote(self, bundle: str, content_hash: str, note: str) -> None:
        """Let a bundle answer that was trained with what the store has."""
        ...


@dataclass(frozen=True, slots=True)
class RetrainingSettings:
    """What is trained, and when it is made live.

    Args:
        train: settings of the training, such as ``["model=ease"]``.
        export: settings of the export.
        held_out: which of the newest interactions both models are measured on: ``unprompted``, those that name no
            list, or ``all``; what users did with lists speaks for the model that made the lists.
        share: of the interactions that the live model does not know, that is held out.
        min_held_out: with fewer the live model stays.
        metric: that is compared.
        k: its cut-off.
        tolerance: how much worse the retrained model may be, in the metric, with all of its interval.
        alpha: the interval of the difference has the confidence ``1 - alpha``.
        keep: bundles of retraining that are kept.

    Raises:
        SettingsError: a value is out of range.
    """

    train: Sequence[str] = ("model=ease",)
    export: Sequence[str] = ()
    held_out: HeldOutKind = "unprompted"
    share: float = 0.2
    min_held_out: int = 100
    metric: str = "ndcg"
    k: int = 10
    tolerance: float = 0.01
    alpha: float = 0.1
    keep: int = 3

    def __post_init__(self) -> None:
        if self.held_out not in ("unprompted", "all"):
            raise SettingsError(f"held_out must be unprompted or all, but is {self.held_out!r}.")
        if not 0 < self.share <= 1:
            raise SettingsError(f"share must be above 0 and at most 1, but is {self.share}.")
        if self.keep < 1 or self.min_held_out < 1:
            raise SettingsError("keep and min_held_out must be 1 or more. Correct the one that is less.")
        if self.tolerance < 0:
            raise SettingsError(f"tolerance must be 0 or more, but is {self.tolerance}.")


@dataclass(frozen=True, slots=True)
class RetrainingResult:
    """What was done.

    Args:
        promoted: name of the bundle that is live now; None: the one before stays.
        live: name of the bundle that is live.
        reason: why, in a sentence.
        deleted: names of old bundles that were deleted.
    """

    promoted: str | None
    live: str
    reason: str
    deleted: Sequence[str] = ()


class Retraining:
    """Retrains the model of one service.

    Args:
        service: whose model it is.
        database: of the service.
        bundles: directory of all its bundles.
        directory: for what is made on the way; the page of each comparison stays there.
        settings: what is trained, and when it is made live.
        say: told what is done.
    """

    def __init__(
        self,
        service: LiveService,
        database: StoreDatabase,
        bundles: Path,
        directory: Path,
        settings: RetrainingSettings,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._service, self._database, self._bundles = service, database, bundles.absolute()
        self._directory, self._settings, self._say = directory.absolute(), settings, say

    def run(self) -> RetrainingResult:
        """Train, compare, and promote what is not worse.

        Raises:
            RecsysError: a step failed; the live bundle stays.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._directory / "lock", timeout=0):
                return self._run()
        except Timeout:
            raise RunError(f"Another retraining works in {self._directory}. Wait for it.") from None

    def _run(self) -> RetrainingResult:
        live, name = self._service.live_bundle(), new_bundle_name()
        champion = self._bundles / live
        with _work_directory(self._directory / name) as work:
            newest = read_newest(
                self._database,
                _known_until(champion),
                self._settings.share,
                self._settings.held_out,
                work / _HELD_OUT,
            )
            kind = "" if self._settings.held_out == "all" else "that no list prompted "
            number = 0 if newest is None else newest.num_held_out
            if newest is None or number < self._settings.min_held_out:
                needed = (
                    f"{number:,} newest interactions {kind}are fewer than min_held_out={self._settings.min_held_out}"
                )
                return RetrainingResult(None, live, needed)
            run, challenger = self._train_challenger(newest, work)
            decision = self._compare(champion, challenger, newest, self._directory / name)
            if not decision.promotes:
                return RetrainingResult(None, live, decision.reason)
            self._promote(run, name, work, decision)
        recent = self._service.recent_bundles()
        deleted = delete_old_bundles(self._bundles, self._settings.keep, {name, live, *recent[:2]})
        return RetrainingResult(name, name, decision.reason, deleted)

    def _train_challenger(self, newest: NewestInteractions, work: Path) -> tuple[Path, Path]:
        """The run and the bundle of a model that knows all but what is held out."""
        until = newest.until.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._say(
            f"{newest.num_new:,} interactions are new, {newest.num_held_out:,} since {until} are held out; training on "
            "those before"
        )
        run = self._train(work, "challenger", [*self._settings.train, f"data.until='{until}'"])
        return run, self._export(run, work / "challenger", work)

    def _compare(self, champion: Path, challenger: Path, newest: NewestInteractions, pages: Path) -> PromotionDecision:
        self._say(f"comparing with {champion.name}")
        settings = Settings(metric=self._settings.metric, k=self._settings.k, alpha=self._settings.alpha)
        contestants = [_served(one, newest) for one in open_contestants([champion, challenger])]
        held_out = read_held_out(newest.table, None, contestants)
        comparison = compare([measured(one, held_out, settings.k) for one in contestants], settings)
        [pair] = comparison.against_baseline
        decision = decide(pair, comparison.metric, self._settings.tolerance)
        winner = pair.first if decision.promotes else pair.second
        write_newer_report(comparison, held_out, Verdict(winner, decision.reason, None), pages)
        return decision

    def _promote(self, chosen: Path, name: str, work: Path, decision: PromotionDecision) -> None:
        """Train with all interactions, export, and let the service answer from it."""
        self._say("training on all interactions")
        run = self._train(work, "final", [f"chosen_by={chosen}"])
        bundle = self._export(run, self._bundles / name, work)
        try:
            # Whoever is erased from here on finds the bundle, and the receipt names it.
            if number := unwanted_users(bundle, self._database):
                raise DataError(
                    f"{number} users were erased, merged or left profiling while the model was trained with them. The "
                    "live bundle stays; retrain again."
                )
            self._say(f"making {name} live")
            self._service.promote(name, Manifest.read(bundle).data.content_hash, decision.reason)
        except BaseException:
            if self._service_has(name) is False:
                shutil.rmtree(bundle, ignore_errors=True)
            raise

    def _service_has(self, name: str) -> bool | None:
        """Whether a bundle is live; None where the service does not say."""
        try:
            return self._service.live_bundle() == name
        except Exception:  # whatever went wrong before is what the caller is told
            return None

    def _train(self, work: Path, stage: str, settings: Sequence[str]) -> Path:
        places = [f"paths.runs_dir={work / 'runs'}", f"paths.prepared_dir={work / 'prepared'}"]
        fixed = ["data=store", "refit=all", "tracking=none", "show_users=0", *places]
        variables = {URL_VARIABLE: self._database.url}
        return run_command_stage("train", [*fixed, *settings], work.parent / f"{stage}.log", variables)

    def _export(self, run: Path, output: Path, work: Path) -> Path:
        arguments = [f"run={run}", f"output={output}", *self._settings.export]
        return run_command_stage("export", arguments, work.parent / "export.log")


@contextmanager
def _work_directory(pages: Path) -> Iterator[Path]:
    """A directory for runs, data and held-out interactions, which know users: nothing of it stays."""
    for left in pages.parent.glob("*/work"):  # of one that was killed
        shutil.rmtree(left)
    work = pages / "work"
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):  # it has the page of a comparison
            pages.rmdir()


def _known_until(bundle: Path) -> int | None:
    """The latest interaction that a bundle knows, seconds since 1970; None where it does not know any time."""
    from recsys.runtime.bundle import Bundle

    times = Bundle.open(bundle).histories.timestamp
    return None if times is None or len(times) == 0 else int(np.max(np.asarray(times)))


def _served(contestant: Contestant, newest: NewestInteractions) -> Contestant:
    assert isinstance(contestant.recommender, BundleRecommender)
    return replace(contestant, recommender=WithStoredHistories(contestant.recommender, newest.histories))
