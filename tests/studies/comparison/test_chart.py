from __future__ import annotations

import itertools

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from recsys.studies.comparison.chart import place_labels


def test_labels_of_a_crowd_cover_neither_each_other_nor_points_and_stay_inside():
    figure = Figure(figsize=(5, 5), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    # Twelve models, ten of them within a few hundredths of each other.
    generator = np.random.default_rng(0)
    crowd = np.column_stack([0.25 + 0.02 * generator.random(10), 0.40 + 0.04 * generator.random(10)])
    points = np.concatenate([crowd, [[0.03, 0.21], [0.6, 0.1]]])
    labels = [f"model_{place}" for place in range(12)]
    axes.plot(points[:, 0], points[:, 1], "o")
    axes.margins(0.2)
    canvas.draw()
    ends = np.stack([points[:, 1] - 0.01, points[:, 1] + 0.01])
    place_labels(axes, labels, [(0.0, 0.0, 0.0)] * 12, points, ends, font_size=8)
    canvas.draw()
    texts = [child for child in axes.get_children() if isinstance(child, Annotation)]
    assert sorted(text.get_text() for text in texts) == sorted(labels)
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    assert not any(first.overlaps(second) for first, second in itertools.combinations(boxes, 2))
    pixels = axes.transData.transform(points)
    assert not any(box.contains(*pixel) for box in boxes for pixel in pixels)
    panel = axes.get_window_extent()
    assert all(panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 and box.y1 <= panel.y1 for box in boxes)


def test_a_lone_point_has_its_label_close_by():
    figure = Figure(figsize=(4, 4), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    canvas.draw()
    place_labels(axes, ["mf"], [(0.0, 0.0, 0.0)], np.array([[0.5, 0.5]]), np.array([[0.4], [0.6]]))
    (text,) = (child for child in axes.get_children() if isinstance(child, Annotation))
    box = text.get_window_extent(canvas.get_renderer())
    x, y = axes.transData.transform([0.5, 0.5])
    assert 0 < box.x0 - x < 20
    assert abs((box.y0 + box.y1) / 2 - y) < 5
    assert len(axes.lines) == 0
