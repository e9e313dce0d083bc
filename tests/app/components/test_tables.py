import pandas as pd
from streamlit.testing.v1 import AppTest

from app.components.tables import day_text, interval_text, moment_text, number_text


def test_numbers_moments_and_intervals_are_short():
    assert (number_text(0.123456), number_text(None), number_text(float("nan"))) == ("0.1235", "–", "–")
    assert interval_text(0.5, 0.4, 0.6) == "0.500 [0.400, 0.600]" and interval_text(0.5, None, None) == "0.500"
    assert day_text("2026-01-31T03:04:05+00:00") == "31 Jan 2026"
    assert (moment_text("2026-01-02T03:04:05Z"), moment_text(None)) == ("2026-01-02 03:04", "–")


def test_texts_of_a_table_are_shown_as_they_are():
    def script():
        import pandas as pd

        from app.components.tables import show_table

        show_table(pd.DataFrame({"Item": ["M*A*S*H"], "Rank": [1]}), "one")

    page = AppTest.from_function(script).run()
    shown: pd.DataFrame = page.table[0].value
    assert not page.exception and shown["Item"].tolist() == [r"M\*A\*S\*H"]
