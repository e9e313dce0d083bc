"""Neural matrix factorisation: a generalised matrix factorisation and a multi-layer perceptron, side by side.

He, Liao, Zhang, Nie, Hu, Chua: Neural Collaborative Filtering (2017).

Shape suffixes: B users of a batch, C items, I items of the catalogue, D dim, H units of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.pair_towers import PairTowers, PerceptronTower, ProductTower
from recsys.models.interface.protocols import PretrainsInTowers, Query
from recsys.models.layers.dropout import Dropout
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.fused_mlp import pair_perceptron, supports_fused_training, weighted_products
from recsys.models.layers.int8_screening import LARGEST_LAYER, approximate_perceptron, multiplies_bytes
from recsys.models.layers.projected_rows import pays_by_table, projected_rows
from recsys.models.layers.validation import check_dims
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.pair_network import CatalogueOfPairs, PairNetwork

#: Pairs that pass the perceptron at once when a whole catalogue is scored: their activations stay in cache.
PAIRS_PER_BLOCK = {"cpu": 2**13, "cuda": 2**21}


class _Tower(nn.Module):
    """What the towers and the whole network have in common: they know users and items by index alone."""

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        raise NotImplementedError

    def score_catalogue(self, users: Tensor) -> Tensor:
        raise NotImplementedError

    def score(self, query: Query) -> Tensor:
        """Score every item, shape [B, I]; NaN rows for users without a vector."""
        scores = self.score_catalogue(query.users.clamp(min=0))
        return scores.masked_fill((query.users < 0)[:, None], torch.nan)


class GMF(_Tower):
    """Generalised matrix factorisation: ``score(u, i) = h . (p_u * q_i)``.

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the user and item vectors, D.
        init_std: standard deviation of the normal initialisation of the vectors.
    """

    def __init__(self, num_users: int, num_items: int, embedding_dim: int = 64, init_std: float = 0.1) -> None:
        super().__init__()
        check_dims(embedding_dim=embedding_dim)
        self.user_vectors = Embedding(num_users, embedding_dim)
        self.item_vectors = Embedding(num_items, embedding_dim)
        self.output = nn.Linear(embedding_dim, 1)
        nn.init.normal_(self.user_vectors.weight, std=init_std)
        nn.init.normal_(self.item_vectors.weight, std=init_std)
        nn.init.ones_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs; ``users`` and ``items`` (int64) broadcast against each other."""
        if supports_fused_training(users, items):
            return weighted_products(self.user_vectors, self.item_vectors, self.output, users, items)
        weighted = self.user_vectors(users) * self.output.weight[0]
        return (weighted * self.item_vectors(items)).sum(-1) + self.output.bias

    def pair_towers(self) -> PairTowers:
        """See :mod:`recsys.models.interface.protocols`."""
        return PairTowers(product=ProductTower(self.user_vectors, self.item_vectors, self.output))

    def score_catalogue(self, users: Tensor) -> Tensor:
        """Score every item for known users (shape [B], int64); returns [B, I]."""
        weighted = self.user_vectors(users) * self.output.weight[0]
        return weighted @ self.item_vectors.table().T + self.output.bias

    def rounding(self, users: Tensor) -> Tensor:
        """How far two ways of computing a score in single precision may be apart, for known users; shape [B, 1]."""
        lengths = (self.user_vectors(users) * self.output.weight[0]).norm(dim=1, keepdim=True)
        items = self.item_vectors.weight
        largest = lengths * items.norm(dim=1).max() + self.output.bias.abs()
        return 2 * (items.shape[1] + 2) * torch.finfo(items.dtype).eps * largest

    def squared_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Squared norms of the vectors of ``users`` and of ``items``, in their shapes."""
        return self.user_vectors(users).square().sum(-1), self.item_vectors(items).square().sum(-1)


class MLP(_Tower):
    """A perceptron over the concatenated vectors: ``score(u, i) = h . relu(W_n ... relu(W_1 [p_u; q_i] + b_1))``.

    The first layer is linear in the concatenation, so it splits into a user part and an item part. Each is computed
    once for each user and each item where a whole catalogue is scored, and in training without dropout where it pays
    (:mod:`recsys.models.layers.projected_rows`); only the sum of the two goes on.

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the user and item vectors, D.
        hidden_dims: units of each layer after the concatenation.
        dropout: probability of dropping a unit before each layer in training.
        init_std: standard deviation of the normal initialisation of the vectors.
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 64,
        hidden_dims: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        init_std: float = 0.1,
    ) -> None:
        super().__init__()
        check_dims(embedding_dim=embedding_dim, hidden_dims=hidden_dims)
        self.user_vectors = Embedding(num_users, embedding_dim)
        self.item_vectors = Embedding(num_items, embedding_dim)
        self.user_part = nn.Linear(embedding_dim, hidden_dims[0])
        self.item_part = nn.Linear(embedding_dim, hidden_dims[0], bias=False)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(hidden_dims[:-1], hidden_dims[1:], strict=True))
        self.output = nn.Linear(hidden_dims[-1], 1)
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.user_vectors.weight, std=init_std)
        nn.init.normal_(self.item_vectors.weight, std=init_std)
        # The two parts are the halves of one [2 D, H] layer and start as such a layer would.
        joint = nn.init.xavier_uniform_(torch.empty(hidden_dims[0], 2 * embedding_dim))
        with torch.no_grad():
            self.user_part.weight.copy_(joint[:, :embedding_dim])
            self.item_part.weight.copy_(joint[:, embedding_dim:])
        for layer in [self.user_part, *self.hidden, self.output]:
            assert isinstance(layer, nn.Linear)
            nn.init.zeros_(layer.bias)
            if layer is not self.user_part:
                nn.init.xavier_uniform_(layer.weight)

    def _from_first_layer(self, first: Tensor) -> Tensor:
        """Go on from the first layer's sums, shape [..., H], to scores, shape [...]."""
        relu = torch.relu if torch.is_grad_enabled() else torch.relu_  # in place where no gradient needs the input
        activation = relu(first)
        for layer in self.hidden:
            activation = relu(layer(self.dropout(activation)))
        return self.output(activation).squeeze(-1)

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs; ``users`` and ``items`` (int64) broadcast against each other."""
        dropout = self.dropout.p if self.training else 0.0
        if dropout == 0 and pays_by_table(self.item_vectors, items.numel()):
            of_users = projected_rows(self.user_part, self.user_vectors, users)
            return self._from_first_layer(of_users + projected_rows(self.item_part, self.item_vectors, items))
        if supports_fused_training(users, items) and dropout < 1:
            tables, first = (self.user_vectors, self.item_vectors), (self.user_part, self.item_part)
            return pair_perceptron(*tables, *first, list(self.hidden), self.output, dropout, users, items)
        user_part = self.user_part(self.dropout(self.user_vectors(users)))
        item_part = self.item_part(self.dropout(self.item_vectors(items)))
        return self._from_first_layer(user_part + item_part)

    def pair_towers(self) -> PairTowers:
        """See :mod:`recsys.models.interface.protocols`."""
        hidden = [layer for layer in self.hidden if isinstance(layer, nn.Linear)]
        dropout = self.dropout.p if self.training else 0.0
        return PairTowers(
            perceptron=PerceptronTower(
                *(self.user_vectors, self.item_vectors, self.user_part, self.item_part, hidden, self.output, dropout)
            )
        )

    def score_catalogue(self, users: Tensor) -> Tensor:
        """Score every item for known users (shape [B], int64); returns [B, I]."""
        user_part = self.user_part(self.dropout(self.user_vectors(users)))
        item_part = self.item_part(self.dropout(self.item_vectors.table()))
        # Autocast does not reach what is written into buffers.
        plain = not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        if len(self.hidden) > 0 and users.device.type == "cpu" and plain:
            return self._score_user_by_user(user_part, item_part)
        num_items = len(item_part)
        users_per_block = max(1, PAIRS_PER_BLOCK.get(users.device.type, 2**16) // max(num_items, 1))
        blocks = [
            self._from_first_layer(block[:, None, :] + item_part[None, :, :])
            for block in user_part.split(users_per_block)
        ]
        return torch.cat(blocks) if blocks else user_part.new_empty(0, num_items)

    @torch.no_grad()
    def approximate_catalogue(self, users: Tensor) -> tuple[Tensor, Tensor] | None:
        """See :mod:`recsys.models.interface.protocols`; as in evaluation, without dropout.

        It saves time where :func:`recsys.models.layers.int8_screening.multiplies_bytes` says so.
        """
        weights = self.item_vectors.weight
        in_bytes = multiplies_bytes(weights.device) and weights.dtype == torch.float32
        fits = 0 < len(weights) and 0 < len(self.hidden) and self.user_part.out_features <= LARGEST_LAYER
        if not in_bytes or not fits or torch.is_autocast_enabled("cpu"):
            return None
        layers = [layer for layer in (*self.hidden, self.output) if isinstance(layer, nn.Linear)]
        return approximate_perceptron(self.user_part(self.user_vectors(users)), self.item_part(weights), layers)

    def _score_user_by_user(self, user_part: Tensor, item_part: Tensor) -> Tensor:
        """Scores of the first layer's parts, shapes [B, H] and [I, H], for all pairs; returns [B, I].

        ``relu(a + c) = a + max(c, -a)``, so that of the sum and its rectification one pass over [I, H] is left: the
        second layer of ``a`` is one vector for each user and goes into the bias. The buffers of a user stay in cache.
        """
        second, *others = self.hidden
        assert isinstance(second, nn.Linear)
        weight = second.weight.T
        bias = torch.addmm(second.bias, user_part, weight)
        scores = user_part.new_empty(len(user_part), len(item_part))
        rectified = torch.empty_like(item_part)
        activation = item_part.new_empty(len(item_part), weight.shape[1])
        for row, opposite in enumerate(-user_part):
            torch.maximum(item_part, opposite, out=rectified)
            hidden = torch.addmm(bias[row], rectified, weight, out=activation).relu_()
            for layer in others:
                hidden = layer(hidden).relu_()
            torch.addmv(self.output.bias, hidden, self.output.weight[0], out=scores[row])
        return scores

    def squared_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Squared norms of the vectors of ``users`` and of ``items``, in their shapes."""
        return self.user_vectors(users).square().sum(-1), self.item_vectors(items).square().sum(-1)


