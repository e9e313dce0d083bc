"""Causal sequence encoders of user histories: mean, attention and transformer.

An encoder maps vectors [B, L, D] to states [B, L, D]; the state at a position depends only on the vectors up to it.
Shorter rows are padded at their end, where states are undefined. With ``windows``, int64, shape [B, L], several windows
of histories share a row, one after the other: a state depends on the vectors of its own window alone.

Shape suffixes: B rows, L positions, H heads, D dim.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.errors import ModelError
from recsys.models.layers.dropout import FusedDropout

#: Initial scale of what attention adds to the mean.
_FIRST_SHARE = 0.1


class MeanEncoder(nn.Module):
    """The mean of the vectors so far, with a decay for older ones.

    ``state_t = sum_s<=t decay ** (t - s) x_s / sum_s<=t decay ** (t - s)``, then a residual perceptron.

    Args:
        embedding_dim: D.
        max_history: not used; all encoders have the same arguments.
        dropout: dropout probability of the hidden layer.
        hidden_dim: hidden units of the perceptron; 0 leaves it out.
        decay: initial value; it is learnt, except 1, which keeps a plain mean.

    Raises:
        ModelError: ``decay`` is not in (0, 1].
    """

    def __init__(
        self, embedding_dim: int, max_history: int, dropout: float, hidden_dim: int = 128, decay: float = 1.0
    ) -> None:
        super().__init__()
        if not 0 < decay <= 1:
            raise ModelError(
                f"The decay of model.encoder must be above 0 and at most 1, but it is {decay}. 1 is a plain mean."
            )
        self.log_odds = nn.Parameter(torch.tensor(math.log(decay / (1 - decay)))) if decay < 1 else None
        self.perceptron = _FeedForward(embedding_dim, hidden_dim, dropout) if hidden_dim > 0 else None

    def forward(self, vectors: Tensor, windows: Tensor | None = None) -> Tensor:
        """See the module; ``vectors`` have shape [B, L, D]."""
        age = _age(vectors.shape[1], vectors.device)
        return self.average(vectors, age, _before(age, windows))

    def average(self, vectors: Tensor, age: Tensor, before: Tensor) -> Tensor:
        """The same, given the ages and what each position depends on; see :func:`_age` and :func:`_before`."""
        weights = before
        if self.log_odds is not None:
            weights = weights * (functional.logsigmoid(self.log_odds) * age.clamp(min=0)).exp()
        shares = weights / weights.sum(-1, keepdim=True)
        states = shares.to(torch.promote_types(shares.dtype, vectors.dtype)) @ vectors
        return states if self.perceptron is None else states + self.perceptron(states)


class AttentionEncoder(nn.Module):
    """A weighted mean of the vectors so far, with weights that depend on the vector and on its age.

    ``state_t = sum_s<=t softmax_s(q . tanh(W x_s) + r_(t-s)) V x_s``, then a residual perceptron. The additive
    attention of Bahdanau et al. (2015) with one learnt query.

    Args:
        embedding_dim: D.
        max_history: length of the longest history; each age from 0 to it has a bias.
        dropout: dropout probability of the hidden layer.
        hidden_dim: hidden units of the perceptron; 0 leaves it out.
    """

    def __init__(self, embedding_dim: int, max_history: int, dropout: float, hidden_dim: int = 128) -> None:
        super().__init__()
        self.key = nn.Linear(embedding_dim, embedding_dim)
        self.query = nn.Linear(embedding_dim, 1, bias=False)
        self.value = nn.Linear(embedding_dim, embedding_dim, bias=False)
        nn.init.eye_(self.value.weight)
        self.age_bias = nn.Parameter(torch.zeros(max_history + 1))
        self.perceptron = _FeedForward(embedding_dim, hidden_dim, dropout) if hidden_dim > 0 else None

    def forward(self, vectors: Tensor, windows: Tensor | None = None) -> Tensor:
        """See the module; ``vectors`` have shape [B, L, D]."""
        age = _age(vectors.shape[1], vectors.device)
        relevance = self.query(torch.tanh(self.key(vectors))).transpose(1, 2)
        logits = relevance + _by_age(self.age_bias[None], age)
        logits = logits + _before(age, windows).log()
        states = logits.softmax(dim=2) @ self.value(vectors)
        return states if self.perceptron is None else states + self.perceptron(states)


class TransformerEncoder(nn.Module):
    """Causal self-attention in several layers.

    Kang, McAuley: Self-Attentive Sequential Recommendation (2018), with pre-normalisation and, instead of absolute
    positions, a learnt bias of each head for each age (Shaw et al., 2018; Raffel et al., 2020), so that states do not
    depend on where a history is cut.

    With ``mean_decay`` the states are added to a decayed mean as in :class:`MeanEncoder`, and each head starts with the
    same decay by age (Press et al.: ALiBi, 2022): training starts at that mean and learns corrections by order and
    content.

    Args:
        embedding_dim: D, a multiple of ``num_heads``.
        max_history: length of the longest history.
        dropout: dropout probability.
        num_layers: number of layers, each of attention and a perceptron.
        num_heads: number of attention heads, H.
        hidden_dim: hidden units of the perceptrons.
        mean_decay: initial decay of the mean, in (0, 1]; it is learnt. None for attention alone.

    Raises:
        ModelError: ``embedding_dim`` cannot be divided among the heads, or ``mean_decay`` is out of range.
    """

    def __init__(
        self,
        embedding_dim: int,
        max_history: int,
        dropout: float,
        num_layers: int = 2,
        num_heads: int = 2,
        hidden_dim: int = 128,
        mean_decay: float | None = None,
    ) -> None:
        super().__init__()
        if embedding_dim % num_heads != 0:
            raise ModelError(
                f"model.embedding_dim must be a multiple of model.encoder.num_heads, but it is {embedding_dim} with "
                f"{num_heads} heads. Change one of them."
            )
        self.layers = nn.ModuleList(
            _TransformerLayer(embedding_dim, max_history, dropout, num_heads, hidden_dim) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(embedding_dim)
        self.mean: MeanEncoder | None = None
        if mean_decay is not None:
            self.mean = MeanEncoder(embedding_dim, max_history, dropout, hidden_dim=0, decay=mean_decay)
            nn.init.constant_(self.norm.weight, _FIRST_SHARE)
            by_age = math.log(mean_decay) * torch.arange(max_history + 1)
            for layer in self.layers:
                assert isinstance(layer, _TransformerLayer)
                layer.age_bias = nn.Parameter(by_age.expand(num_heads, -1).clone())

    def forward(self, vectors: Tensor, windows: Tensor | None = None) -> Tensor:
        """See the module; ``vectors`` have shape [B, L, D]."""
        age = _age(vectors.shape[1], vectors.device)
        before = _before(age, windows)
        # Added to the logits of all layers: nothing where a position may look, minus infinity elsewhere.
        hidden = before.log().unflatten(-2, (1, -1))
        states = vectors
        for layer in self.layers:
            states = layer(states, age, hidden)
        normalised: Tensor = self.norm(states)
        return normalised if self.mean is None else self.mean.average(vectors, age, before) + normalised


class _TransformerLayer(nn.Module):
    """Attention and a perceptron with residual connections."""

    def __init__(self, embedding_dim: int, max_history: int, dropout: float, num_heads: int, hidden_dim: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(embedding_dim)
        self.projections = nn.Linear(embedding_dim, 3 * embedding_dim)
        self.output = nn.Linear(embedding_dim, embedding_dim)
        self.age_bias = nn.Parameter(torch.zeros(num_heads, max_history + 1))
        self.dropout = FusedDropout(dropout)
        self.perceptron = _FeedForward(embedding_dim, hidden_dim, dropout)

    def forward(self, states: Tensor, age: Tensor, hidden: Tensor) -> Tensor:
        """Attend and transform.

        Args:
            states: shape [B, L, D].
            age: shape [L, L].
            hidden: minus infinity where a position does not attend, else 0; shape [1, L, L] or [B, 1, L, L].
        """
        heads = self.projections(self.norm(states)).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = heads.contiguous().unbind(0)  # one copy, in place of one for each of the three
        # Not len(states): an export would fix the number of rows to that of its example.
        bias = (_by_age(self.age_bias, age) + hidden).expand(states.shape[0], -1, -1, -1)
        attended = self._attend(queries, keys, values, bias)
        states = states + self.dropout(self.output(attended.transpose(1, 2).flatten(2)))
        return states + self.dropout(self.perceptron(states))

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """Attention of heads, each of shape [B, H, L, D / H], with logits plus ``bias``, shape [B, H, L, L]."""
        if queries.device.type != "cpu" or not bias.requires_grad:
            dropout = self.dropout.p if self.training else 0.0
            return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, dropout_p=dropout)
        # PyTorch has no fused attention on the CPU that gives a gradient to the bias; this takes half its operations.
        pairs = (bias, queries, keys.transpose(2, 3))
        logits = torch.baddbmm(*(part.flatten(0, 1) for part in pairs), alpha=queries.shape[-1] ** -0.5)
        attended = self.dropout(logits.softmax(2)) @ values.flatten(0, 1)
        return attended.unflatten(0, queries.shape[:2])


class _FeedForward(nn.Module):
    """A perceptron with layer normalisation and one hidden layer."""

    def __init__(self, embedding_dim: int, hidden_dim: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(embedding_dim),
            nn.Linear(embedding_dim, hidden_dim),
            nn.GELU(),
            FusedDropout(dropout),
            nn.Linear(hidden_dim, embedding_dim),
        )

    def forward(self, states: Tensor) -> Tensor:
        """Map shape [..., D] to the same shape."""
        hidden: Tensor = self.layers(states)
        return hidden


def _age(num_positions: int, device: torch.device) -> Tensor:
    """How many positions each column is before each row, shape [L, L], int64; negative for later positions."""
    position = torch.arange(num_positions, device=device)
    return position[:, None] - position


def _before(age: Tensor, windows: Tensor | None) -> Tensor:
    """Which columns a state depends on, none later and of its own window: shape [L, L], with windows [B, L, L].

    Returns:
        1 where it does and 0 elsewhere, float32.
    """
    if windows is None:
        return (age >= 0).float()
    return ((age >= 0) & (windows[:, :, None] == windows[:, None, :])).float()


def _by_age(age_bias: Tensor, age: Tensor) -> Tensor:
    """The bias of each age, shape [H, L, L], from shape [H, A]; any where the age is not among the A."""
    return age_bias.index_select(1, age.clamp(0, age_bias.shape[1] - 1).flatten()).unflatten(1, age.shape)
