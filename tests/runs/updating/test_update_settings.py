import pytest

from recsys.errors import SettingsError
from recsys.runs.updating.update_settings import DriftSettings, GradientPlan, UpdateSettings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UpdateSettings(epochs=0), "epochs must be 1 or more"),
        (lambda: UpdateSettings(replay=4), "replay must be a share, from 0 to 1, but is 4"),
        (lambda: UpdateSettings(shrink=-1), "shrink must be a share of the way, from 0 to 1, but is -1"),
        (lambda: UpdateSettings(new_rows="zero"), "new_rows must be fresh or mean"),
        (lambda: UpdateSettings(optimizer="adam"), "optimizer must be kept or reset"),
        (lambda: DriftSettings(every=0), "drift.every must be 1 or more, or null"),
        (lambda: DriftSettings(tolerance=1), "drift.tolerance must be a share"),
        (lambda: DriftSettings(confidence=1), "drift.confidence must be between 0 and 1"),
    ],
)
def test_what_is_out_of_range_is_told(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize(
    ("settings", "fit_epochs", "plan"),
    [
        (UpdateSettings(replay=0), 12, GradientPlan(1, 0, 0)),
        (UpdateSettings(replay=0.5), 25, GradientPlan(2, 0.5, 0.04)),
        (UpdateSettings(replay=1), 1, GradientPlan(1, 1, 1)),
        (UpdateSettings(shrink=0), 12, GradientPlan(1, 1, 0)),
        (UpdateSettings(epochs=1, replay=1, shrink=0.2), 3, GradientPlan(1, 1, 0.2)),
    ],
)
def test_what_is_set_is_the_only_way(settings, fit_epochs, plan):
    assert settings.plans(fit_epochs, validated=True, learns_histories=False) == [plan]


@pytest.mark.parametrize(
    ("settings", "fit_epochs", "epochs", "replay", "shrink"),
    [
        (UpdateSettings(), 12, 1, 1, 1 / 12),
        (UpdateSettings(), 3, 1, 1 / 4, 1 / 12),
        (UpdateSettings(), 23, 1, 1, 1 / 23),
        (UpdateSettings(), 24, 2, 1, 1 / 12),
        (UpdateSettings(epochs=4), 12, 4, 1 / 4, 1 / 12),
    ],
)
def test_weights_remember_as_many_passes_as_the_fit_took(settings, fit_epochs, epochs, replay, shrink):
    alone, with_replay = settings.plans(fit_epochs, validated=True, learns_histories=True)
    assert (with_replay.epochs, with_replay.replay) == (epochs, replay)
    assert with_replay.shrink == pytest.approx(shrink)
    assert alone == GradientPlan(settings.epochs or 1, 0, 0)


def test_without_validation_there_is_one_way():
    settings = UpdateSettings()
    alone, with_replay = settings.plans(8, validated=True, learns_histories=False)
    assert settings.plans(8, validated=False, learns_histories=False) == [alone]
    assert settings.plans(8, validated=False, learns_histories=True) == [with_replay]


def test_a_plan_says_what_is_learned_from():
    said = [GradientPlan(1, replay, 0).in_words() for replay in (0, 0.25, 1)]
    assert said == ["the new interactions", "the new interactions and 25% of the others", "all interactions"]
