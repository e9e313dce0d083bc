import pytest

from recsys.cli.commands import typed_command
from tests.scripts.test_cold_start import coloured

__all__ = ["coloured"]


def listed(out: str) -> list[str]:
    """Item ids of the rows of the printed table."""
    rows = [[cell.strip() for cell in line.split("|")] for line in out.splitlines() if line.startswith("|")]
    return [row[1] for row in rows if row[1].isdigit()]


def test_lists_items_to_ask_for(scripts, coloured):
    finished = scripts("elicit", *coloured, "k=4")
    assert finished.status == 0, finished.err
    assert len(set(listed(finished.out))) == 4
    assert "known to" in finished.out


def test_after_answers_it_asks_for_other_items_that_are_likely_to_be_known(scripts, coloured):
    finished = scripts("elicit", *coloured, "k=3", "known=[00,02]", "unknown=[01,03]", "num_components=1")
    assert finished.status == 0, finished.err
    items = listed(finished.out)
    assert len(items) == 3
    assert not {"00", "01", "02", "03"} & set(items)
    assert all(int(item) % 2 == 0 for item in items)


def test_a_run_gives_its_data_and_then_its_recommendations(scripts, coloured):
    arguments = ["model=content", "tracking=none", "trainer.accelerator=cpu", "show_users=0"]
    run = scripts("train", *coloured, *arguments).run
    finished = scripts("elicit", f"run={run}", "k=2", "known=[04]")
    assert finished.status == 0, finished.err
    last = finished.out.strip().splitlines()[-1]
    assert last == f"recommendations now: {typed_command('recommend')} run={run} 'history=[04]'"
    assert scripts("recommend", f"run={run}", "history=[04]").status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["k=0"], "k must be at least 1, but it is 0"),
        (["known=[xx]"], "known must list items of table, but it has no xx"),
        (["known=[00]", "unknown=[00]"], "An item is either known or not, but 00 came as both"),
        (["num_components=0"], "num_components must be at least 1, but it is 0"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_one_clear_message(scripts, coloured, arguments, message):
    finished = scripts("elicit", *coloured, *arguments)
    assert finished.status == 2
    assert message in finished.err
    assert "Traceback" not in finished.err


class TestSimulation:
    PLAIN = ("trainer.accelerator=cpu", "questions=[1,2]", "num_components=2", "output=out/page.md")

    def test_asks_held_out_users_in_each_way(self, scripts, coloured):
        finished = scripts("simulate_elicitation", *coloured, *self.PLAIN, "model=ease", "split.test_ratio=0.3")
        assert finished.status == 0, finished.err
        assert finished.out.strip().endswith("elicitation: out/page.md")
        page = (scripts.directory / "out" / "page.md").read_text()
        assert page.startswith("# EASE on table, test\n\n`python scripts/simulate_elicitation.py data=table")
        for way in ("most popular", "random", "chosen list", "chosen by the answers"):
            assert page.count(f"| {way} |") == 2
        assert page.count("| everything given |") == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["model=mf"], "A model of likes that folds in unseen users is required"),
            (["questions=[0]"], "Each number of questions must be at least 1"),
            (["stage=train"], "stage must be valid or test, but it is train"),
            (["split=random_ratio", "~split.given_ratio"], "Something must be given of held-out users"),
            (["resume=runs/x"], "cannot be resumed"),
        ],
        ids=lambda value: value[0] if isinstance(value, list) else "",
    )
    def test_one_clear_message(self, scripts, coloured, arguments, message):
        finished = scripts("simulate_elicitation", *coloured, *self.PLAIN, *arguments)
        assert finished.status == 2
        assert message in finished.err
        assert "Traceback" not in finished.err
