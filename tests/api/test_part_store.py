import pickle

import pytest

from recsys.api.list_parts import ListParts
from recsys.api.list_shards import ListShards
from recsys.errors import RequestError


@pytest.mark.parametrize(("kind", "name"), [(ListParts, "lists.csv"), (ListShards, "lists")])
def test_a_store_can_be_sent_and_knows_its_settings(kind, name, tmp_path):
    store = kind(tmp_path / name, {"k": 3, "when": tmp_path})
    store.start()
    sent = pickle.loads(pickle.dumps(store))
    assert sent.output == tmp_path / name and not sent.has(0) and not sent.finished
    sent.start()
    with pytest.raises(RequestError, match="begun with other settings: k was 3, and is 4 now"):
        kind(tmp_path / name, {"k": 4, "when": tmp_path}).start()
