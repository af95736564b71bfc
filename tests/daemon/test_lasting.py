"""What is imported is not looked through for garbage; what is made later is."""

import gc
import subprocess
import sys

import pytest

from daemon.lasting import lasting

ENDING = """
import atexit
from daemon.lasting import end_at_once
atexit.register(print, "said before")
end_at_once()
class Told:
    def __del__(self):
        print("looked for garbage")
found = Told()
found.itself = found
del found
"""


@pytest.fixture(autouse=True)
def _not_for_good() -> object:
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def test_what_is_made_within_is_looked_through_no_more() -> None:
    before = gc.get_freeze_count()
    with lasting():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + 1000
    assert not any(found is made for found in gc.get_objects())


def test_after_a_failed_import_there_is_a_look_for_garbage_again() -> None:
    with pytest.raises(ModuleNotFoundError), lasting():
        import nowhere  # type: ignore[import-not-found] # noqa: F401
    assert gc.isenabled()


def test_a_process_ends_without_a_look_and_does_what_is_to_be_done_before() -> None:
    for code, told in (
        (ENDING, "said before\n"),
        (ENDING.replace("end_at_once()\n", ""), "said before\nlooked for garbage\n"),
    ):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, told, "")
