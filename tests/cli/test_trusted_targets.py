import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from recsys.cli import trusted_targets
from recsys.cli.trusted_targets import check_targets, is_allowed, trust
from recsys.errors import RunError

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def nothing_trusted():
    trust(())
    yield
    trust(())


def test_all_that_the_framework_configures_is_allowed():
    found = {
        target
        for path in CONFIGS.rglob("*.yaml")
        for key, target in trusted_targets._targets(OmegaConf.to_container(OmegaConf.load(path)), "")
        if not key.startswith("hydra.") and path.parent.name != "pruner"  # which no run keeps
    }
    assert len(found) > 60
    assert [target for target in found if not is_allowed(target)] == []


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "recsys.runs.run_directory.os.system",  # what a module of ours has imported
        "recsys.data.prepared_files.shutil.rmtree",
        "recsys.data.prepared.Path",
        "recsys.cli.main.main",  # runs any command
        "recsys.models.mf.nn.Sequential",
        "recsys.models.mf.MF.load_state_dict",
        "recsys.training.checkpointing.checkpoints.TorchCheckpointIO",
        "recsys.models.mf.NoSuchModel",
        "recsys.models.no_such_module.MF",
        "recsysx.models.mf.MF",
        "torch.hub.load",
        "torch.load",
        "torch.optim.torch.load",
        "pytorch_lightning.Trainer.fit",
        "hydra.utils.get_object",
        "",
        "...",
    ],
)
def test_anything_else_is_not(target):
    assert not is_allowed(target)


def test_nothing_outside_is_even_imported(tmp_path, monkeypatch):
    (tmp_path / "hostile.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not is_allowed("hostile.Model")
    assert "hostile" not in sys.modules


def test_classes_of_a_training_are_known_without_lightning():
    program = (
        "import sys; from recsys.cli.trusted_targets import is_allowed; "
        "names = 'sampled_negatives.SampledNegativesModule', 'full_catalogue.FullCatalogueModule'; "
        "print(*[is_allowed(f'recsys.training.{name}') for name in names], 'pytorch_lightning' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["True", "True", "False"]


@pytest.mark.parametrize(
    "content",
    [
        {"model": {"_target_": "os.system"}},
        {"model": {"sources": {"a": {"inner": [{"x": {"_target_": "os.system"}}]}}}},
        {"trainer": {"callbacks": [{"_target_": "os.system"}]}},
        {"unused": [[{"_target_": "os.system", "_partial_": True}]]},
        {"model": {"_target_": ["os.system"]}},
    ],
)
def test_however_deep_it_stands_it_is_refused(content):
    with pytest.raises(RunError, match=r"config.yaml has .*_target_=.*os.system.*, which would run other code"):
        check_targets(content, Path("config.yaml"))


def test_what_the_user_trusts_is_allowed_until_they_trust_others():
    trust(["mypackage", "other.models"])
    assert is_allowed("mypackage.Model") and is_allowed("mypackage.deep.Model") and is_allowed("other.models.A")
    assert not is_allowed("mypackages.Model") and not is_allowed("other.Model")
    trust(())
    assert not is_allowed("mypackage.Model")


def test_the_message_says_how_to_trust():
    with pytest.raises(RunError, match=r"add trusted_modules=\[mypackage\]"):
        check_targets({"model": {"_target_": "mypackage.models.Mine"}}, Path("config.yaml"))
