import shutil
from types import SimpleNamespace

import pytest

from recsys.errors import BundleError
from recsys.runtime.versions.registry import CHALLENGER, CHAMPION, BundleRegistry, described
from tests.export.board_bundles import board_bundle

# MLflow asks its store in a way that SQLAlchemy will give up.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture
def registry(tmp_path):
    return BundleRegistry(f"sqlite:///{tmp_path / 'mlflow.db'}", "board")


def test_aliases_point_to_versions_and_go_back(registry):
    first, second = (registry.register(board_bundle(name)) for name in ("mf", "ease"))
    assert [first.version, second.version] == [1, 2]
    assert first.description == "MF on board: test/ndcg@10 0.5000"
    registry.promote(1, CHAMPION)
    registry.promote(2, CHALLENGER)
    assert registry.with_alias(CHAMPION).directory == board_bundle("mf")
    registry.promote(2, CHAMPION)
    assert [known.aliases for known in registry.versions()] == [(), (CHALLENGER, CHAMPION)]
    assert registry.roll_back(CHAMPION).version == 1
    assert registry.with_alias(CHAMPION).version == 1
    assert registry.roll_back(CHAMPION).version == 2


def test_a_bundle_is_entered_once(registry):
    assert registry.register(board_bundle("mf")).version == registry.register(board_bundle("mf")).version == 1


def test_a_bundle_that_came_in_the_place_of_another_is_a_version_of_its_own(registry, tmp_path):
    place = shutil.copytree(board_bundle("mf"), tmp_path / "live")
    registry.promote(registry.register(place).version, CHAMPION)
    shutil.rmtree(place)
    with pytest.raises(BundleError, match="Version 1 is the bundle that was in .*, but another one, or none, is there"):
        registry.with_alias(CHAMPION)
    shutil.copytree(board_bundle("ease"), place)
    with pytest.raises(BundleError, match="Version 1 is the bundle that was in"):
        registry.with_alias(CHAMPION)
    new = registry.register(place)
    registry.promote(new.version, CHAMPION)
    assert new.version == 2 and registry.with_alias(CHAMPION).description.startswith("EASE")
    with pytest.raises(BundleError, match="Version 1 is"):
        registry.roll_back(CHAMPION)
    assert registry.with_alias(CHAMPION).version == 2


def test_what_is_not_there_is_told(registry, tmp_path):
    with pytest.raises(
        BundleError, match="A version of board with the alias champion is required, but there are no al"
    ):
        registry.with_alias(CHAMPION)
    with pytest.raises(BundleError, match="1 is none of none"):
        registry.promote(1, CHAMPION)
    with pytest.raises(BundleError, match="has had no other one"):
        registry.roll_back(CHAMPION)
    with pytest.raises(BundleError, match=r"has no manifest.json"):
        registry.register(tmp_path)
    broken = shutil.copytree(board_bundle("mf"), tmp_path / "broken")
    (broken / "items.parquet").write_bytes(b"")
    with pytest.raises(BundleError, match="changed or damaged"):
        registry.register(broken)
    assert registry.versions() == []


def test_a_registry_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, " * 100)
    with pytest.raises(BundleError, match="The model registry sqlite:.* does not do what is asked"):
        BundleRegistry(f"sqlite:///{tmp_path / 'mlflow.db'}", "board").versions()


def test_metrics_that_were_measured_before_a_refit_say_so():
    source = SimpleNamespace(model="MF", metrics={"before_refit/test/ndcg@10": 0.25, "before_refit/test/ndcg@5": 0.2})
    manifest = SimpleNamespace(retriever=source, ranker=None, data=SimpleNamespace(name="shop"))
    assert described(SimpleNamespace(manifest=manifest)) == "MF on shop: before_refit/test/ndcg@10 0.2500"
