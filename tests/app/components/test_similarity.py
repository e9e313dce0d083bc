import pytest

from app.components.similarity import list_similarity


def items(*values):
    return [{"metadata": {"genres": one}} for one in values]


def test_similarity_is_the_mean_over_all_pairs():
    # {a,b} and {b}: 1/2; {a,b} and {c}: 0; {b} and {c}: 0.
    assert list_similarity(items(["a", "b"], ["b"], "c"), "genres") == pytest.approx(1 / 6)


def test_the_ends():
    assert list_similarity(items(["a"], ["a"]), "genres") == 1
    assert list_similarity(items(["a"], ["b"]), "genres") == 0


def test_items_without_a_value_are_left_out():
    assert list_similarity(items(["a"], None, "", []), "genres") is None
