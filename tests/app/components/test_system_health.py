from app.components.system_health import dependency_html


def test_the_state_is_a_word_and_not_only_a_colour():
    up = dependency_html("store", {"status": "up", "required": False, "effect": "lists are <plainer>", "detail": None})
    assert "Store answers" in up and "Without it: lists are &lt;plainer&gt;" in up
    down = dependency_html(
        "redis", {"status": "down", "required": False, "effect": "slower", "detail": "ConnectionError"}
    )
    assert "Redis is away" in down and "Now: slower" in down and "ConnectionError" in down
