from app.components.row_names import names_axis, two_lines


def test_long_names_have_lines_and_a_long_word_stays_whole():
    route = "/v1/experiments/{experiment_id}/results"
    assert two_lines(["Taken away: there were enough better ones", "Rank", route]) == [
        "Taken away: there were enough\nbetter ones",
        "Rank",
        route,
    ]
    assert names_axis().to_dict()["labelExpr"] == "split(datum.label, '\\n')"
