"""Does retraining on what users did make their lists better? Users of known taste, day after day, without a server.

::

    python benchmarks/retraining_loop.py --tastes 1 2 3 --rules rule always never --output loop.md

The users, the training commands, the comparison and the rule are those of ``scripts/simulate.py`` and
``scripts/retrain.py``; models answer in PyTorch, and what users did is in memory. So a loop takes a minute and can be
repeated with other tastes. All loops of one taste begin on the same day, with iALS trained on MovieLens 100K. No model
is trained with the ratings of MovieLens after that: its users have another taste.
"""

from __future__ import annotations

import argparse
import json
import runpy
import shlex
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from loop_page import write_tables

from recsys.cli.commands import script_path
from recsys.data.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.data.prepared import PreparedDataset
from recsys.runs.trained_run import open_run
from recsys.runs.training_settings import write_training_settings
from recsys.runtime.recommendation import Recommendation, Recommender, SimilarItems, SimilarityKind
from recsys.runtime.request import RecommendationRequest
from recsys.studies.benchmark.hardware import hardware_summary
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.newer_data.contestants import Contestant, open_contestant, open_contestants
from recsys.studies.newer_data.held_out import read_held_out
from recsys.studies.newer_data.scoring import measured
from recsys.studies.retraining.model_choice import choose_on_newest
from recsys.studies.retraining.promotion_rule import PromotionDecision, decide
from recsys.studies.retraining.retraining_settings import LIVE, RetrainingSettings
from recsys.studies.selection.candidate import Candidate, read_candidates
from recsys.studies.selection.selection import Selection
from recsys.studies.simulation.click_model import ClickModel
from recsys.studies.simulation.driving import DrivingSettings, Simulation
from recsys.studies.simulation.summary import summarise
from recsys.studies.simulation.taste import TasteModel, TasteSettings

#: In place of a model: the best of several, as ``scripts/retrain.py`` chooses it.
CHOSEN = "chosen"

#: Who decides: the rule of ``scripts/retrain.py``, or nobody.
RULES = ("rule", "always", "never")