class NeuMF(_Tower, PretrainsInTowers):
    """GMF and MLP towers with vectors of their own; the score is the sum of their outputs.

    A linear layer over the two concatenated last layers, as in the paper, is the same as the sum of a linear layer
    over each. So each tower is a whole recommender, may be trained alone first, and joins without new parameters.

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the user and item vectors of the GMF tower.
        mlp_embedding_dim: dimension of those of the MLP tower; None for the same.
        hidden_dims: units of each layer of the MLP tower after the concatenation.
        dropout: probability of dropping a unit before each layer of the MLP tower in training.
        init_std: standard deviation of the normal initialisation of the vectors.
        gmf_share: weight of the pre-trained GMF tower when the towers are fused, between 0 and 1; the MLP tower has
            the rest (alpha in the paper).
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a product and a perceptron together; He et al. (2017)",
        settings=("embedding_dim", "hidden_dims", "dropout"),
        use="to repeat that paper; `mf` is faster and as good",
        gives="scores",
        served_from="the whole network for each item; as a ranker for the candidates alone",
        weights="as for `mf`",
    )

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 64,
        mlp_embedding_dim: int | None = None,
        hidden_dims: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        init_std: float = 0.1,
        gmf_share: float = 0.5,
    ) -> None:
        super().__init__()
        self.gmf = GMF(num_users, num_items, embedding_dim, init_std)
        self.mlp = MLP(num_users, num_items, mlp_embedding_dim or embedding_dim, hidden_dims, dropout, init_std)
        self.gmf_share = gmf_share

    def towers(self) -> dict[str, nn.Module]:
        """The GMF and the MLP tower."""
        return {"gmf": self.gmf, "mlp": self.mlp}

    def fuse(self) -> None:
        """Scale the output layers of the trained towers to their shares, so that the sum is their weighted mean."""
        with torch.no_grad():
            for tower, share in ((self.gmf, self.gmf_share), (self.mlp, 1 - self.gmf_share)):
                tower.output.weight.mul_(share)
                tower.output.bias.mul_(share)

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs; ``users`` and ``items`` (int64) broadcast against each other."""
        return self.gmf.score_pairs(users, items) + self.mlp.score_pairs(users, items)

    def pair_towers(self) -> PairTowers:
        """See :mod:`recsys.models.interface.protocols`."""
        return PairTowers(self.gmf.pair_towers().product, self.mlp.pair_towers().perceptron)

    def score_catalogue(self, users: Tensor) -> Tensor:
        """Score every item for known users (shape [B], int64); returns [B, I]."""
        return self.gmf.score_catalogue(users) + self.mlp.score_catalogue(users)

    def approximate_catalogue(self, users: Tensor) -> tuple[Tensor, Tensor] | None:
        """See :meth:`MLP.approximate_catalogue`; the GMF tower is cheap, and computed as always."""
        approximate = self.mlp.approximate_catalogue(users)
        if approximate is None:
            return None
        scores, error = approximate
        return scores.add_(self.gmf.score_catalogue(users)), error.add_(self.gmf.rounding(users))

    def squared_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Squared norms of both towers' vectors of ``users`` and of ``items``, in their shapes."""
        gmf_users, gmf_items = self.gmf.squared_norms(users, items)
        mlp_users, mlp_items = self.mlp.squared_norms(users, items)
        return gmf_users + mlp_users, gmf_items + mlp_items

    def serving_form(self) -> ServingForm:
        """Scores of the catalogue for known users; see :class:`recsys.models.onnx.exportable.Exportable`."""
        network = self.serving_ranker()
        return ServingForm(CatalogueOfPairs(network).eval(), None, network.item_parts.numel())

    @torch.no_grad()
    def serving_ranker(self) -> PairNetwork:
        """Scores pairs; see :mod:`recsys.models.onnx.exportable`."""
        gmf, mlp = self.gmf, self.mlp
        return PairNetwork(
            gmf.user_vectors.weight * gmf.output.weight[0],
            gmf.item_vectors.weight,
            mlp.user_part(mlp.user_vectors.weight),
            mlp.item_part(mlp.item_vectors.weight),
            list(mlp.hidden),
            mlp.output,
            gmf.output.bias,
        ).eval()
