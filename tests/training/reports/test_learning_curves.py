from __future__ import annotations

import pytest
from PIL import Image

from recsys.training.reports.learning_curves import draw_curves

LOSS = {"train/loss": 0.5}
BOTH = {**LOSS, "valid/ndcg": 0.5, "valid/recall": 0.7}


def rows(metrics, count=2):
    return [{"epoch": epoch, **metrics} for epoch in range(1, count + 1)]


@pytest.mark.parametrize(
    ("metrics", "monitor", "panels"),
    [(LOSS, "valid/ndcg", 1), (BOTH, "valid/ndcg", 3), (BOTH, "", 2), ({**LOSS, "valid/ndcg": 0.5}, "valid/ndcg", 2)],
)
def test_the_monitored_metric_has_a_panel_of_its_own(tmp_path, metrics, monitor, panels):
    draw_curves(rows(metrics), tmp_path / "c.png", "MF", monitor, 1)
    with Image.open(tmp_path / "c.png") as picture:
        # each panel 5.2 inches wide, 4.6 high, 110 dots an inch
        assert picture.size == (572 * panels, 506)


def test_the_best_epoch_is_marked(tmp_path):
    pictures = []
    for name, best in (("a.png", 1), ("b.png", 3), ("c.png", None), ("d.png", 99)):
        draw_curves(rows(BOTH, 4), tmp_path / name, "MF", "valid/ndcg", best)
        with Image.open(tmp_path / name) as picture:
            pictures.append(picture.convert("RGB").tobytes())
    assert pictures[0] != pictures[1] != pictures[2]
    assert pictures[2] == pictures[3]  # no such epoch
