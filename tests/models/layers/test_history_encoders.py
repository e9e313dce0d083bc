from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from recsys.errors import ModelError
from recsys.models.layers.history_encoders import AttentionEncoder, MeanEncoder, TransformerEncoder

ENCODERS: dict[str, Callable[[], nn.Module]] = {
    "mean": lambda: MeanEncoder(8, 10, 0.0, decay=0.8),
    "attention": lambda: AttentionEncoder(8, 10, 0.0),
    "transformer": lambda: TransformerEncoder(8, 10, 0.0),
    "transformer beside a mean": lambda: TransformerEncoder(8, 10, 0.0, mean_decay=0.8),
}


def vectors(num_positions: int = 6) -> Tensor:
    return torch.randn(3, num_positions, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=ENCODERS)
def encoder(request) -> nn.Module:
    torch.manual_seed(0)
    encoder = ENCODERS[request.param]()
    for name, parameter in encoder.named_parameters():
        if name.endswith("age_bias"):
            nn.init.normal_(parameter)
    return encoder.eval()


def test_a_state_for_each_position(encoder):
    assert encoder(vectors()).shape == (3, 6, 8)


def test_double_precision_stays_double(encoder):
    doubled = encoder.double()(vectors().double())
    assert doubled.dtype == torch.float64
    torch.testing.assert_close(doubled.float(), encoder.float()(vectors()), rtol=1e-4, atol=1e-5)


def test_no_state_depends_on_a_later_vector(encoder):
    changed = vectors()
    changed[:, 4:] += 100
    torch.testing.assert_close(encoder(changed)[:, :4], encoder(vectors())[:, :4])


def test_a_state_depends_on_every_vector_before_it(encoder):
    given = vectors().requires_grad_()
    encoder(given)[0, 5].square().sum().backward()
    assert (given.grad[0].abs().sum(1) > 1e-6).all()
    assert (given.grad[1:] == 0).all()


def test_a_longer_row_changes_nothing_before_its_end(encoder):
    torch.testing.assert_close(encoder(vectors()[:, :3]), encoder(vectors())[:, :3])


def test_order_matters_where_age_counts(encoder):
    swapped = vectors()[:, [1, 0, 2, 3, 4, 5]]
    assert not torch.allclose(encoder(swapped)[:, 5], encoder(vectors())[:, 5], atol=1e-4)


def test_the_plain_mean_of_double_precision_is_double():
    assert MeanEncoder(8, 10, 0.0).double()(vectors().double()).dtype == torch.float64


def test_the_plain_mean_is_the_mean_so_far():
    encoder = MeanEncoder(1, 10, 0.0, hidden_dim=0, decay=1.0)
    assert encoder(torch.tensor([[[1.0], [2.0], [6.0]]])).tolist() == [[[1.0], [1.5], [3.0]]]


def test_a_decaying_mean_weighs_each_step_of_age():
    encoder = MeanEncoder(1, 10, 0.0, hidden_dim=0, decay=0.5)
    # (0.5 * 1 + 1 * 4) / 1.5 = 3
    torch.testing.assert_close(encoder(torch.tensor([[[1.0], [4.0]]])), torch.tensor([[[1.0], [3.0]]]))


def test_attention_without_preferences_is_the_plain_mean():
    encoder = AttentionEncoder(2, 10, 0.0, hidden_dim=0)
    nn.init.zeros_(encoder.query.weight)
    given = torch.tensor([[[1.0, 0.0], [3.0, 2.0]]])
    torch.testing.assert_close(encoder(given), torch.tensor([[[1.0, 0.0], [2.0, 1.0]]]))


def test_heads_must_divide_the_dimension():
    with pytest.raises(ModelError, match="multiple of model.encoder.num_heads, but it is 10 with 3 heads"):
        TransformerEncoder(10, 5, 0.0, num_heads=3)


def test_a_decay_out_of_range_is_refused():
    with pytest.raises(ModelError, match="decay of model.encoder must be above 0 and at most 1, but it is 0"):
        MeanEncoder(8, 5, 0.0, decay=0)


def test_a_transformer_beside_a_mean_begins_near_it():
    torch.manual_seed(0)
    encoder = TransformerEncoder(8, 10, 0.0, mean_decay=0.8).eval()
    mean = MeanEncoder(8, 10, 0.0, hidden_dim=0, decay=0.8)(vectors())
    assert (encoder(vectors()) - mean).square().mean().item() == pytest.approx(0.01, rel=0.01)
    weights = encoder.layers[0].age_bias.detach().exp()
    torch.testing.assert_close(weights[:, 1:] / weights[:, :-1], torch.full((2, 10), 0.8))


def test_a_mean_beside_attention_needs_a_decay_in_range():
    with pytest.raises(ModelError, match="must be above 0 and at most 1, but it is 0"):
        TransformerEncoder(8, 10, 0.0, mean_decay=0.0)


def test_windows_of_one_row_are_encoded_as_rows_of_their_own(encoder):
    given = vectors(7)
    windows = torch.tensor([0, 0, 0, 1, 1, 1, 1]).expand(3, -1)
    apart = torch.cat([encoder(given[:, :3]), encoder(given[:, 3:])], dim=1)
    torch.testing.assert_close(encoder(given, windows), apart)


def test_in_training_gradients_are_those_of_evaluation(encoder):
    # Attention with gradients is computed by other operations; without dropout it is the same.
    windows = torch.tensor([0, 0, 0, 1, 1, 2]).expand(3, -1)
    results = []
    for fused in (True, False):
        given = vectors().requires_grad_()
        for name, parameter in encoder.named_parameters():
            if name.endswith("age_bias"):
                parameter.requires_grad_(not fused)
        encoder.train()(given, windows).square().sum().backward()
        results.append(given.grad)
    torch.testing.assert_close(*results)


def test_rows_may_be_longer_than_the_longest_history(encoder):
    windows = torch.arange(3).repeat_interleave(6).expand(3, -1)
    given = vectors(18)
    torch.testing.assert_close(encoder(given, windows)[:, 12:], encoder(given[:, 12:]))
