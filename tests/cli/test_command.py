import os
import signal
import subprocess
import sys
import time

import pytest
from omegaconf import OmegaConf

from recsys.cli.command import config_command
from tests.scripts.running import SCRIPTS


def run(monkeypatch, tmp_path, body, *arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["export_triton.py", *arguments])
    return config_command("export_triton")(body)()


def test_a_command_gets_its_configuration(monkeypatch, tmp_path):
    seen = []
    run(monkeypatch, tmp_path, lambda config: seen.append(OmegaConf.to_container(config)), "bundle=a", "output=b")
    assert seen == [{"bundle": "a", "output": "b", "version": None, "instances": 1, "models": "in_process"}]
    assert list(tmp_path.iterdir()) == []
    assert "HYDRA_FULL_ERROR" not in os.environ


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bundle=a"], "error: output is required, but it was not given. Add output=...\n"),
        (
            ["bundle=a", "output=b", "instances=0"],
            "error: instances must be at least 1, but it is 0. Correct instances=0.\n",
        ),
        (["bundle=a=b", "output=b"], """must be quoted: 'bundle="a=b"'\n"""),
        (["bundles=a", "output=b"], "error: There is no setting bundles"),
    ],
)
def test_what_is_wrong_is_one_message_and_the_body_does_not_begin(monkeypatch, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, tmp_path, lambda config: pytest.fail("it has begun"), *arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("error:") == 1
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_a_bug_keeps_its_traceback(monkeypatch, tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(monkeypatch, tmp_path, lambda config: 1 / 0, "bundle=a", "output=b")


def test_an_interrupt_is_one_line(monkeypatch, tmp_path, capsys):
    def interrupted(config):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    with pytest.raises(SystemExit) as end:
        run(monkeypatch, tmp_path, interrupted, "bundle=a", "output=b")
    assert end.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("module", ["omegaconf", "hydra", "numpy", "torch"])
def test_an_interrupt_while_libraries_are_imported_is_one_line(tmp_path, module):
    script = [sys.executable, "-X", "importtime", str(SCRIPTS / "train.py"), "data=synthetic", "tracking=none"]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        # Python writes a line for each module when it has been imported, those that a module imports before it.
        for line in process.stderr:
            if line.split("|")[-1].strip().startswith(module):
                break
        process.send_signal(signal.SIGINT)
        output, error = process.communicate()
    told = [line for line in error.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, output, told) == (130, "", ["interrupted"])
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_ends_does_not_look_for_cycles_and_still_does_what_it_has_to(tmp_path):
    program = (
        "import atexit, gc\n"
        "from recsys.cli.command import command_process\n"
        "atexit.register(lambda: print('ended with', gc.get_freeze_count() > 0))\n"
        "with command_process(): pass\n"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "ended with True\n"


def test_importing_a_command_loads_nothing_that_takes_time():
    program = "import sys; import recsys.cli.command; print({'hydra', 'torch', 'rich', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"
