import pytest

from recsys.errors import SettingsError
from recsys.runs.updating.update_settings import DriftSettings, UpdateSettings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UpdateSettings(epochs=0), "epochs must be 1 or more"),
        (lambda: UpdateSettings(replay=-1), "replay must be 0 or more"),
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
