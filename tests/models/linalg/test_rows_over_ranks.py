import pytest
import torch

from tests.distributed.parts import closed_form


@pytest.mark.parametrize("model", ["ease", "ials", "ials_cholesky", "rp3beta", "item_knn", "item_knn_blocks"])
def test_two_ranks_fit_what_one_process_fits(two_ranks, model):
    expected = {key: value for key, value in closed_form().items() if key.startswith(f"{model}/")}
    assert expected
    for rank in two_ranks["closed form"]:
        for key, value in expected.items():
            torch.testing.assert_close(rank[key], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", ["ease", "rp3beta", "item_knn", "item_knn_blocks"])
def test_what_is_computed_row_by_row_has_the_same_bits(two_ranks, model):
    expected = {key: value for key, value in closed_form().items() if key.startswith(f"{model}/")}
    for rank in two_ranks["closed form"]:
        assert all(torch.equal(rank[key], value) for key, value in expected.items())
