"""A linear layer over rows of a table, computed once for each row where a batch reads it several times.

Shape suffixes: I rows of the table, D dim, H units.
"""

from __future__ import annotations

from torch import Tensor, nn

from recsys.models.layers.embedding import Embedding

#: How many reads a row of the table must have on average before it pays to project the whole table: gathering what came
#: out moves H numbers a pair in place of D.
READS_PER_ROW = 4
#: And the fewest dimensions: on the CPU the layer by pairs is fused with those that follow. Of 82,000 pairs with 3,706
#: items, forward and backward, the whole table took 0.91 of its time with 128 dimensions and 256 units, and 1.19 with
#: 64 and 128 (one thread, AVX2).
LEAST_DIM = {"cpu": 128}


def pays_by_table(vectors: Embedding, num_ids: int) -> bool:
    """Whether a batch reads the rows of a table so often that a layer over the whole table is less work."""
    enough = vectors.embedding_dim >= LEAST_DIM.get(vectors.weight.device.type, 1)
    return enough and num_ids >= READS_PER_ROW * vectors.num_embeddings


def projected_rows(layer: nn.Linear, vectors: Embedding, ids: Tensor) -> Tensor:
    """``layer(vectors(ids))``, with the same gradients, by the cheaper of two ways.

    Args:
        layer: from D to H units.
        vectors: the table, shape [I, D].
        ids: rows, int64, any shape.

    Returns:
        H units last, after the shape of ``ids``.
    """
    if not pays_by_table(vectors, ids.numel()):
        projected: Tensor = layer(vectors(ids))
        return projected
    of_table: Tensor = layer(vectors.table())
    return of_table.index_select(0, ids.flatten()).unflatten(0, ids.shape)
