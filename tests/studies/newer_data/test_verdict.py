import numpy as np

from recsys.cli.commands import typed_command
from recsys.runs.run_manifest import RunManifest
from recsys.studies.comparison.compared_runs import ComparedRun
from recsys.studies.comparison.comparing import Settings, compare
from recsys.studies.newer_data.verdict import verdict
from tests.studies.comparison.made_runs import MANIFEST, table
from tests.studies.newer_data.small_shop import contestant

NOISE = np.random.default_rng(0).random(60)


def advice(is_bundle=False, **gains):
    contestants = [contestant(label, [("u", "a")], is_bundle=is_bundle) for label in ("live", *gains)]
    values = {"live": NOISE, **{label: NOISE + gain for label, gain in gains.items()}}
    manifest: RunManifest = MANIFEST
    runs = [ComparedRun(one.label, one.path, manifest, {}, table(values[one.label]).to_pandas()) for one in contestants]
    return verdict(compare(runs, Settings()), contestants)


def test_the_best_of_those_that_are_better_is_promoted():
    found = advice(first=0.1, second=0.3, third=-0.2)
    assert found.winner == "second"
    assert found.reason.startswith("promote second: ndcg@10 of second is +0.3000 [+0.3000, +0.3000] from that of live")
    assert found.command == (
        f"{typed_command('export')} run=runs/second output=bundles/second && "
        f"{typed_command('promote')} bundle=bundles/second alias=champion"
    )


def test_a_bundle_is_promoted_as_it_is():
    expected = f"{typed_command('promote')} bundle=bundles/new alias=champion"
    assert advice(is_bundle=True, new=0.2).command == expected


def test_the_champion_stays_where_nothing_is_shown_to_be_better():
    found = advice(same=np.random.default_rng(1).normal(0, 0.2, 60))
    assert (found.winner, found.command) == ("live", None)
    assert "no challenger is shown to be better" in found.reason and "more newer interactions" in found.reason


def test_a_worse_challenger_is_called_worse():
    assert advice(worse=-0.3).reason.startswith("keep live: every challenger is worse")
