from app.components.experiments.off_policy import explores


def test_only_a_variant_with_chance_explores():
    plain = {"variants": [{"name": "control"}, {"name": "new", "list_options": {"k": 3}}]}
    assert not explores(plain)
    assert explores({"variants": [{"name": "new", "list_options": {"exploration": {"slots": [1], "epsilon": 0.1}}}]})
