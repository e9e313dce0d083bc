import io
import sys
import types

import pytest
from rich.console import Console

from recsys.cli.notebook_bar import NotebookBar
from recsys.cli.progress import ProgressDisplay


def test_shows_how_far_it_is_with_the_text_as_it_is():
    shown = []
    bar = NotebookBar(shown.append, iter([0.0, 1.0]).__next__)
    bar.update("epoch 1 <b>", 1, 3, "2 s left")
    bar.update("fitting", 4, None, "")
    assert shown == [
        '<progress value="1" max="3"></progress> epoch 1 &lt;b&gt; · 1/3 · 2 s left',
        "<progress></progress> fitting · 4",
    ]


def test_tells_the_browser_no_more_often_than_it_can_show():
    shown, now = [], iter(step / 1000 for step in range(1001))
    bar = NotebookBar(shown.append, now.__next__)
    for done in range(1, 1001):
        bar.update("fitting", done, 1000, "")
    assert 4 <= len(shown) <= 6 and "1,000/1,000" in shown[-1]


@pytest.fixture
def shown(monkeypatch):
    """What IPython, which is not installed, would be told to show."""
    told = []
    display = types.ModuleType("IPython.display")
    display.HTML = lambda content: content
    place = types.SimpleNamespace(update=told.append)
    display.display = lambda content, display_id: place
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return told


@pytest.fixture
def display():
    return ProgressDisplay(Console(file=io.StringIO(), force_jupyter=True))


def test_the_display_of_a_notebook_has_such_bars_which_are_gone_at_the_end(shown, display):
    assert list(display.track([7, 8], "fitting")) == [7, 8]
    assert shown[0].startswith('<progress value="0" max="2"></progress> fitting')
    assert 'value="2"' in shown[-2] and shown[-1] == ""


def test_a_bar_goes_when_something_fails(shown, display):
    with pytest.raises(KeyError), display.bar("fitting", 2):
        raise KeyError
    assert shown[-1] == ""


def test_bars_can_be_switched_off(shown, display):
    with display.switched(False), display.bar("fitting", 2) as bar:
        bar.advance()
    assert shown == []
    with display.switched(True), display.bar("fitting", 2):
        pass
    assert shown != []
