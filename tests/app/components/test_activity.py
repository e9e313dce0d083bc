from app.components.activity import activity_table, period_for


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
