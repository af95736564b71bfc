"""Commands that are forks say and do what those of an interpreter of their own do."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.command import run_command

ENV = {"PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    "words", [["schema"], ["check", "none.yaml"], ["check", "none.yaml", "--json"], ["--nothing"]]
)
def test_a_fork_says_what_an_interpreter_of_its_own_says(words: list[str], tmp_path: Path) -> None:
    forked = run_command(*words, env=ENV, cwd=tmp_path)
    own = subprocess.run(
        [sys.executable, "-c", "from daemon.entry import main; main()", *words],
        env={**ENV, "PYTHONPATH": str(Path(__file__).parent.parent)}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (forked.returncode, forked.stdout) == (own.returncode, own.stdout)
    assert forked.stderr == own.stderr


def test_several_run_at_once_and_each_is_given_its_own_answer(tmp_path: Path) -> None:
    names = [f"{number}.yaml" for number in range(6)]
    for name in names[::2]:
        (tmp_path / name).write_text("reelkiln: 1\ntracks: [{clips: [{colour: red, length: 1}]}]\n")
    with ThreadPoolExecutor(len(names)) as pool:
        done = pool.map(lambda name: run_command("check", name, env=ENV, cwd=tmp_path), names)
        assert [one.returncode == 0 for one in done] == [True, False] * 3
    assert sorted(os.listdir(tmp_path)) == names[::2]
