"""Matrix factorisation of ratings, averaged over draws from its posterior.

Shape suffixes: B users of a query, C requested items, M ratings, U users, I items, D dim, S draws, R rows of one side.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from recsys.cli.progress import progress
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.rating_model import RatingModel, require_positive
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.bias_dimension import with_bias, with_ones
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_ridge import RowRidge
from recsys.models.onnx.rating_users import FoldedDraws

#: Rows that the prior of a prior counts for (beta_0 in the paper).
PRIOR_COUNT = 2.0


class BayesianMF(RatingModel):
    """Predicts the mean of ``mean + b_u + b_i + p_u . q_i`` over draws of all parameters, by Gibbs sampling.

    Salakhutdinov, Mnih: Bayesian Probabilistic Matrix Factorization using Markov Chain Monte Carlo (2008), with a bias
    as one more dimension and with the precision of the ratings drawn as well. Each draw of a side is the ridge
    regression of alternating least squares plus noise of the posterior's covariance. The prior of each side, a normal
    distribution of any mean and covariance, is drawn too, so that there is no regularisation to tune.

    The mean over S draws of an inner product of D dimensions is one inner product of S D dimensions, and that is how
    the model is kept: it is as large as a factorisation with so many.

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors of a draw, D.
        num_draws: draws that are averaged, S.
        burn_in: draws before them that are not.
        init_std: standard deviation of the items' vectors at the start.
        seed: of all draws.

    Raises:
        ModelError: a dimension or a number of draws is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="the mean over draws of all vectors, by Gibbs sampling; Salakhutdinov, Mnih (2008)",
        settings=("embedding_dim", "num_draws", "burn_in"),
        use="for the smallest errors, with no regularisation to tune; the model is `num_draws` times as large",
        gives="a vector",
        served_from="the same tables and eliminations as `biased_mf`, for each draw",
        weights="not used: the rating says it all",
    )

    draws_item_bias: Tensor
    prior_mean: Tensor
    prior_root: Tensor
    prior_penalty: Tensor

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 20,
        num_draws: int = 40,
        burn_in: int = 20,
        init_std: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(num_users, num_items, embedding_dim * num_draws)
        check_dims(embedding_dim=embedding_dim, num_draws=num_draws, burn_in=burn_in)
        require_positive(init_std=init_std)
        self.register_buffer("draws_item_bias", torch.zeros(num_draws, num_items))
        self.register_buffer("prior_mean", torch.zeros(num_draws, embedding_dim + 1))
        self.register_buffer("prior_root", torch.zeros(num_draws, embedding_dim + 1, embedding_dim + 1))
        self.register_buffer("prior_penalty", torch.ones(num_draws))
        self._embedding_dim = embedding_dim
        self._num_draws = num_draws
        self._burn_in = burn_in
        self._init_std = init_std
        self._seed = seed

    def fit(self, interactions: Interactions) -> None:
        """Draw from the posterior given the ratings of ``interactions``.

        Raises:
            ModelError: there are no ratings.
        """
        ratings = self.read_ratings(interactions)
        by_item = ratings.transpose()
        dim, generator = self._embedding_dim, torch.Generator().manual_seed(self._seed)
        users, items = _Side(RowRidge(ratings, dim + 1), dim), _Side(RowRidge(by_item, dim + 1), dim)
        items.vectors[:, :dim] = torch.randn(len(by_item), dim, generator=generator).to(items.vectors) * self._init_std
        precision = 1.0
        self.user_bias.zero_()
        self.item_bias.zero_()
        for turn in progress.track(range(-self._burn_in, self._num_draws), "fitting Bayesian MF"):
            users.draw(items, self.mean, precision, generator)
            items.draw(users, self.mean, precision, generator)
            error = ratings.values - self.mean - users.predicted(items)
            precision = _gamma(1 + len(error) / 2, 1 + float(error.double().square().sum()) / 2, generator)
            if turn >= 0:
                kept = slice(turn * dim, (turn + 1) * dim)
                self.user_vectors[:, kept] = users.vectors[:, :dim]
                self.item_vectors[:, kept] = items.vectors[:, :dim] / self._num_draws
                self.user_bias += users.vectors[:, dim] / self._num_draws
                self.item_bias += items.vectors[:, dim] / self._num_draws
                self.draws_item_bias[turn] = items.vectors[:, dim]
                self.prior_mean[turn] = users.prior_mean
                self.prior_root[turn] = users.prior_root
                self.prior_penalty[turn] = 1 / precision

    def fold_in(self, histories: Histories) -> tuple[Tensor, Tensor]:
        """One least-squares solve for each draw, on the vectors of the rated items and towards that draw's prior."""
        bias, vectors = self.nothing_for(len(histories))
        if histories.rating is None:
            return bias, vectors
        ratings = InteractionMatrix.from_histories(histories, len(self.item_bias), histories.rating)
        ridge = RowRidge(ratings, self._embedding_dim + 1)
        known = (ratings.counts > 0)[:, None]
        for draw in range(self._num_draws):
            kept = slice(draw * self._embedding_dim, (draw + 1) * self._embedding_dim)
            design = with_ones(self.item_vectors[:, kept] * self._num_draws)
            explained = design @ self.prior_mean[draw] + self.draws_item_bias[draw]
            targets = ratings.values - self.mean - explained[ratings.columns]
            root = self.prior_root[draw]
            penalty = self.prior_penalty[draw].expand(len(ratings), len(root))
            solution = ridge.solve(design @ root, targets, penalty) @ root.T + self.prior_mean[draw] * known
            vectors[:, kept] = solution[:, :-1]
            bias += solution[:, -1] / self._num_draws
        return bias, vectors

    def served_fold_in(self) -> FoldedDraws:
        """See :meth:`recsys.models.components.rating_model.RatingModel.served_fold_in`."""
        vectors = self.item_vectors.view(-1, self._num_draws, self._embedding_dim) * self._num_draws
        priors = (self.prior_mean, self.prior_root, self.prior_penalty)
        return FoldedDraws(vectors, self.draws_item_bias, self.mean, *priors)

    def encode_users(self, query: Query) -> Tensor:
        """User vectors with a constant 1 for the item bias, shape [B, S D + 1]."""
        return with_ones(self.users_of(query)[1])

    def encode_items(self, items: Tensor) -> Tensor:
        """Item vectors with the item bias as one more dimension, shape [C, S D + 1]."""
        return with_bias(self.item_vectors[items], self.item_bias[items])


