from app.components.experiments.power_calculator import power_request, power_row


def test_a_request_has_shares_and_days_only_of_users_a_day():
    assert power_request({"rate": 0.1}, 0.05, 0.8, 0) == {"rate": 0.1, "relative_change": 0.05, "power": 0.8}
    assert power_request({"rate": 0.1}, -3.0, 0.8, 50)["units_per_day"] == 50
    assert power_request({"rate": 0.1}, -3.0, 0.8, 50)["relative_change"] == -1.0


def test_a_row_is_in_percent_and_says_nothing_of_days_that_are_not_known():
    found = {"fixed_horizon": 1_000, "always_valid": 1_900, "days_fixed_horizon": None, "days_always_valid": 9.5}
    assert power_row(5.0, found) == ["+5 %", "1,000", "–", "1,900", "9.5"]
