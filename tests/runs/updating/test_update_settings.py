import pytest

from recsys.errors import SettingsError
from recsys.runs.updating.update_settings import DriftSettings, UpdateSettings


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
    ("settings", "fit_epochs", "replayed", "shrunk"),
    [
        (UpdateSettings(), 16, 1.0, 0.125),
        (UpdateSettings(), 12, 0.75, 0.125),
        (UpdateSettings(), 2, 0.25, 0.125),
        (UpdateSettings(epochs=2), 8, 0.5, 0.125),
        (UpdateSettings(epochs=1, replay=1, shrink=0), 3, 1.0, 0.0),
        (UpdateSettings(replay=1), 1, 1.0, 1.0),
    ],
)
def test_weights_remember_as_many_passes_as_the_fit_took(settings, fit_epochs, replayed, shrunk):
    share = settings.replayed(fit_epochs)
    assert share == pytest.approx(replayed)
    assert settings.shrunk(fit_epochs, share) == pytest.approx(shrunk)
