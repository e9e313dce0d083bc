import sys
import types

import numpy as np
import pytest

ARGUMENTS = ["model=content", "model.sentence_model=colours", "tracking=none", "trainer.accelerator=cpu"]


@pytest.fixture
def colours(monkeypatch):
    """A library whose only sentence model knows nothing but the colour of a square; counts how often it is loaded."""
    loaded = []

    class SentenceTransformer:
        def __init__(self, name):
            loaded.append(name)

        def encode(self, sentences, show_progress_bar):
            return np.array([["White" in text, "Black" in text] for text in sentences], dtype=np.float32)

    library = types.SimpleNamespace(SentenceTransformer=SentenceTransformer)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    return loaded


def test_a_run_encodes_the_texts_once_and_recommends_by_them(scripts, board, colours):
    finished = scripts("train", *board, *ARGUMENTS, "model.sentence_share=1", "show_users=0")
    assert finished.status == 0, finished.err
    recommended = scripts("recommend", f"run={finished.run}", "history=[04]", "k=3")
    assert recommended.status == 0, recommended.err
    assert recommended.out.count("The Black Square") == 3
    assert colours == ["colours"]


def test_a_missing_package_is_one_message(scripts, board, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    finished = scripts("train", *board, *ARGUMENTS)
    assert finished.status == 2
    assert "pip install 'recsys-framework[text]'" in finished.err
    assert not (scripts.directory / "runs").exists()
