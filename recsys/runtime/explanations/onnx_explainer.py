"""Explains what a bundle recommends, with the numbers that the models have in PyTorch.

Shape suffixes: B requests, L positions, K explained items, I items of the catalogue, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.sampled_explanation import SampledExplainer
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.bundle import EXPLAINER, Bundle
from recsys.runtime.onnx_inputs import CONTRIBUTIONS, REST, query_inputs, ranker_feeds
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker

#: Requests that are explained at once, at most.
MAX_REQUESTS = 16
#: Pairs of a position of a history and an explained item that are explained at once; a model of words holds as many
#: numbers for each as an item has words.
MAX_PAIRS = 2**20


class OnnxExplainer:
    """Splits scores exactly, as the model does; see :class:`recsys.retrieval.explanation.BatchExplainer`.

    Args:
        model: an explainer.
        num_items: that it knows; later ones have no contributions (NaN).
    """

    def __init__(self, model: OnnxModel, num_items: int) -> None:
        self._model = model
        self._num_items = num_items

    def explain(self, requests: RequestBatch, items: IntArray) -> BatchExplanation:
        """See :meth:`recsys.retrieval.explanation.BatchExplainer.explain`."""
        history = requests.history
        contributions = np.zeros((len(history.items), items.shape[1]), dtype=np.float32)
        rest = np.full(items.shape, np.nan, dtype=np.float32)
        known = np.where(items < self._num_items, items, -1)
        pairs = max(1, int(history.counts.max(initial=1)) * items.shape[1])
        size = min(MAX_REQUESTS, max(1, MAX_PAIRS // pairs))
        for start in range(0, len(requests), size):
            rows = np.arange(start, min(start + size, len(requests)))
            block = requests.take(rows)
            given = self._model.run_all(ranker_feeds(query_inputs(block), known[rows]))
            own, counts = given[CONTRIBUTIONS], block.history.counts
            first, last = history.offsets[start], history.offsets[rows[-1] + 1]
            contributions[first:last] = own[np.arange(own.shape[1]) < counts[:, None]]
            rest[rows] = given[REST]
        return BatchExplanation.exact(history, contributions, rest)


class EncoderScores:
    """Scores items by what encodes queries; see :class:`recsys.retrieval.ranker.Ranker`.

    Args:
        encode: the query encoder.
        item_vectors: shape [I, D]; None where the encoder scores the catalogue.
        num_items: I; what comes later is not scored.
    """

    def __init__(self, encode: OnnxEncoder, item_vectors: FloatArray | None, num_items: int) -> None:
        self._encode = encode
        self._item_vectors = item_vectors
        self._num_items = num_items

    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """See :meth:`recsys.retrieval.ranker.Ranker.score`."""
        encoded = self._encode(requests)
        known = (items >= 0) & (items < self._num_items)
        places = np.where(known, items, 0)
        if self._item_vectors is None:
            scores = np.take_along_axis(encoded, places, axis=1)
        else:
            distinct, columns = np.unique(places, return_inverse=True)
            products = encoded @ self._item_vectors[distinct].T
            scores = np.take_along_axis(products, columns.reshape(places.shape), axis=1)
        return np.where(known, scores, np.nan)


def bundle_explainer(
    bundle: Bundle,
    open_model: Callable[[str], OnnxModel],
    encode: OnnxEncoder,
    ranker: OnnxRanker | None,
    num_permutations: int = 64,
    max_items: int = 50,
    seed: int = 0,
) -> BatchExplainer:
    """What explains the scores that users of a bundle see: those of its ranker, if it has one, else of its retriever.

    Exact where the bundle has an explainer, else sampled over the bundle's own scores, with the same numbers as
    :func:`recsys.recommendation.sampled_explanation.batch_explainer_of` has by default.

    Args:
        bundle: what is explained.
        open_model: opens a model of the bundle by its file name.
        encode: the bundle's query encoder.
        ranker: the bundle's ranker; None where it has none.
        num_permutations: of :class:`recsys.retrieval.sampled_explanation.SampledExplainer`.
        max_items: likewise.
        seed: likewise.

    Raises:
        BundleError: ONNX Runtime is missing, or a file is damaged.
    """
    num_items = bundle.manifest.data.num_items
    if bundle.has_explainer:
        return OnnxExplainer(open_model(EXPLAINER), num_items)
    if ranker is None or bundle.manifest.ranker is None:
        return retriever_explainer(bundle, encode, num_permutations, max_items, seed)
    return SampledExplainer(
        ranker,
        num_items,
        bundle.manifest.ranker.model,
        num_permutations=num_permutations,
        max_items=max_items,
        seed=seed,
    )


def retriever_explainer(
    bundle: Bundle, encode: OnnxEncoder, num_permutations: int = 64, max_items: int = 50, seed: int = 0
) -> SampledExplainer:
    """What explains the scores of what finds candidates, by samples; arguments as above."""
    num_items = bundle.manifest.data.num_items
    vectors = None if bundle.manifest.index.kind == "scores" else bundle.item_vectors()
    return SampledExplainer(
        EncoderScores(encode, vectors, num_items),
        num_items,
        bundle.manifest.retriever.model,
        num_permutations=num_permutations,
        max_items=max_items,
        seed=seed,
    )
