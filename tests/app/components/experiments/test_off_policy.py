from app.components.experiments.off_policy import Success, explores, usual_success


def test_only_a_variant_with_chance_explores():
    plain = {"variants": [{"name": "control"}, {"name": "new", "list_options": {"k": 3}}]}
    assert not explores(plain)
    assert explores({"variants": [{"name": "new", "list_options": {"exploration": {"slots": [1], "epsilon": 0.1}}}]})


def test_a_success_is_what_the_experiment_counts():
    definition = {"metrics": [{"name": "buyers", "event": "purchase"}], "attribution_window_hours": 2}
    assert usual_success(definition) == Success("purchase", 2.0)
    assert usual_success({"variants": []}) == Success("click", 24.0)
