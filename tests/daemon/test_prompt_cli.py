import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from daemon.fake_gemini import FakeGemini
from daemon.providers import provider_of
from renderer.errors import UsageError
from tests.command import run_command
from tests.daemon.fake_gemini.running import running

BRAND = '{"reelkiln_brand": 1, "name": "Acme", "colours": {"primary": "#0b3d91"}}'


def reelkiln(*words: str | Path, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {"REELKILN_STORE": str(home / "store"), "PATH": "/usr/bin:/bin", **settings}
    return run_command("prompt", *words, env=env)


def test_a_prompt_is_shown_with_its_brand(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_text(BRAND)
    done = reelkiln(
        "show", "banner", "--set", "subject=a boat", "--brand", tmp_path / "acme.json", "--json",
        home=tmp_path,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["size"] == [1200, 480]
    assert "<<a boat>>" in told["text"]
    assert "#0b3d91" in told["text"]
    assert told["palette"][0] == "#0b3d91"


def test_shipped_templates_pass_and_a_wrong_one_is_told_with_its_line(tmp_path: Path) -> None:
    assert json.loads(reelkiln("lint", "--json", home=tmp_path).stdout) == {
        "files": 11, "errors": [],
    }  # fmt: skip
    (tmp_path / "banner").mkdir()
    wrong = tmp_path / "banner" / "2.0.yaml"
    wrong.write_text("reelkiln_prompt: 1\nasset_type: baner\n")
    done = reelkiln("lint", home=tmp_path, REELKILN_PROMPTS=str(tmp_path))
    assert done.returncode == 3
    assert f"{wrong}:2:13" in done.stdout


def test_a_picture_is_rendered_by_a_provider_once(tmp_path: Path) -> None:
    words = ["render", "clip_cover@1.0", "--set", "subject=a boat", "--json"]
    out = tmp_path / "boat.png"
    fake = FakeGemini()
    with running(fake) as base:
        warm = {"REELKILN_PROVIDER": "gemini", "REELKILN_GEMINI_BASE": base}
        first = reelkiln(*words, "--out", out, home=tmp_path, REELKILN_GEMINI_KEY="k", **warm)
    again = reelkiln(*words, "--out", out, home=tmp_path, **warm)
    made, remade = json.loads(first.stdout), json.loads(again.stdout)
    assert len(fake.requests) == 1
    assert (made.pop("reused"), remade.pop("reused")) == (False, True)
    assert made == remade
    assert made["provenance"]["provider"] == "gemini"
    with Image.open(out) as picture:
        assert picture.size == (1080, 1080)
    cold = reelkiln(*words, "--seed", "1", "--out", out, home=tmp_path, **warm)
    assert cold.returncode == 5
    assert json.loads(cold.stdout)["code"] == "provider-auth"
    assert "REELKILN_GEMINI_KEY" in json.loads(cold.stdout)["hint"]


def test_settings_choose_the_provider_and_its_model() -> None:
    assert provider_of({}).name == "offline"
    chosen = provider_of({"REELKILN_PROVIDER": "openai", "REELKILN_OPENAI_MODEL": "m-1"})
    assert (chosen.name, chosen.model) == ("openai", "m-1")
    assert provider_of({"REELKILN_PROVIDER": "openai"}, "gemini").name == "gemini"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"REELKILN_PROVIDER": "gemni"}, "no provider is called"),
        ({"REELKILN_PROVIDER": "gemini", "REELKILN_PROVIDER_AT_ONCE": "0"}, "at least 1"),
        ({"REELKILN_PROVIDER": "gemini", "REELKILN_PROVIDER_TIMEOUT_S": "x"}, "at least 1"),
    ],
)
def test_wrong_settings_are_told(environment: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        provider_of(environment)