class _Side:
    """The users or the items: their current draw and that of their prior.

    Args:
        ridge: solves for each row given the other side.
        dim: D.
    """

    def __init__(self, ridge: RowRidge, dim: int) -> None:
        self.ridge = ridge
        self.matrix = ridge.matrix
        self.known = self.matrix.counts > 0
        self.vectors = self.matrix.values.new_zeros(len(self.matrix), dim + 1)  # the bias comes last
        self.prior_mean = self.vectors.new_zeros(dim + 1)
        self.prior_root = torch.eye(dim + 1).to(self.vectors)

    def draw(self, other: _Side, mean: Tensor, precision: float, generator: torch.Generator) -> None:
        """Draw the prior given the vectors, then the vectors given the prior and the other side.

        Args:
            other: the other side.
            mean: of all ratings.
            precision: of the ratings around their prediction.
            generator: on the CPU, so that draws are the same on every device.
        """
        self._draw_prior(generator)
        # In the coordinates where the prior is standard normal, x = prior_mean + prior_root y, it is a ridge penalty.
        design = with_ones(other.vectors[:, :-1])
        explained = design @ self.prior_mean + other.vectors[:, -1]
        targets = self.matrix.values - mean - explained[self.matrix.columns]
        penalty = torch.full_like(self.vectors, 1 / precision)
        noise = torch.randn(self.vectors.shape, generator=generator).to(self.vectors) / precision**0.5
        solution = self.ridge.solve(design @ self.prior_root, targets, penalty, noise)
        self.vectors = solution @ self.prior_root.T + self.prior_mean * self.known[:, None]

    def _draw_prior(self, generator: torch.Generator) -> None:
        """Draw mean and precision from their normal-Wishart posterior, the settings those of the paper.

        The precision is a Wishart matrix by Bartlett's decomposition: ``C A A^T C^T``, with C the Cholesky factor of
        the scale and A a triangle of standard normals, on its diagonal roots of chi-squares.
        """
        own = self.vectors[self.known].double().cpu()
        count, dim = own.shape
        mean = own.mean(0)
        scale = torch.eye(dim, dtype=torch.float64) + (own - mean).T @ (own - mean)
        scale += count * PRIOR_COUNT / (count + PRIOR_COUNT) * torch.outer(mean, mean)
        factor = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(scale)))
        triangle = torch.randn(dim, dim, generator=generator, dtype=torch.float64).tril(-1)
        freedom = dim + count - torch.arange(dim, dtype=torch.float64)
        triangle += torch.diag((2 * torch._standard_gamma(freedom / 2, generator=generator)).sqrt())
        root = torch.linalg.inv(factor @ triangle).T
        normal = torch.randn(dim, generator=generator, dtype=torch.float64)
        center = count * mean / (count + PRIOR_COUNT)
        self.prior_mean = (center + root @ normal / (count + PRIOR_COUNT) ** 0.5).to(self.vectors)
        self.prior_root = root.to(self.vectors)

    def predicted(self, other: _Side) -> Tensor:
        """The current draw's prediction of each rating of this side's matrix above the mean, shape [M]."""
        own = self.vectors.repeat_interleave(self.matrix.counts, dim=0)
        across = torch.nn.functional.embedding(self.matrix.columns, other.vectors)
        return (own[:, :-1] * across[:, :-1]).sum(1) + own[:, -1] + across[:, -1]


def _gamma(shape: float, rate: float, generator: torch.Generator) -> float:
    """A draw from the gamma distribution."""
    drawn = torch._standard_gamma(torch.tensor(shape, dtype=torch.float64), generator=generator)
    return float(drawn) / rate
