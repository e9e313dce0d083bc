import pytest

from tests.scripts.test_train import SMALL


@pytest.fixture
def run(scripts, board):
    return scripts.trained(*board, *SMALL, "show_users=0")


def listed(out: str) -> list[str]:
    """Item ids of the rows of the printed table."""
    rows = [line.split("|") for line in out.splitlines() if "Square" in line]
    return [row[2].strip() for row in rows]


def test_shows_unseen_titles_with_scores(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=u004", "k=5")
    assert finished.status == 0, finished.err
    assert len(listed(finished.out)) == 5
    # user 4 has interacted with every even item
    assert all(int(item) % 2 == 1 for item in listed(finished.out))
    assert "The White Square" in finished.out


def test_a_list_ends_where_no_unseen_item_is_left(scripts, run):
    assert len(listed(scripts("recommend", f"run={run}", "user=u004", "k=500").out)) == 10


def test_an_unknown_user_gets_a_message_and_the_popular_list(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=1e5", "k=3")
    assert finished.status == 0, finished.err
    assert "User 1e5 is not in table" in finished.out
    assert "Most popular" in finished.out
    assert len(listed(finished.out)) == 3


def test_no_recommendations_are_refused(scripts, run):
    finished = scripts("recommend", f"run={run}", "user=u004", "k=0")
    assert finished.status == 2
    assert "k must be at least 1, but it is 0" in finished.err


def test_needs_no_raw_files(scripts, run):
    (scripts.directory / "interactions.csv").unlink()
    finished = scripts("recommend", f"run={run}", "user=u004", "k=2")
    assert finished.status == 0, finished.err
    assert len(listed(finished.out)) == 2


class TestNewUser:
    @pytest.fixture
    def content_run(self, scripts, board):
        arguments = ["model=content", "tracking=none", "trainer.accelerator=cpu", "show_users=0"]
        return scripts.trained(*board, *arguments)

    def test_is_told_items_like_those_of_the_history(self, scripts, content_run):
        finished = scripts("recommend", f"run={content_run}", "history=[00,04]", "k=4")
        assert finished.status == 0, finished.err
        # black squares have even numbers; what was seen is not recommended
        assert len(listed(finished.out)) == 4
        assert all(int(item) % 2 == 0 and item not in ("00", "04") for item in listed(finished.out))

    def test_ids_are_taken_as_they_were_written(self, scripts, content_run):
        # Hydra reads 1e5 and 4 as numbers, and 04 as text
        finished = scripts("recommend", f"run={content_run}", "history=[04,1e5,4,04]", "k=2")
        assert finished.status == 0, finished.err
        assert "left out: 1e5, 4. Ids are compared as text" in " ".join(finished.out.split())
        assert len(listed(finished.out)) == 2

    def test_of_whom_nothing_is_known_gets_a_message_and_the_popular_list(self, scripts, content_run):
        finished = scripts("recommend", f"run={content_run}", "history=[nowhere]", "k=3")
        assert finished.status == 0, finished.err
        assert "left out: nowhere" in finished.out
        assert "here is what is popular" in finished.out
        assert "Most popular" in finished.out
        assert len(listed(finished.out)) == 3

    def test_is_told_what_is_popular_by_a_model_that_does_not_fold_in(self, scripts, run):
        finished = scripts("recommend", f"run={run}", "history=[04]", "k=3")
        assert finished.status == 0, finished.err
        assert "The model scores only users that it was trained with: here is what is popular." in finished.out
        assert "Most popular" in finished.out
        assert len(listed(finished.out)) == 3 and "04" not in listed(finished.out)

    def test_is_told_items_by_the_features_of_the_user(self, scripts, board):
        users = ["user_id,side", *(f"u{user:03},{'odd' if user % 2 else 'even'}" for user in range(30))]
        (scripts.directory / "users.csv").write_text("\n".join(users), encoding="utf-8")
        tables = [*board, "data.users=users.csv", "data.user_features={side: categorical}"]
        models = ["model=two_tower", "training=next_item", "trainer.max_epochs=3", "trainer.accelerator=cpu"]
        run = scripts("train", *tables, *models, "tracking=none", "show_users=0").run

        def told(*arguments):
            finished = scripts("recommend", f"run={run}", *arguments, "k=20")
            assert finished.status == 0, finished.err
            return finished.out

        even, odd = (told("history=[00,04]", f"user_features={{side: {side}}}") for side in ("even", "odd"))
        assert even != odd
        assert "For a new user" in even
        assert "For a new user" in told("user_features={side: even}")
        assert "without effect: side: left" in told("user=u004", "user_features={side: left}")
        assert "User nobody is not in table" in told("user=nobody", "user_features={side: odd}")
        finished = scripts("recommend", f"run={run}", "user=u004", "user_features={age: 3}")
        assert finished.status == 2 and "only side count" in finished.err
        finished = scripts("recommend", f"run={run}", "user=u004", "user_features=3")
        assert finished.status == 2 and "user_features must be columns with their values" in finished.err

    def test_ratings_of_data_without_ratings_are_refused(self, scripts, content_run):
        finished = scripts("recommend", f"run={content_run}", "history=[04]", "ratings=[5]")
        assert finished.status == 2
        assert "table has none. Leave ratings out" in finished.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "none of them came"),
        (["user=u004", "history=[04]"], "both came"),
        (["user=u004", "ratings=[5]"], "ratings belong to the items of history="),
    ],
    ids=["neither", "both", "ratings alone"],
)
def test_one_user_must_be_asked_for(scripts, arguments, message):
    finished = scripts("recommend", "run=nowhere", *arguments)
    assert finished.status == 2
    assert message in finished.err
