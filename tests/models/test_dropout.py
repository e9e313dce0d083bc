import pytest
import torch

from recsys.models.dropout import Dropout


def test_drops_the_asked_share_and_keeps_the_expectation():
    torch.manual_seed(0)
    dropped = Dropout(0.1).train()(torch.ones(1000, 999))
    # a million decisions: five standard deviations of the share are 0.0015
    assert (dropped == 0).float().mean().item() == pytest.approx(0.1, abs=0.0015)
    assert dropped.mean().item() == pytest.approx(1, abs=0.002)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.9], rel=1e-4)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    gone = (Dropout(0.5).train()(torch.ones(400_000)) == 0).float()
    # four decisions share a random number; their correlation is zero up to 1 / sqrt(n)
    for distance in (1, 2, 3, 4):
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
