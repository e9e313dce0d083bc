from datetime import UTC, datetime, timedelta

from tests.app.conftest import texts
from tests.serving.experimenting.shown_lists import show_lists


def section(page, name):
    return page.segmented_control(key="experiments section").set_value(name).run()


def press(page, label):
    return next(one for one in page.button if one.label == label).click().run()


def test_an_experiment_is_defined_started_watched_and_paused(address, api, store, open_page):
    page = open_page("experiments")
    assert not page.exception and "There is no experiment yet" in texts(page)
    section(page, "New")
    next(one for one in page.text_input if one.label == "Name").set_value("More diverse lists")
    page.selectbox("treatment diversity").set_value("mmr")
    for hours in [one for one in page.number_input if one.label.startswith("Hours in which")]:
        hours.set_value(0.5)
    press(page, "Make a draft")
    assert not page.exception and "It has not begun" in texts(page)
    press(page, "Start")
    users, then = [f"user-{number}" for number in range(600)], datetime.now(UTC) - timedelta(hours=30)
    show_lists(
        store, "more-diverse-lists", users, then, lambda variant, n: n % (2 if variant == "treatment" else 9) == 0
    )
    page.run()
    assert not page.exception and "Better" in texts(page) and "Sample ratio" in texts(page)
    press(page, "Pause")
    press(page, "Go on")
    assert not page.exception and "Stop" in [one.label for one in page.button]


def test_experiments_are_planned_and_judged(address, api, open_page):
    page = open_page("experiments")
    section(page, "Power")
    (table,) = page.table
    assert not page.exception and len(table.value) == 3 and r"\+5 %" in table.value["Change"].tolist()
    section(page, "Off-policy")
    assert not page.exception and "No experiment explores" in texts(page)
