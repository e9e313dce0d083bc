"""From the store to a live bundle: choose and train, compare with the live model, and promote what is not worse.

Whatever fails leaves the live bundle: it is changed by one request at the very end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from filelock import FileLock, Timeout

from recsys.data.readers.store.database import StoreDatabase
from recsys.errors import DataError, RunError
from recsys.reporting.result_table import ResultTable
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.manifest import Manifest
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.newer_data.contestants import Contestant, open_contestants
from recsys.studies.newer_data.held_out import read_held_out
from recsys.studies.newer_data.report import write_newer_report
from recsys.studies.newer_data.scoring import measured
from recsys.studies.newer_data.verdict import Verdict
from recsys.studies.retraining.command_stage import StageRunner, run_command_stage
from recsys.studies.retraining.model_choice import choose_on_newest
from recsys.studies.retraining.newest_interactions import NewestInteractions, read_newest
from recsys.studies.retraining.promotion_rule import PromotionDecision, decide
from recsys.studies.retraining.retrained_bundles import delete_old_bundles, new_bundle_name, unwanted_users
from recsys.studies.retraining.retraining_settings import RetrainingSettings
from recsys.studies.retraining.served_histories import WithStoredHistories
from recsys.studies.retraining.training_plan import TrainingPlan, named_plan, plan_of
from recsys.studies.retraining.training_stages import TrainingStages
from recsys.studies.selection.candidate import Candidate

_HELD_OUT, _VALIDATION = "held_out.parquet", "validation.parquet"

#: The page of the choice, beside that of the comparison.
CHOICE = "candidates.md"


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
        run_stage: runs the commands of the training and the export.
        show: given the table of the models to choose from.
    """

    def __init__(
        self,
        service: LiveService,
        database: StoreDatabase,
        bundles: Path,
        directory: Path,
        settings: RetrainingSettings,
        say: Callable[[str], None] = lambda text: None,
        run_stage: StageRunner = run_command_stage,
        show: Callable[[ResultTable], None] = lambda table: None,
    ) -> None:
        self._service, self._database, self._bundles = service, database, bundles.absolute()
        self._directory, self._settings, self._say = directory.absolute(), settings, say
        self._run_stage, self._show = run_stage, show

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
            plan, start = self._plan(champion, newest, work)
            stages = TrainingStages(plan, self._database, work, self._run_stage, start=start)
            self._say(f"training {plan.described} on all before {_moment(newest.until)}")
            challenger = stages.train_challenger(_moment(newest.until))
            decision = self._compare(champion, challenger, newest, self._directory / name)
            if not decision.promotes and stages.may_have_drifted:
                self._say(f"it went on from an earlier training, and {decision.reason}; training it anew")
                challenger = stages.refit_challenger(_moment(newest.until))
                decision = self._compare(champion, challenger, newest, self._directory / name)
            if not decision.promotes:
                return RetrainingResult(None, live, decision.reason)
            self._promote(stages, name, decision)
        recent = self._service.recent_bundles()
        deleted = delete_old_bundles(self._bundles, self._settings.keep, {name, live, *recent[:2]})
        return RetrainingResult(name, name, decision.reason, deleted)

    def _plan(
        self, champion: Path, newest: NewestInteractions, work: Path
    ) -> tuple[TrainingPlan, tuple[Path, str] | None]:
        """What is trained: what the settings name, or the best of the candidates, with the run that was best."""
        until = _moment(newest.until)
        self._say(f"{newest.num_new:,} interactions are new, {newest.num_held_out:,} since {until} are held out")
        if self._settings.model_is_named:
            return named_plan(self._settings), None
        first, *others = candidates = self._settings.to_choose_from()
        if not others:
            return plan_of(first, champion, self._settings), None
        validation = read_newest(
            self._database,
            _known_until(champion),
            self._settings.share,
            self._settings.held_out,
            work / _VALIDATION,
            newest.until,
        )
        number = 0 if validation is None else validation.num_held_out
        if validation is None or number < self._settings.min_held_out:
            self._say(
                f"{number:,} interactions before them are too few to choose a model by "
                f"(min_held_out={self._settings.min_held_out}): it is the first of the candidates"
            )
            return plan_of(first, champion, self._settings), None
        chosen, run = self._chosen(candidates, champion, validation, work)
        start = None if run is None else (run, _moment(validation.until))
        return plan_of(chosen, champion, self._settings), start

    def _chosen(
        self, candidates: Sequence[Candidate], champion: Path, validation: NewestInteractions, work: Path
    ) -> tuple[Candidate, Path | None]:
        """The candidate that is best on the newest interactions before those that are held out, and its run."""
        runs: dict[str, Path] = {}
        until = _moment(validation.until)
        self._say(f"choosing among {len(candidates)} models by {validation.num_held_out:,} interactions since {until}")

        def train(candidate: Candidate) -> Path:
            plan = plan_of(candidate, champion, self._settings)
            name = f"candidate_{candidates.index(candidate) + 1}"
            stages = TrainingStages(plan, self._database, work, self._run_stage, name)
            # Two models answer together from a bundle alone.
            if plan.has_ranker:
                return stages.train_challenger(until)
            runs[candidate.name] = stages.train(until)
            return runs[candidate.name]

        def say(candidate: Candidate) -> None:
            self._say(f"training {candidate.name}")

        metric, k = self._settings.metric, self._settings.k
        selection = choose_on_newest(candidates, train, validation.table, metric, k, say)
        self._show(selection.table())
        (work.parent / CHOICE).write_text(selection.table().markdown(), encoding="utf-8")
        best = selection.best.candidate
        return best, runs.get(best.name)

    def _compare(self, champion: Path, challenger: Path, newest: NewestInteractions, pages: Path) -> PromotionDecision:
        self._say(f"comparing with {champion.name}")
        settings = Settings(metric=self._settings.metric, k=self._settings.k, alpha=self._settings.alpha)
        contestants = [_served(one, newest) for one in open_contestants([champion, challenger])]
        held_out = read_held_out(newest.table, None, contestants)
        comparison = compare([measured(one, held_out, settings.k) for one in contestants], settings)
        [pair] = comparison.against_baseline
        live = comparison.accuracy[pair.second][comparison.metric].mean
        decision = decide(pair, live, comparison.metric, self._settings.tolerance)
        winner = pair.first if decision.promotes else pair.second
        write_newer_report(comparison, held_out, Verdict(winner, decision.reason, None), pages)
        return decision

    def _promote(self, stages: TrainingStages, name: str, decision: PromotionDecision) -> None:
        """Train with all interactions, export, and let the service answer from it."""
        self._say("training on all interactions")
        bundle = stages.train_final(self._bundles / name)
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


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _known_until(bundle: Path) -> int | None:
    """The latest interaction that a bundle knows, seconds since 1970; None where it does not know any time."""
    from recsys.runtime.bundle import Bundle

    times = Bundle.open(bundle).histories.timestamp
    return None if times is None or len(times) == 0 else int(np.max(np.asarray(times)))


def _served(contestant: Contestant, newest: NewestInteractions) -> Contestant:
    assert isinstance(contestant.recommender, BundleRecommender)
    return replace(contestant, recommender=WithStoredHistories(contestant.recommender, newest.histories))
