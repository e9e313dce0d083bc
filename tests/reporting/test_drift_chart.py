from dataclasses import replace

from recsys.reporting.drift_chart import draw_drift
from tests.runs.updating.test_update_record import CHECK


def test_a_picture_is_drawn_of_one_comparison_and_of_several(tmp_path):
    for checks in ([(3, CHECK)], [(3, CHECK), (6, replace(CHECK, low=-0.01))]):
        draw_drift(checks, tmp_path / "drift.png")
        assert (tmp_path / "drift.png").read_bytes().startswith(b"\x89PNG")
