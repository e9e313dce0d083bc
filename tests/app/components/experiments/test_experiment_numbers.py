from app.components.experiments.experiment_numbers import (
    estimates_table,
    experiments_table,
    looks_table,
    told_looks,
    variants_table,
)

VARIANTS = [{"name": "control", "share": 0.5}, {"name": "new", "share": 0.5, "bundle": "two", "list_options": {}}]
DEFINITION = {"variants": VARIANTS, "buckets": [[0, 5_000]]}


def look(at, low, verdict):
    compared = {"metric": "clicks", "control": 0.1, "treatment": 0.3, "difference": 0.2, "low": low, "high": 0.4}
    return {
        "at": at,
        "num_units": {"control": 10, "new": 12},
        "comparisons": {"new": [{**compared, "verdict": verdict}]},
    }


def test_experiments_come_the_latest_first():
    made = [
        {"name": name, "status": "running", "definition": DEFINITION, "started_at": None}
        for name in ("first", "second")
    ]
    assert experiments_table(made).values.tolist()[0] == ["second", "running", "50%", "control, new", "–"]


def test_variants_say_what_they_are_and_how_many_users_count():
    table = variants_table(DEFINITION, {"control": 1_000})
    assert table.values.tolist() == [
        ["control", "50%", "as everybody has it", "1,000"],
        ["new", "50%", "bundle two", "0"],
    ]
    assert variants_table(DEFINITION)["Users analysed"].tolist() == ["–", "–"]


def test_looks_have_intervals_where_it_is_not_too_early():
    looks = [look("2026-01-01T00:00:00Z", None, "too early"), look("2026-01-02T00:00:00Z", 0.1, "better")]
    table = looks_table(looks, "new", "clicks")
    assert table["Users"].tolist() == [22, 22] and table["Low"].isna().tolist() == [True, False]
    told = told_looks(table)
    assert told["Interval"].tolist() == ["0.1000 to 0.4000", "– to 0.4000"] and told["Verdict"][0] == "better"
    assert looks_table(looks, "other", "clicks").empty


def test_estimates_say_what_they_rest_on():
    estimate = {
        "estimator": "snips",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "verdict": "better",
        "overlap": {"effective_size": 812.4},
    }
    assert estimates_table({"estimates": [estimate]}).values.tolist() == [
        ["snips", "0.5000", "0.4000 to 0.6000", "812", "better"]
    ]
