"""The commands of the README are commands that exist, with settings that compose."""

import re
import shlex
from pathlib import Path

import pytest

from recsys.cli.configuration import compose_config
from recsys.cli.positional import action_and_object, as_list, as_settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "benchmarks").rglob("*.md"))]


#: Languages of blocks that have commands, and no program or data.
COMMAND_LANGUAGES = ("", "bash")


def fenced_blocks(text: str) -> list[tuple[str, str]]:
    """The language and the content of each fenced block, in order."""
    blocks: list[tuple[str, str]] = []
    language: str | None = None
    content: list[str] = []
    for line in text.splitlines(keepends=True):
        fence = re.match(r"```(\S*)", line)
        if fence is None:
            content.append(line)
        elif language is None:
            language, content = fence[1], []
        else:
            blocks.append((language, "".join(content)))
            language = None
    assert language is None, "the last block has no end"
    return blocks


def blocks_of(page: Path) -> list[str]:
    """The blocks of commands, with the variables of the shell that the page sets in their place."""
    text = page.read_text(encoding="utf-8")
    blocks = [content for language, content in fenced_blocks(text) if language in COMMAND_LANGUAGES]
    for name, value in re.findall(r'^([A-Z]+)="(.*?)"$', text, re.S | re.M):
        blocks = [block.replace(f"${name}", " ".join(value.split())) for block in blocks]
    return blocks


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
LINES = [re.split(r"\s#", line)[0].strip() for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
INLINE = [text for page in PAGES for text in re.findall(r"`(python [^`\n]+)`", page.read_text(encoding="utf-8"))]
#: Commands that take arguments which stand alone.
ALONE = {
    "scripts/compare.py": as_list("runs"),
    "scripts/triton_server.py": action_and_object("action", {"start": "repository", "serve": "version"}),
    "scripts/stack.py": action_and_object("action", {"start": "bundle"}),
    "scripts/serve.py": action_and_object("action", {"start": "bundle"}),
}
COMMANDS = sorted({line for line in [*LINES, *INLINE] if line.startswith("python ")})


def test_a_block_of_another_language_shifts_none_of_those_after_it():
    text = "```json\n{}\n```\n\nwords\n\n```bash\npython a.py\n```\n```\npython b.py\n```\n"
    assert fenced_blocks(text) == [("json", "{}\n"), ("bash", "python a.py\n"), ("", "python b.py\n")]


def test_commands_below_a_block_of_json_are_read():
    assert "python scripts/simulate.py visits=5000" in COMMANDS


def test_there_are_commands():
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_names_a_script_and_settings_that_compose(command):
    _, script, *arguments = shlex.split(command)
    assert (ROOT / script).is_file()
    if not script.startswith("scripts/"):
        return
    overrides = []
    if script in ALONE:
        arguments = as_settings(arguments, ALONE[script])
    for argument in arguments:
        if argument == "-m":
            continue
        name, _, value = argument.partition("=")
        sweep = "-m" in arguments and "," in value
        overrides.append(f"{name}={value.split(',')[0]}" if sweep else argument)
    assert compose_config(Path(script).stem, overrides=overrides)


def test_make_targets_of_the_readme_exist():
    targets = set(re.findall(r"^make (\w+)", "\n".join(LINES), re.M))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets == {
        "app",
        "demo",
        "retrain",
        "serve",
        "shell",
        "test",
        "triton",
        "up",
        "down",
        "quickstart",
        "env",
        "lock",
    }
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
