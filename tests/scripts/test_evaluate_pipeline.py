import json

import pytest

from tests.scripts.test_recommend import listed

CLOSED_FORM = ["tracking=none", "trainer.accelerator=cpu", "show_users=0"]


@pytest.fixture
def train(scripts, coloured_board):
    def trained(model, *arguments):
        return str(scripts.trained(*coloured_board, f"model={model}", *CLOSED_FORM, *arguments))

    return trained


def measured(scripts, *arguments):
    finished = scripts("evaluate_pipeline", "num_candidates=8", "k=4", "evaluation.bootstrap_samples=20", *arguments)
    assert finished.status == 0, finished.err
    page = scripts.directory / finished.out.strip().splitlines()[-1].removeprefix("pipeline: ")
    return finished.out, page, json.loads((page.parent / "pipeline.json").read_text(encoding="utf-8"))


def test_two_runs_are_two_stages(scripts, train):
    popular, ease = train("popularity"), train("ease")
    out, page, numbers = measured(
        scripts, f"run={popular}", f"ranker={ease}", "diversity=mmr", "diversity_weights=[0,0.5]"
    )
    assert page.parent.parent == scripts.directory / "pipeline"
    assert page.name == "pipeline.md"
    assert (page.parent / "pipeline.png").read_bytes().startswith(b"\x89PNG")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Popularity, ranked by EASE on table, test\n")
    for heading in ("## Stages", "## mmr", "## Time"):
        assert heading in text
    assert "| mmr 0.3 |" in text
    assert "calibrated" not in text
    # the strength of the pipeline is compared as well
    assert set(numbers["lists"]) == {"retrieved", "ranked", "mmr 0", "mmr 0.3", "mmr 0.5"}
    assert numbers["lists"]["mmr 0"]["lists/ndcg@4"] == numbers["lists"]["ranked"]["lists/ndcg@4"]
    assert numbers["lists"]["ranked"]["lists/ndcg@4"] > numbers["lists"]["retrieved"]["lists/ndcg@4"]
    assert set(numbers["batch_milliseconds"]) == {"retrieve", "filter", "rank", "diversify"}
    assert "recall@8" in out


