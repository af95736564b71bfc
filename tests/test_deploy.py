"""What is under deploy/ is read by the programs it is for, and docs/deploy.md says the same."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from daemon.metrics import Metrics

HOUSE = Path(__file__).parent.parent
DEPLOY = HOUSE / "deploy"
PAGE = (HOUSE / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    # Programs and users that only the target machine has are put in place of.
    text = (DEPLOY / "reelkiln.service").read_text()
    unit = tmp_path / "reelkiln.service"
    unit.write_text(text.replace("/opt/reelkiln/venv/bin/reelkiln", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    assert "reelkiln.service" not in done.stderr, done.stderr
    for line in ("Type=notify", "WatchdogSec=60", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert f"\n{line}\n" in text


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "hadolint"), str(DEPLOY / "Dockerfile")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_built_of_what_the_wheel_needs_alone() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], project["project"]["readme"]}
    assert kept == {"pyproject.toml", *project["project"]["license-files"], *needed}
    assert lines[1] == "*"


def test_compose_mounts_the_root_as_one_volume() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    volumes = services["reelkiln"]["volumes"]
    assert [volume["target"] for volume in volumes] == ["/srv/reelkiln"]
    assert services["reelkiln"]["build"]["dockerfile"] == "deploy/Dockerfile"


def test_the_page_names_every_metric() -> None:
    named = {word.split("{")[0] for word in PAGE.split("`")[1::2] if word.startswith("reelkiln_")}
    metrics = {family.name for family in Metrics().registry.collect()}
    assert {name.removesuffix("_total") for name in named} == metrics
