"""Module documents: registered commands, their manifest, their bounds, their bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import imageio_ffmpeg
import pytest

from daemon.child.job_request import JobRequest, Module
from daemon.module_settings import SHIPPED, modules_of
from daemon.modules.loudness import main
from daemon.niceness import NICENESS
from daemon.outcomes import Ended, Fate, Outcome, decide
from daemon.process_tree import signs_of
from daemon.promises.contract import Needs, Promised, Standing, Supply
from daemon.worker import run_job
from renderer.bundle import verify
from renderer.errors import SpecInvalid, UsageError
from renderer.spec.loading import load

EXAMPLES = Path(__file__).parents[2] / "examples" / "modules"
JSON_OUT = {"words": {"label": "words.json", "media_type": "application/json"}}
COPY = """
import json, sys
told = json.load(open(sys.argv[1]))
open(sys.argv[2] + "/words.json", "w").write(json.dumps(
    {name: open(v).read() if str(v).startswith("/") else v for name, v in told.items()}))
"""


def module(code: str, **more: Any) -> Module:
    return Module(command=(sys.executable, "-I", "-c", code), **more)


def document(**more: Any) -> bytes:
    spec = {"reelkiln": 1, "kind": "module", "module": "m", "outputs": JSON_OUT, **more}
    return json.dumps(spec).encode()


def run(
    root: Path, data: bytes, modules: Mapping[str, Module],
    found: Mapping[str, Promised] = MappingProxyType({}), name: str = "a.json",
) -> Outcome:  # fmt: skip
    (root / "claim").write_bytes(data)
    request = JobRequest(
        spec=root / "claim", name=name, outbox=root / "outbox", store=root / "store",
        media=(root / "media",), modules=modules,
    )  # fmt: skip

    def supply(needs: Needs) -> Supply:
        assert set(needs.references) == set(found)
        return Supply(found=found)

    return run_job(request, supply=supply)


def made(outcome: Outcome, name: str = "words.json") -> Any:
    assert outcome.bundle is not None, outcome.error
    return json.loads((outcome.bundle / name).read_bytes())


def test_a_module_reads_files_and_values_by_one_manifest(tmp_path: Path) -> None:
    (tmp_path / "speech.txt").write_text("spoken")
    found = {
        "asset:A": Promised(standing=Standing.AVAILABLE, path=tmp_path / "speech.txt"),
        "asset:B": Promised(standing=Standing.AVAILABLE, value={"b": [1, 2]}),
    }
    data = document(
        inputs={"a": {"asset": "A"}, "b": {"asset": "B"}, "c": {"value": "a text"}},
        params={"most": 3},
    )
    outcome = run(tmp_path, data, {"m": module(COPY)}, found)
    told = made(outcome)
    assert (told["a"], json.loads(told["b"]), told["c"]) == ("spoken", {"b": [1, 2]}, "a text")
    assert told["most"] == 3
    assert outcome.bundle is not None
    assert {entry.path for entry in verify(outcome.bundle).files} == {
        "words.json", "spec.json", "lock.json",
    }  # fmt: skip
    assert [path for path in (tmp_path / "store" / "work").iterdir() if path.is_dir()] == []


def test_what_a_module_makes_differently_each_time_is_another_bundle(tmp_path: Path) -> None:
    code = "import sys,time; open(sys.argv[2] + '/words.json', 'w').write(str(time.time_ns()))"
    first, second = (run(tmp_path, document(), {"m": module(code)}) for _ in range(2))
    assert first.bundle != second.bundle
    assert first.bundle is not None
    verify(first.bundle)


def test_a_command_that_nobody_registered_is_refused_where_it_is_named(tmp_path: Path) -> None:
    outcome = run(tmp_path, document(module="loudnes-report"), SHIPPED)
    fault = (outcome.error or {})["errors"][0]
    assert (fault["code"], fault["pointer"]) == ("module-unknown", "/module")
    assert "loudness-report" in fault["hint"]
    assert decide(outcome, 1).fate is Fate.REJECTED


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('no such voice')", "no such voice"),
        ("pass", "did not write words.json"),
        ("import os,sys; os.symlink('/etc/passwd', sys.argv[2] + '/words.json')", "no plain file"),
    ],
)
def test_a_module_that_fails_says_why_and_publishes_nothing(
    code: str, words: str, tmp_path: Path
) -> None:
    outcome = run(tmp_path, document(), {"m": module(code)})
    assert outcome.ended is Ended.TOLD
    assert words in (outcome.error or {})["message"]
    assert not list((tmp_path / "outbox").glob("*-*"))


def test_a_module_past_its_deadline_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; open(sys.argv[2] + '/words.json', 'w');"
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    )
    outcome = run(tmp_path, document(), {"m": module(code, timeout_s=1)})
    assert outcome.code == "command-timed-out"
    assert "after 1 s" in (outcome.error or {})["message"]


def test_a_module_has_bounded_memory_and_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELKILN_DATABASE_URL", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    code = (
        "import json, os, resource, sys;"
        "seen = [dict(os.environ), resource.getrlimit(resource.RLIMIT_AS)];"
        "group = '/proc/self/autogroup';"
        "seen += [open(group).read().split() if os.path.exists(group) else []];"
        "json.dump(seen, open(sys.argv[2] + '/words.json', 'w'))"
    )
    own = module(code, memory_bytes=1 << 29, environment={"VOICE": "low"})
    environment, bounds, session = made(run(tmp_path, document(), {"m": own}))
    assert "secret" not in environment.values()
    assert environment["VOICE"] == "low"
    assert bounds == [1 << 29, 1 << 29]
    assert session[1:] in ([], ["nice", str(NICENESS)])  # it gives way to the daemon


def test_a_module_dies_with_the_child_that_runs_it(tmp_path: Path) -> None:
    code = "import os, sys, time; open('/proc/self/comm'); time.sleep(600)"
    (tmp_path / "claim").write_bytes(document())
    request = JobRequest(
        spec=tmp_path / "claim", name="a.json", outbox=tmp_path / "outbox",
        store=tmp_path / "store", media=(tmp_path,), modules={"m": module(code)},
    )  # fmt: skip
    began = time.monotonic()
    outcome = run_job(request, should_stop=lambda: _sleeps(os.getpid(), began))
    assert outcome.ended is Ended.STOPPED
    assert not _commands(os.getpid())


def _ffmpeg(*words: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *words]
    subprocess.run(command, check=True)


def _commands(pid: int) -> list[str]:
    found = []
    for member in signs_of(pid).members:
        try:
            words = Path(f"/proc/{member.pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"sleep(600)" in words:
            found.append(words.decode())
    return found


def _sleeps(pid: int, began: float) -> bool:
    return bool(_commands(pid)) or time.monotonic() - began > 30


def test_the_example_of_a_module_does_what_it_says(tmp_path: Path) -> None:
    modules = modules_of(EXAMPLES, {})
    outcome = run(tmp_path, (EXAMPLES / "count-words.yaml").read_bytes(), modules, name="a.yaml")
    assert made(outcome) == {"the": 3, "light": 1}


def test_the_loudness_report_measures_what_was_made_to_measure(tmp_path: Path) -> None:
    sound = tmp_path / "tone.wav"
    _ffmpeg("-f", "lavfi", "-i", "sine=f=1000:d=2.5:r=48000,volume=18.06dB,volume=-23dB,"
           "pan=stereo|c0=c0|c1=c0", str(sound))  # fmt: skip
    outputs = {
        "report": {"label": "report.json", "media_type": "application/json"},
        "wave": {"label": "waveform.png", "media_type": "image/png"},
    }
    data = document(
        module="loudness-report", inputs={"speech": {"asset": "A"}}, outputs=outputs,
        params={"width": 320, "height": 64},
    )  # fmt: skip
    found = {"asset:A": Promised(standing=Standing.AVAILABLE, path=sound)}
    outcome = run(tmp_path, data, SHIPPED, found)
    report = made(outcome, "report.json")
    assert report["integrated_lufs"] == pytest.approx(-23, abs=0.1)
    assert report["true_peak_dbtp"] == pytest.approx(-23, abs=0.1)
    assert report["range_lu"] == 0
    assert report["momentary_lufs"] == pytest.approx([-23, -23, -23], abs=0.2)
    assert outcome.bundle is not None
    assert (outcome.bundle / "waveform.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_loudness_report_of_nothing_says_what_is_missing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.json").write_text("{}")
    assert main([str(tmp_path / "m.json"), str(tmp_path)]) == 2
    assert "one input with sound is needed" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[modules.m]\n", "needs a command"),
        ('[modules.m]\ncommand = "rm -rf"\n', "needs a command"),
        ('[modules.m]\ncommand = ["x"]\ntimeout = 5\n', "has no timeout"),
        ('[modules.m]\ncommand = ["x"]\ntimeout_s = 0\n', "above 0"),
        ('[modules.m]\ncommand = ["x"]\ntimeout_s = 999999\n', "7200 at most"),
        ("modules = 5\n", "table of tables"),
        ("[modules", "cannot be read"),
    ],
)
def test_a_configuration_that_is_not_understood_is_refused(
    text: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "reelkiln.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        modules_of(tmp_path, {})


def test_modules_are_registered_where_the_setting_says(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('[modules.mine]\ncommand = ["{folder}/x", "{python}"]\n')
    modules = modules_of(tmp_path, {"REELKILN_CONFIG": str(tmp_path / "other.toml")})
    assert modules["mine"].command == (f"{tmp_path}/x", sys.executable)
    assert "loudness-report" in modules
    assert modules_of(tmp_path, {}) == SHIPPED
    with pytest.raises(UsageError, match="not there"):
        modules_of(tmp_path, {"REELKILN_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"outputs": {}}, "module-no-output"),
        ({"outputs": {"a": {"label": "manifest.json", "media_type": "text/plain"}}},
         "module-output-name"),
        ({"outputs": {one: {"label": "x", "media_type": "text/plain"} for one in "ab"}},
         "duplicate-id"),
        ({"inputs": {"a": {"value": "1"}}, "params": {"a": 1}}, "duplicate-id"),
        ({"outputs": {"a": {"label": "../x", "media_type": "text/plain"}}}, None),
    ],
)  # fmt: skip
def test_a_module_document_that_cannot_be_run_is_refused(
    more: Mapping[str, Any], code: str | None
) -> None:
    with pytest.raises(SpecInvalid) as caught:
        load(document(**more), name="a.json")
    assert code is None or [fault.code for fault in caught.value.faults] == [code]


def test_a_module_is_no_film() -> None:
    with pytest.raises(SpecInvalid, match="known to a daemon alone"):
        _ = load(document(), name="a.json").film
