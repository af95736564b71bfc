"""The house rules, run as tests: lint, format, types, floors."""

import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def test_the_readme_and_the_machine_run_the_same_test_command() -> None:
    command = (HOUSE / ".ci" / "run").read_text().splitlines()[-1]
    assert f"    {command}\n" in (HOUSE / "README.md").read_text()
    assert f"    {command}\n" in (HOUSE / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("lint-imports",)],
    ids=" ".join,
)
def test_the_house_rules_hold(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=HOUSE, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