def test_vectors_retrieve_as_scores_do(scripts, train):
    run = train("pure_svd", "model.embedding_dim=4")
    _, _, by_scores = measured(scripts, f"run={run}", "diversity_weights=[0]")
    _, page, by_vectors = measured(
        scripts, f"run={run}", "diversity_weights=[0]", "retrieval=vectors", "output=vectors"
    )
    assert by_vectors["lists"]["retrieved"] == pytest.approx(by_scores["lists"]["retrieved"])
    # without a choice all re-rankers are compared
    assert "## mmr" in page.read_text(encoding="utf-8")
    assert "## calibrated" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["retrieval=magic"], "retrieval must be scores or vectors, but it is magic"),
        (["retrieval=vectors"], "retrieves by vectors is required, but EASE has none"),
        (["num_candidates=3", "k=4"], "k must be from 1 to num_candidates=3, but it is 4"),
        (["diversity=most"], "diversity must be mmr, calibrated or null, but it is most"),
        (["diversity_weights=[2]"], "Each number of diversity_weights must be from 0"),
        (["diversity_column=genre"], "There is no column genre of items"),
        (["stage=train"], "stage must be valid or test"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_setting_is_one_message(scripts, train, arguments, message):
    finished = scripts("evaluate_pipeline", f"run={train('ease')}", *arguments)
    assert finished.status == 2
    assert message in finished.err


def test_runs_of_different_splits_are_refused(scripts, train):
    first, second = train("popularity"), train("ease", "split=leave_random_out")
    finished = scripts("evaluate_pipeline", f"run={first}", f"ranker={second}")
    assert finished.status == 2
    assert "Runs of the same data and split are required, but their split_hash are" in finished.err


class TestRecommend:
    """The same wishes for a single user."""

    @pytest.fixture
    def run(self, train):
        return train("ease")

    def recommended(self, scripts, run, *arguments):
        finished = scripts("recommend", f"run={run}", *arguments)
        assert finished.status == 0, finished.err
        return listed(finished.out), " ".join(finished.out.split())

    # user 4 has all even items, so that the ten odd ones are left; items 1, 5, 9, ... are small, items 3, 7, ... large
    def test_only_and_without(self, scripts, run):
        items, _ = self.recommended(scripts, run, "user=u004", "k=4", "filters={sizes: {any_of: [small]}}")
        assert len(items) == 4
        assert all(int(item) % 4 == 1 for item in items)
        items, _ = self.recommended(scripts, run, "user=u004", "k=4", "filters={sizes: {none_of: [small]}}")
        assert len(items) == 4
        assert all(int(item) % 4 == 3 for item in items)

    def test_between(self, scripts, run):
        items, out = self.recommended(scripts, run, "user=u004", "k=4", "filters={year: {gte: 2005, lte: 2008}}")
        assert sorted(items) == ["05", "07"]
        assert "The filters leave 2 unseen items." in out

    def test_blocked(self, scripts, run):
        items, out = self.recommended(scripts, run, "user=u004", "k=20", "exclude_items=[01,03,1]")
        assert len(items) == 8
        assert not {"01", "03"} & set(items)
        assert "left out: 1. Ids are compared as text" in out

    def test_a_new_user_wishes_too(self, scripts, run):
        arguments = ["history=[00,04]", "k=3", "filters={sizes: {any_of: [large]}}"]
        items, _ = self.recommended(scripts, run, *arguments)
        assert len(items) == 3
        assert all(int(item) % 4 >= 2 for item in items)

    def test_so_does_one_of_whom_nothing_is_known(self, scripts, run):
        items, out = self.recommended(
            scripts, run, "user=nobody", "k=3", "filters={sizes: {any_of: [large]}}", "exclude_items=[02]"
        )
        assert "Most popular" in out
        assert len(items) == 3
        assert all(int(item) % 4 >= 2 and item != "02" for item in items)

    @pytest.mark.parametrize("diversity", ["mmr", "calibrated"])
    def test_strength_0_changes_nothing(self, scripts, run, diversity):
        plain, _ = self.recommended(scripts, run, "user=u004", "k=6")
        same, _ = self.recommended(scripts, run, "user=u004", "k=6", f"diversity={diversity}", "diversity_weight=0")
        assert same == plain

    def test_diversity_mixes_what_is_unlike(self, scripts, run):
        items, _ = self.recommended(
            scripts, run, "user=u004", "k=2", "diversity=mmr", "diversity_weight=1", "diversity_column=sizes"
        )
        assert {int(item) % 4 for item in items} == {1, 3}

    def test_a_value_that_no_item_has_leaves_the_others_and_is_named(self, scripts, run):
        finished = scripts("recommend", f"run={run}", "user=u004", "filters={sizes: {any_of: [huge, large]}}")
        assert finished.status == 0
        assert "No item has what the filters name: sizes: huge." in " ".join(finished.out.split())

    @pytest.mark.parametrize(
        ("wish", "message"),
        [
            ("filters={size: {none_of: [small]}}", "There is no column size of items. The columns are"),
            ("filters={year: 2005}", "must have any_of, none_of, gte or lte"),
            ("diversity=most", "diversity must be mmr, calibrated or null"),
        ],
        ids=["column", "range", "diversity"],
    )
    def test_what_does_not_exist_is_named(self, scripts, run, wish, message):
        finished = scripts("recommend", f"run={run}", "user=u004", wish)
        assert finished.status == 2
        assert message in finished.err


def test_a_directory_that_cannot_be_made_is_refused_before_a_run_is_opened(scripts):
    (scripts.directory / "file").write_text("", encoding="utf-8")
    finished = scripts("evaluate_pipeline", "run=nowhere", "output=file/below")
    assert finished.status == 2
    assert "A directory is required for the results, but file/below cannot be made" in finished.err
