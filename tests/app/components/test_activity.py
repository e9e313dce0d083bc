from app.components.activity import activity_table, period_for, with_bar_ends


def counted(*days):
    return [{"start": day, "type": "rating", "num_interactions": 2, "mean_value": None} for day in days]


def test_the_shortest_period_with_few_bars_is_taken():
    assert period_for(counted("2026-01-01", "2026-02-10")) == "day"
    assert period_for(counted("2026-01-01", "2026-09-10")) == "week"
    assert period_for(counted("2024-01-01", "2026-09-10")) == "month"
    assert period_for(counted("1970-01-01", "2026-09-10")) == "year"
    assert period_for(counted("1000-01-01", "2026-09-10")) == "year"


def test_counts_are_a_table():
    assert activity_table(counted("2026-01-01")).values.tolist()[0][:3] == ["2026-01-01", "rating", 2]


def test_types_of_one_period_stand_on_each_other():
    periods = [("2026-01-01", "click", 3), ("2026-01-01", "rating", 2), ("2026-01-02", "click", 1)]
    table = with_bar_ends(
        activity_table([{"start": a, "type": b, "num_interactions": n, "mean_value": None} for a, b, n in periods])
    )
    assert table[["Bottom", "Top"]].values.tolist() == [[0, 3], [3, 5], [0, 1]]
