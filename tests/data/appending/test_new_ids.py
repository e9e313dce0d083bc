import numpy as np
import pyarrow as pa

from recsys.data.appending.new_ids import IdsInOrder
from recsys.data.vocabulary import Vocabulary


def test_ids_are_numbered_by_first_occurrence_and_gaps_close():
    known = Vocabulary(pa.array(["m", "k"]), "user_id")
    coded = Vocabulary.from_ids(pa.array(["a", "k", "z", "never"]), "user_id")  # a, k, never, z
    ids = IdsInOrder.of(known, coded, np.array([3, 1, 0, 3], dtype=np.int32))
    assert ids.every_id.to_pylist() == ["m", "k", "z", "a"]
    assert ids.index.tolist() == [2, 1, 3, 2] and ids.num_all == 4
    vocabulary, index = ids.kept(np.array([False, True, True, False]))
    assert vocabulary.ids.to_pylist() == ["m", "k", "a"] and index.tolist() == [1, 2]
