"""The models by the names of their classes; written by ``make models-page``."""

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.api.estimator import Estimator

__all__ = [
    "BayesianMF",
    "Bias",
    "BiasedMF",
    "Content",
    "EASE",
    "Hybrid",
    "IALS",
    "ItemKNN",
    "ItemKNNRatings",
    "MF",
    "NMF",
    "NeuMF",
    "Popularity",
    "PureSVD",
    "RP3Beta",
    "RandomScores",
    "SLIM",
    "SVDpp",
    "TwoTower",
    "UserKNN",
]

class BayesianMF(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        num_draws: int = ...,
        burn_in: int = ...,
        init_std: float = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class Bias(Estimator):
    def __init__(
        self,
        *,
        user_l2: float = ...,
        item_l2: float = ...,
        epochs: int = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class BiasedMF(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        epochs: int = ...,
        l2: float = ...,
        frequency_power: float = ...,
        bias_l2: float = ...,
        init_std: float = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class Content(Estimator):
    def __init__(
        self,
        *,
        columns: Mapping[str, float] | None = ...,
        num_components: int | None = ...,
        ratings_above: str | None = ...,
        recency: Mapping[str, Any] = ...,
        sentence_model: str | None = ...,
        sentence_share: float = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class EASE(Estimator):
    def __init__(
        self,
        *,
        l2: float = ...,
        num_neighbours: int | None = ...,
        max_items: int | None = ...,
        recency: Mapping[str, Any] = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class Hybrid(Estimator):
    def __init__(
        self,
        *,
        sources: str | Sequence[str] | Mapping[str, Any] = ...,
        ranker: str | Sequence[str] | Mapping[str, Any] = ...,
        num_candidates: int | None = ...,
        ranks: bool = ...,
        popularity: bool = ...,
        freshness: bool = ...,
        attention: bool = ...,
        attributes: bool = ...,
        attention_dim: int = ...,
        attention_temperature: float = ...,
        max_history: int = ...,
        attribute_dim: int = ...,
        item_columns: Sequence[str] | None = ...,
        user_columns: Sequence[str] | None = ...,
        seed: int = ...,
        training: str | None = ...,
        epochs: int | None = ...,
        batch_size: int | None = ...,
        learning_rate: float | None = ...,
        patience: int | None = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class IALS(Estimator):
    def __init__(
        self,
        *,
        solver: str | Sequence[str] | Mapping[str, Any] = ...,
        embedding_dim: int = ...,
        iterations: int = ...,
        unobserved_weight: float = ...,
        l2: float = ...,
        l2_exponent: float = ...,
        init_std: float = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class ItemKNN(Estimator):
    def __init__(
        self,
        *,
        similarity: str | Sequence[str] | Mapping[str, Any] = ...,
        weighting: str | Sequence[str] | Mapping[str, Any] = ...,
        num_neighbours: int = ...,
        normalize: bool = ...,
        max_block_bytes: int = ...,
        recency: Mapping[str, Any] = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class ItemKNNRatings(Estimator):
    def __init__(
        self,
        *,
        num_neighbours: int = ...,
        shrinkage: float = ...,
        amplification: float = ...,
        baseline_weight: float = ...,
        user_l2: float = ...,
        item_l2: float = ...,
        epochs: int = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class MF(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        biases: bool = ...,
        init_std: float = ...,
        dropout: float = ...,
        seed: int = ...,
        training: str | None = ...,
        epochs: int | None = ...,
        batch_size: int | None = ...,
        learning_rate: float | None = ...,
        patience: int | None = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class NeuMF(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        mlp_embedding_dim: int | None = ...,
        hidden_dims: Sequence[int] = ...,
        dropout: float = ...,
        init_std: float = ...,
        gmf_share: float = ...,
        seed: int = ...,
        training: str | None = ...,
        epochs: int | None = ...,
        batch_size: int | None = ...,
        learning_rate: float | None = ...,
        patience: int | None = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class NMF(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        iterations: int = ...,
        fold_in_sweeps: int = ...,
        l1: float = ...,
        l2: float = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class Popularity(Estimator):
    def __init__(
        self,
        *,
        half_life_days: float | None = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class PureSVD(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        popularity_exponent: float = ...,
        iterations: int = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class RandomScores(Estimator):
    def __init__(
        self,
        *,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class RP3Beta(Estimator):
    def __init__(
        self,
        *,
        alpha: float = ...,
        beta: float = ...,
        num_neighbours: int = ...,
        normalize: bool = ...,
        max_block_bytes: int = ...,
        recency: Mapping[str, Any] = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class SLIM(Estimator):
    def __init__(
        self,
        *,
        l1: float = ...,
        l2: float = ...,
        nonnegative: bool = ...,
        penalty: float = ...,
        tolerance: float = ...,
        max_iterations: int = ...,
        max_items: int | None = ...,
        progress: bool = ...,
        recency: Mapping[str, Any] = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class SVDpp(Estimator):
    def __init__(
        self,
        *,
        embedding_dim: int = ...,
        epochs: int = ...,
        conjugate_steps: int = ...,
        l2: float = ...,
        implicit_l2: float = ...,
        frequency_power: float = ...,
        bias_l2: float = ...,
        init_std: float = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
    ) -> None: ...

class TwoTower(Estimator):
    def __init__(
        self,
        *,
        encoder: str | Sequence[str] | Mapping[str, Any] = ...,
        embedding_dim: int = ...,
        max_history: int = ...,
        dropout: float = ...,
        id_dropout: float = ...,
        item_columns: Sequence[str] | None = ...,
        user_columns: Sequence[str] | None = ...,
        user_ids: bool = ...,
        ratings: bool = ...,
        time_gaps: bool = ...,
        normalize: bool = ...,
        temperature: float = ...,
        item_bias: bool = ...,
        sentence_model: str | None = ...,
        init_std: float = ...,
        seed: int = ...,
        training: str | None = ...,
        epochs: int | None = ...,
        batch_size: int | None = ...,
        learning_rate: float | None = ...,
        patience: int | None = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...

class UserKNN(Estimator):
    def __init__(
        self,
        *,
        similarity: str | Sequence[str] | Mapping[str, Any] = ...,
        weighting: str | Sequence[str] | Mapping[str, Any] = ...,
        num_neighbours: int = ...,
        reverse_neighbours: bool = ...,
        normalize: bool = ...,
        max_block_bytes: int = ...,
        recency: Mapping[str, Any] = ...,
        seed: int = ...,
        exclude_seen: bool | Mapping[str, float] = ...,
        weight_transform: str = ...,
        overrides: Mapping[str, Any] | None = ...,
        **nested: Any,
    ) -> None: ...
