import math

from app.components.system_numbers import latency_table, receipts_table
from app.service.metrics import Latency

ONE = Latency(2, 0.03, ((0.01, 1.0), (0.02, 2.0), (math.inf, 2.0)))


def test_stages_come_in_their_order_and_unmeasured_ones_not_at_all():
    table = latency_table({"other": ONE, "model": ONE, "state": ONE, "plan": Latency(0, 0.0, ())}, ["state", "model"])
    assert list(table["Name"]) == ["state", "model", "other"]
    assert table["Mean"][0] == 15


def test_receipts_say_what_was_deleted_and_which_bundles_knew_the_user():
    receipt = {
        "completed_at": "2026-01-05T10:20:30.5+00:00",
        "receipt_id": "r",
        "deleted": {"interactions": 1200, "users": 1},
        "bundles": [{"name": "first", "until": "2026-02-04T00:00:00+00:00"}],
    }
    assert receipts_table([receipt]).values.tolist() == [
        ["2026-01-05 10:20:30", "r", "1,200 interactions, 1 users", "first until 2026-02-04"]
    ]
    assert receipts_table([receipt | {"bundles": []}])["Bundles that knew the user"][0] == "none"
