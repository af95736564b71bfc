"""Kills the real `reelkiln serve` at its system calls, by strace; prints how often it died.

python -m benchmarks.strace_storm [stride] [most kills]

Every `stride`th call of each kind that changes a disk is the last one of a daemon with a tiny spec
to render; the daemon and its render are killed together. A daemon that is left alone must then
finish, and nothing may be lost, doubled, halved or left over.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from renderer.bundle import verify

CALLS = (
    "rename", "renameat2", "fsync", "unlink", "unlinkat", "mkdir", "rmdir", "write", "openat",
)  # fmt: skip
SPEC = {
    "reelkiln": 1,
    "id": "t",
    "output": {"size": "64x36", "fps": 10, "quality": "draft"},
    "tracks": [{"clips": [{"colour": "navy", "length": "0.3s"}]}],
}
BROKEN = {"reelkiln": 1, "tracks": 5}
DROPS = {"good.json": SPEC, "again.json": SPEC, "broken.json": BROKEN}
PATIENCE_S = 90.0
MOST_COUNTED = 65535  # by strace


def main(stride: int = 40, most: int = 1000) -> int:
    """Storms until every kind of call is done with; the exit status."""
    if (why := reason_against()) is not None:
        print(f"skipped: {why}")
        return 0
    begun, kills = time.monotonic(), 0
    for call in CALLS:
        number, died = 1, 0
        while kills < most and kill_at(call, number):
            kills, died, number = kills + 1, died + 1, number + _step(call, stride)
        print(f"{call}: {died} kills", flush=True)
    print(f"{kills} kills, {time.monotonic() - begun:.0f} s: nothing lost, doubled or left over")
    return 0


def _step(call: str, stride: int) -> int:
    """Reads of modules and pipes open and write far more often than the protocol does."""
    return stride * 25 if call in ("write", "openat") else stride


def reason_against() -> str | None:
    """Why strace cannot be used here, if it cannot."""
    if shutil.which("strace") is None:
        return "there is no strace; install it, with apt-get install strace say"
    tried = subprocess.run(("strace", "-f", "true"), capture_output=True, check=False)
    if tried.returncode:
        return f"strace may not trace: {tried.stderr.decode(errors='replace').strip()[-200:]}"
    return None


def kill_at(call: str, number: int) -> bool:
    """Whether a daemon came to its `number`th such call, and died; all is checked after it."""
    with tempfile.TemporaryDirectory(prefix="reelkiln-storm-") as folder:
        root = Path(folder)
        drop_all(root)
        died = _killed(root, call, number)
        check_whole(root)
        finish(root)
        check_all(root, died=died)
    return died


def drop_all(root: Path) -> None:
    """The specs, as a client leaves them before any daemon runs."""
    (root / "inbox").mkdir()
    for name, spec in DROPS.items():
        (root / "inbox" / name).write_text(json.dumps(spec))


def _killed(root: Path, call: str, number: int) -> bool:
    """One life under strace: the first thread to make that many such calls is killed, be it of the
    daemon, of its render or of FFmpeg, and the others at once after it."""
    if number > MOST_COUNTED:
        return False
    rule = f"inject={call}:signal=SIGKILL:when={number}"
    log = root / "strace.log"
    argv = ("strace", "-f", "-o", str(log), "-e", f"trace={call}", "-e", rule)
    with _serving(root, argv) as tracer:
        deadline = time.monotonic() + PATIENCE_S
        died = False
        while not died and not _is_done(root):
            assert time.monotonic() < deadline, "neither done nor dead"
            time.sleep(0.02)
            died = log.is_file() and b"+++ killed by SIGKILL" in log.read_bytes()
        _end_group(tracer)
    return died


def _serving(root: Path, before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    house = str(Path(__file__).parents[1])
    argv = (*before, sys.executable, "-m", "daemon.entry", "serve", "--root", str(root))
    environment = {**os.environ, "PYTHONPATH": house, "PYTHONDONTWRITEBYTECODE": "1"}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        argv, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
    )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_done(root: Path) -> bool:
    """Every drop has its receipt and lies where it belongs."""
    waiting = [*(root / "inbox").glob("*.json"), *(root / ".reelkiln" / "claimed").glob("*")]
    return len(_receipts(root)) == len(DROPS) and not waiting


def _receipts(root: Path) -> list[dict[str, object]]:
    folder = root / "outbox" / "receipts"
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def finish(root: Path) -> None:
    """A daemon that is left alone until nothing is owed, and drained."""
    with _serving(root) as child:
        deadline = time.monotonic() + PATIENCE_S
        while not (_is_done(root) and _is_tidy(root)):
            assert child.poll() is None, "the daemon ended"
            assert time.monotonic() < deadline, sorted(map(str, root.rglob("*")))
            time.sleep(0.05)
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE_S) in (0, -signal.SIGTERM)  # asked before it could listen


def _is_tidy(root: Path) -> bool:
    state = root / ".reelkiln"
    names = ("intents", "parts", "work", "trash", "store/work")
    return not any(any((state / name).glob("*")) for name in names)


def check_whole(root: Path) -> None:
    """I3 and I6, at every instant: what can be seen is whole."""
    for path in (root / "outbox").glob("[!.]*"):
        if path.name != "receipts":
            verify(path)
    for receipt in _receipts(root):
        if receipt["state"] == "succeeded":
            verify(root / "outbox" / str(receipt["bundle"]))


def check_all(root: Path, *, died: bool) -> None:
    """I1 to I8 and I10, once a daemon has finished: each spec once, one receipt each."""
    check_whole(root)
    receipts = _receipts(root)
    assert sorted(str(r["name"]) for r in receipts) == sorted(DROPS)
    ends = {str(r["name"]): r["state"] for r in receipts}
    assert ends == {"good.json": "succeeded", "again.json": "succeeded", "broken.json": "failed"}
    assert len({r["bundle"] for r in receipts if r["bundle"]}) == 1
    assert all(int(str(r["attempt"])) <= 1 + died for r in receipts)
    bundles = [p.name for p in (root / "outbox").iterdir() if p.name != "receipts"]
    assert len(bundles) == 1, bundles
    done = sorted(sha256(p.read_bytes()).digest() for p in (root / ".reelkiln/done").iterdir())
    good = sha256(json.dumps(SPEC).encode()).digest()
    assert done == [good, good]
    rejected = sorted(p.name for p in (root / "inbox" / "rejected").iterdir())
    assert rejected == ["broken.json", "broken.json.error.json"]
    told = json.loads((root / "inbox" / "rejected" / rejected[1]).read_bytes())
    assert told["code"]
    assert told["errors"][0]["line"] == 1
    assert (root / "inbox" / "rejected" / "broken.json").read_text() == json.dumps(BROKEN)
    statuses = [json.loads(p.read_bytes()) for p in (root / ".reelkiln" / "jobs").iterdir()]
    assert {s["job_id"]: s["state"] for s in statuses} == {
        r["job_id"]: r["state"] for r in receipts
    }
    assert not any(re.match(r"\.staging-", p.name) for p in (root / "outbox").iterdir())


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
