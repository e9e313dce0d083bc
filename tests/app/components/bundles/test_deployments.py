from app.components.bundles.deployments import bundles_table


def test_bundles_say_their_state_and_what_they_were_measured_at():
    overview = {
        "available": ["one", "two", "new"],
        "loaded": [{"name": "one", "live": True}, {"name": "two", "live": False}],
    }
    metric = {"metric": "ndcg", "k": 10, "value": 0.5, "low": 0.4, "high": 0.6}
    evaluation = {
        "bundle": "one",
        "data": "films",
        "created_at": "2026-01-02T03:04:05",
        "models": [{"model": "IALS", "metrics": [metric]}, {"model": "NeuMF", "metrics": []}],
    }
    rows = bundles_table(overview, [evaluation]).values.tolist()
    assert rows[0] == ["one", "live", "IALS + NeuMF", "0.500 [0.400, 0.600]", "films", "02 Jan 2026"]
    assert [row[1] for row in rows] == ["live", "open", "not open"] and rows[2][2:] == ["–"] * 4
