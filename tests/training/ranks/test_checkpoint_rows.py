import pytest
import torch

from recsys.errors import CheckpointError
from recsys.training.ranks.checkpoint_rows import read_checkpoint, remove_old_rows, write_rows

TABLE = torch.arange(14.0).view(7, 2)
KEY = "state_dict/network.table.weight"


@pytest.fixture
def path(tmp_path):
    """A checkpoint of three ranks, which held three, three and one of the rows."""
    place = tmp_path / "last.ckpt"
    for rank, rows in enumerate(TABLE.split(3)):
        directory = write_rows(place, 4, rank, 3, {KEY: rows, "optimizer_states/0/2/exp_avg": rows * 10})
    torch.save(
        {
            "state_dict": {"network.table.weight": torch.empty(0), "network.bias": torch.ones(1)},
            "optimizer_states": [{"state": {2: {"step": torch.tensor(3.0), "exp_avg": torch.empty(0)}}}],
            "rows": {"directory": directory, "rows": {KEY: 7, "optimizer_states/0/2/exp_avg": 7}},
        },
        place,
    )
    return place


def test_one_process_reads_whole_tables(path):
    checkpoint = read_checkpoint(path)
    assert torch.equal(checkpoint["state_dict"]["network.table.weight"], TABLE)
    assert torch.equal(checkpoint["optimizer_states"][0]["state"][2]["exp_avg"], TABLE * 10)
    assert "rows" not in checkpoint


@pytest.mark.parametrize("wanted", [slice(0, 4), slice(2, 7), slice(4, 5), slice(7, 7)])
def test_any_rows_can_be_read(path, wanted):
    found = read_checkpoint(path, lambda num_rows: wanted)["state_dict"]["network.table.weight"]
    assert torch.equal(found, TABLE[wanted])


def test_missing_rows_are_told(path):
    (path.parent / "last.ckpt.rows-4-of-3" / "1.safetensors").unlink()
    with pytest.raises(
        CheckpointError, match=r"7 rows of .* are required beside .*, but there are 4\. Delete .*last\.ckpt"
    ):
        read_checkpoint(path)


def test_damaged_rows_are_told(path):
    (path.parent / "last.ckpt.rows-4-of-3" / "1.safetensors").write_bytes(b"no")
    with pytest.raises(
        CheckpointError, match=r"cannot be read .*Delete .*last\.ckpt, and training goes on from what else"
    ):
        read_checkpoint(path)


def test_a_directory_elsewhere_is_not_looked_at(path, tmp_path):
    checkpoint = torch.load(path)
    checkpoint["rows"]["directory"] = "/etc/last.ckpt.rows-4-of-3"
    torch.save(checkpoint, path)
    assert len(read_checkpoint(path)["state_dict"]["network.table.weight"]) == 7


def test_old_rows_are_removed_once_a_new_checkpoint_is_there(path):
    write_rows(path, 5, 0, 1, {KEY: TABLE})
    remove_old_rows(path, {"rows": {"directory": "last.ckpt.rows-5-of-1"}})
    assert [place.name for place in path.parent.glob("*.rows-*")] == ["last.ckpt.rows-5-of-1"]
    remove_old_rows(path, {})
    assert list(path.parent.glob("*.rows-*")) == []