#: Settings of every training: no list is shown, nothing is tracked, and items that nobody has clicked can be found.
_FIXED = ("tracking=none", "show_users=0", "preparation.include_unrated_items=true", "evaluation.progress=false")
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Event:
    """What a user did.

    Args:
        user_id: who.
        item_id: with what.
        timestamp: seconds since 1970.
        is_prompted: whether a list had shown it.
    """

    user_id: str
    item_id: str
    timestamp: int
    is_prompted: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a loop, and the retraining after it.

    Args:
        model: that is trained: settings, ``live``, or ``chosen``.
        rule: that decides, of :data:`RULES`.
        taste: seed of the users' taste.
        day: from 1.
        utility: mean probability that an item of a list is liked.
        standard_error: of it, over lists.
        random: utility of random lists.
        best: of the best ones.
        click_rate: clicks for each item that was shown.
        promoted: whether the retrained model was made live; None: there was no retraining.
        reason: why.
        chosen: what was trained, where it was chosen; then what each candidate was measured as.
        values: of the candidates by their names; None for one that failed.
    """

    model: str
    rule: str
    taste: int
    day: int
    utility: float
    standard_error: float
    random: float
    best: float
    click_rate: float
    promoted: bool | None = None
    reason: str = ""
    chosen: str = ""
    values: Mapping[str, float | None] | None = None


class WithHistories:
    """Answers with the history of each user, as a service does that has them in its store."""

    def __init__(self, recommender: Recommender, histories: Mapping[str, Sequence[Event]]) -> None:
        self._recommender, self._histories = recommender, histories

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """A list for each request."""
        return self._recommender.recommend([self._with_history(one) for one in requests])

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """Similar items, for which no history counts."""
        return self._recommender.similar(item_ids, k, by)

    def _with_history(self, request: RecommendationRequest) -> RecommendationRequest:
        events = self._histories.get(request.user_id or "", ())
        items, times = [one.item_id for one in events], [one.timestamp for one in events]
        return replace(request, history=items, timestamps=times)


class LocalService:
    """What simulated users visit: the live model, and all that users did.

    Args:
        live: directory of the run of the live model.
    """

    def __init__(self, live: Path) -> None:
        self.events: list[Event] = []
        self.day = 0
        self.num_known = 0
        self._live: Contestant = open_contestant(live, live.name)

    @property
    def live(self) -> Path:
        """Directory of the run of the live model."""
        return self._live.path

    def promote(self, run: Path) -> None:
        """Let another model answer, which knows all that has happened."""
        self._live, self.num_known = open_contestant(run, run.name), len(self.events)

    def histories(self, until: int | None = None) -> dict[str, list[Event]]:
        """What each user did among the first events."""
        found: dict[str, list[Event]] = {}
        for one in self.events[:until]:
            found.setdefault(one.user_id, []).append(one)
        return found

    def recommend(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """As the service answers ``POST /v1/recommendations``."""
        asked = [RecommendationRequest(user_id=one["user_id"], k=one["k"]) for one in requests]
        lists = WithHistories(self._live.recommender, self.histories()).recommend(asked)
        return [
            {
                "items": [{"item_id": item_id} for item_id in one.item_ids],
                "recommendation_id": str(uuid.uuid4()),
                "bundle": self._live.label,
                "variant": None,
                "degraded": [],
            }
            for one in lists
        ]

    def append_interactions(self, interactions: Sequence[Mapping[str, Any]]) -> None:
        """As the service takes ``POST /v1/interactions/batch``; clicks alone."""
        for one in interactions:
            if one["type"] == "click":
                moment = self.day * _DAY + len(self.events)
                self.events.append(Event(one["user_id"], one["item_id"], moment, "recommendation_id" in one))


class Loop:
    """Days of visits with a retraining after each but the last.

    Args:
        first: run of the model that answers first.
        prepared: its data, whose items are the catalogue.
        work: directory for what is made.
        options: of the command line.
    """

    def __init__(self, first: Path, prepared: PreparedDataset, work: Path, options: argparse.Namespace) -> None:
        self._first, self._work, self._options = first, work, options
        self._items = work / "items.parquet"
        prepared.items.to_pandas().drop(columns="item_index").to_parquet(self._items)
        columns = [name for name in prepared.items.column_names if name not in ("item_index", ITEM_ID, "title")]
        self._catalogue = {row[ITEM_ID]: {name: row[name] for name in columns} for row in prepared.items.to_pylist()}

    def run(self, model: str, taste_seed: int, rule: str) -> list[Day]:
        """All days of one loop."""
        service = LocalService(self._first)
        taste = TasteModel(self._catalogue, TasteSettings(seed=taste_seed))
        days = []
        for number in range(1, self._options.days + 1):
            service.day = number
            settings = DrivingSettings(
                seed=number,
                num_users=self._options.users,
                num_visits=self._options.visits,
                own_share=self._options.own_share,
                threads=1,
            )
            seen = summarise(Simulation(service, taste, ClickModel(), settings).run())
            day = Day(
                model,
                rule,
                taste_seed,
                number,
                seen.utility,
                seen.standard_error,
                seen.random,
                seen.best,
                seen.click_rate,
            )
            if number < self._options.days and rule != "never":
                decision, selection = self._retrain(service, model, rule)
                day = replace(day, promoted=decision.promotes, reason=decision.reason)
                if selection is not None:
                    values = {one.candidate.name: one.value for one in selection.scores}
                    day = replace(day, chosen=selection.best.candidate.name, values=values)
            sys.stderr.write(f"{json.dumps(asdict(day))}\n")
            days.append(day)
        return days

    def _retrain(self, service: LocalService, model: str, rule: str) -> tuple[PromotionDecision, Selection | None]:
        """As ``scripts/retrain.py`` does it, with runs in place of bundles."""
        settings = RetrainingSettings()
        new = len(service.events) - service.num_known
        until = len(service.events) - round(settings.share * new)
        held_out = [one for one in service.events[until:] if not one.is_prompted]
        if len(held_out) < settings.min_held_out:
            return PromotionDecision(False, f"{len(held_out)} held out are too few"), None
        selection = self._choose(service, settings, until) if model == CHOSEN else None
        named = Candidate(LIVE, ()) if model in (LIVE, CHOSEN) else Candidate(model, tuple(model.split()))
        chosen = selection.best.candidate if selection is not None else named
        challenger = self._train(service.events[:until], self._training(chosen, service))
        contestants = [
            replace(one, recommender=WithHistories(one.recommender, service.histories(until)))
            for one in open_contestants([service.live, challenger])
        ]
        table = self._write([*held_out], "held_out")
        found = read_held_out(table, None, contestants)
        ks = Settings(metric=settings.metric, k=settings.k, alpha=settings.alpha)
        comparison = compare([measured(one, found, settings.k) for one in contestants], ks)
        [pair] = comparison.against_baseline
        live = comparison.accuracy[pair.second][comparison.metric].mean
        decision = decide(pair, live, comparison.metric, settings.tolerance)
        if rule == "always":
            decision = PromotionDecision(True, decision.reason)
        if decision.promotes:
            service.promote(self._train(service.events, [f"chosen_by={challenger}"]))
        return decision, selection

    def _choose(self, service: LocalService, settings: RetrainingSettings, until: int) -> Selection | None:
        """The best candidate on the newest interactions before those that are held out; None where these are few."""
        before = until - round(settings.share * (until - service.num_known))
        held_out = [one for one in service.events[before:until] if not one.is_prompted]
        if len(held_out) < settings.min_held_out:
            return None
        texts = self._options.candidates or settings.models
        candidates = [Candidate(LIVE, ()) if one == LIVE else read_candidates([one])[0] for one in texts]
        return choose_on_newest(
            candidates,
            lambda one: self._train(service.events[:before], self._training(one, service)),
            self._write(held_out, "validation"),
            settings.metric,
            settings.k,
        )

    def _training(self, candidate: Candidate, service: LocalService) -> list[str]:
        """Settings of the training of a candidate."""
        live = [f"settings_of={self._settings_of(service.live)}"] if candidate.model is None else []
        return [*live, *candidate.settings]

    def _settings_of(self, run: Path) -> Path:
        path = self._work / f"{run.name}.yaml"
        write_training_settings(open_run(run).config, path)
        return path

    def _train(self, events: Sequence[Event], settings: Sequence[str]) -> Path:
        table = self._write(events, "interactions")
        data = ["data=table", f"data.interactions={table}", f"data.items={self._items}", "data.columns.rating=null"]
        given = {one.partition("=")[0] for one in settings}
        fixed = [one for one in _FIXED if one.partition("=")[0] not in given]
        fixed = [one for one in fixed if not (one.startswith("preparation") and "chosen_by" in settings[0])]
        return train([*data, "refit=all", *fixed, *settings], self._work)

    def _write(self, events: Sequence[Event], name: str) -> Path:
        path = self._work / f"{name}_{uuid.uuid4().hex}.parquet"
        columns = {USER_ID: "user_id", ITEM_ID: "item_id", TIMESTAMP: "timestamp"}
        table = pd.DataFrame({column: [getattr(one, field) for one in events] for column, field in columns.items()})
        table.to_parquet(path)
        return path


def train(settings: Sequence[str], work: Path) -> Path:
    """Run ``scripts/train.py`` in this process; the run."""
    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    places = [f"paths.runs_dir={work / 'runs'}", f"paths.prepared_dir={work / 'prepared'}"]
    before, said = sys.argv, StringIO()
    sys.argv = ["train.py", *places, *settings]
    try:
        with redirect_stdout(said):
            runpy.run_path(str(script_path("train")), run_name="__main__")
    finally:
        sys.argv = before
    return Path(said.getvalue().strip().splitlines()[-1].partition(": ")[2])


def main() -> None:
    """Run all loops, and write what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", nargs="+", default=[CHOSEN, LIVE, "model=content", "model=ease"], help="chosen, live, or settings"
    )
    parser.add_argument(
        "--candidates", nargs="+", help="to choose from; those of scripts/retrain.py where none are given"
    )
    parser.add_argument("--tastes", nargs="+", type=int, default=[1, 2, 3], help="seeds of the users' taste")
    parser.add_argument("--rules", nargs="+", choices=RULES, default=["rule"])
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--visits", type=int, default=3000, help="of a day")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--own-share", type=float, default=0.5, help="of visits in which users find an item themselves")
    parser.add_argument("--log", type=Path, help="JSON lines of all days; those that it has are not run again")
    parser.add_argument("--output", type=Path, help="Markdown file for the results; its picture goes beside it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        first = train(["model=ials", "data=movielens_100k", *_FIXED[:2]], work)
        loop = Loop(first, open_run(first).prepared, work, options)
        days = _logged(options.log)
        for taste in options.tastes:
            for model in options.models:
                for rule in options.rules:
                    if any((one.model, one.taste, one.rule) == (model, taste, rule) for one in days):
                        continue
                    made = loop.run(model, taste, rule)
                    days += made
                    if options.log is not None:
                        with options.log.open("a", encoding="utf-8") as file:
                            file.writelines(f"{json.dumps(asdict(one))}\n" for one in made)
    command = f"python benchmarks/retraining_loop.py {shlex.join(sys.argv[1:])}"
    write_tables(days, command, hardware_summary(), options.output)


def _logged(log: Path | None) -> list[Day]:
    if log is None or not log.is_file():
        return []
    return [Day(**json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
