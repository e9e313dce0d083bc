import pytest
import torch

from recsys.models.layers.dropout import Dropout, FusedDropout, draw_kept


def test_scales_what_it_keeps_so_that_the_expectation_stays():
    torch.manual_seed(0)
    dropped = Dropout(0.1).train()(torch.ones(1000, 999))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.9])
    # a million decisions: five standard deviations of the mean are 0.0017
    assert dropped.mean().item() == pytest.approx(1, abs=0.0017)


# 0.001 is less than a byte can decide, 0.5 is decided by bytes alone, and 0.999 leaves much to the hits
@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.7539, 0.999])
def test_drops_the_asked_share(probability):
    torch.manual_seed(0)
    count = 4_000_000
    share = (draw_kept(count, probability) == 0).double().mean().item()
    deviation = (probability * (1 - probability) / count) ** 0.5
    # 0.1 rounded to the next lower byte would be 16 deviations off
    assert abs(share - probability) < 4 * deviation


def test_number_of_dropped_elements_is_binomial():
    torch.manual_seed(0)
    # 4,000 masks of 500 elements: mean 50, variance 45, whose estimate has a relative deviation of sqrt(2 / 4000)
    numbers = torch.stack([(draw_kept(500, 0.1) == 0).sum() for _ in range(4000)]).double()
    assert numbers.mean().item() == pytest.approx(50, abs=4 * (45 / 4000) ** 0.5)
    assert numbers.var().item() == pytest.approx(45, rel=4 * (2 / 4000) ** 0.5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_keeps_the_type_of_its_input(dtype):
    assert Dropout(0.3).train()(torch.ones(100, dtype=dtype)).dtype == dtype


def test_mask_is_of_zeros_and_ones():
    assert draw_kept(1000, 0.3).unique().tolist() == [0, 1]


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    gone = (Dropout(0.5).train()(torch.ones(400_000)) == 0).float()
    # eight decisions share a random number; their correlation is zero up to 1 / sqrt(n)
    for distance in range(1, 9):
        correlation = torch.corrcoef(torch.stack([gone[:-distance], gone[distance:]]))[0, 1].item()
        assert abs(correlation) < 0.01


@pytest.mark.parametrize("shape", [(), (1,), (3,), (5, 7), (2, 0)])
def test_any_shape(shape):
    assert Dropout(0.3).train()(torch.ones(shape)).shape == shape


def test_depends_on_the_seed_alone():
    values = []
    for _ in range(2):
        torch.manual_seed(7)
        values.append(Dropout(0.4).train()(torch.ones(50)))
    assert torch.equal(*values)


def test_gradient_passes_where_the_value_does():
    torch.manual_seed(0)
    value = torch.ones(100, requires_grad=True)
    out = Dropout(0.25).train()(value)
    out.sum().backward()
    torch.testing.assert_close(value.grad, out.detach())


def test_evaluation_changes_nothing():
    value = torch.randn(10)
    assert torch.equal(Dropout(0.9).eval()(value), value)


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_extremes(p, expected):
    assert Dropout(p).train()(torch.ones(10)).eq(expected).all()


@pytest.mark.parametrize("probability", [0.0, 0.3])
def test_the_fused_one_drops_what_pytorchs_does(probability):
    given = torch.randn(50, 7)
    torch.manual_seed(1)
    expected = torch.nn.Dropout(probability).train()(given)
    torch.manual_seed(1)
    assert FusedDropout(probability).train()(given).equal(expected)
    assert FusedDropout(probability).eval()(given) is given
