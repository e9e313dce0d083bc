import pytest

# MLflow asks its store in a way that SQLAlchemy will give up.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def run(scripts, board):
    return scripts("train", *board, "model=ease", "tracking=none", "trainer.accelerator=cpu", "show_users=0").run


def test_runs_become_a_bundle_that_is_promoted(scripts, run, tmp_path):
    finished = scripts("export", f"run={run}", "output=bundles/first")
    assert finished.status == 0, finished.err
    assert "queries agree with PyTorch" in finished.out
    assert finished.out.strip().splitlines()[-1] == "bundle: bundles/first"
    again = scripts("export", f"run={run}", "output=bundles/first")
    assert again.status == 2 and "is there. Choose another output=" in again.err

    # MLflow keeps what it has opened by its address, which for other tests is another file.
    registry = f"registry.uri=sqlite:///{tmp_path / 'registry.db'}"
    finished = scripts("promote", "bundle=bundles/first", registry)
    assert finished.status == 0, finished.err
    assert finished.out.strip().splitlines()[-1] == f"champion: {tmp_path / 'bundles/first'}"
    finished = scripts("promote", "bundle=bundles/first", "roll_back=true", registry)
    assert finished.status == 2 and "several came" in finished.err
    finished = scripts("promote", "roll_back=true", registry)
    assert finished.status == 2 and "has had no other one" in finished.err


def test_a_run_that_is_not_there_is_told(scripts):
    finished = scripts("export", "run=nothing", "output=bundles/first")
    assert finished.status == 2 and "A run directory is required" in finished.err
