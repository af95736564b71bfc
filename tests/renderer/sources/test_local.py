import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.errors import SourceRefused
from renderer.sources.local import find_local


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(b"secret")
    base = tmp_path / "spec"
    (base / "photos").mkdir(parents=True)
    (base / "photos" / "a.png").write_bytes(b"12345")
    return base


def found(source: str, base: Path, *roots: Path, max_bytes: int = 100) -> Path:
    return find_local(source, base, (base, *roots), max_bytes)


def refusal(source: str, base: Path, max_bytes: int = 100) -> tuple[str, str, str]:
    with pytest.raises(SourceRefused) as caught:
        found(source, base, max_bytes=max_bytes)
    (fault,) = caught.value.faults
    return fault.code, fault.message, fault.hint


def test_a_file_is_found_beside_the_spec_and_then_under_the_roots(
    base: Path, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "b.png").write_bytes(b"b")
    assert found("photos/a.png", base) == base / "photos" / "a.png"
    assert found("b.png", base, media) == media / "b.png"
    (base / "b.png").write_bytes(b"nearer")
    assert found("b.png", base, media) == base / "b.png"


def test_an_absolute_path_inside_a_root_is_as_good_as_a_relative_one(base: Path) -> None:
    assert found(str(base / "photos" / "a.png"), base) == base / "photos" / "a.png"


@pytest.mark.parametrize(
    "source",
    ["../secret.png", "photos/../../secret.png", "/etc/passwd", "../nothing.png", "/", ".."],
)
def test_what_lies_outside_is_refused_whether_it_exists_or_not(base: Path, source: str) -> None:
    code, message, _ = refusal(source, base)
    assert code == "source-outside"
    assert message == f"{source} lies outside the allowed folders"


def test_links_may_lead_about_inside_but_not_out(base: Path, tmp_path: Path) -> None:
    (base / "in.png").symlink_to("photos/a.png")
    (base / "out.png").symlink_to(tmp_path / "secret.png")
    (base / "up").symlink_to(tmp_path)
    (base / "loop.png").symlink_to("loop.png")
    assert found("in.png", base) == base / "photos" / "a.png"
    assert refusal("out.png", base)[0] == "source-outside"
    assert refusal("up/secret.png", base)[0] == "source-outside"
    assert refusal("loop.png", base)[0] == "source-missing"


def test_a_root_that_is_a_link_is_where_it_leads(base: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(base)
    assert found("photos/a.png", tmp_path / "link") == base / "photos" / "a.png"


def test_only_plain_files_are_read(base: Path) -> None:
    os.mkfifo(base / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(base / "s.mp4"))
        assert "not a plain file" in refusal("s.mp4", base)[1]
    assert "not a plain file" in refusal("pipe.mp4", base)[1]
    assert "is a folder" in refusal("photos", base)[1]
    assert "is a folder" in refusal("", base)[1]


def test_a_device_is_refused(base: Path) -> None:
    (base / "zero.png").symlink_to("/dev/zero")
    assert refusal("zero.png", base)[0] == "source-outside"
    with pytest.raises(SourceRefused, match="not a plain file"):
        found("/dev/zero", base, Path("/dev"))


@pytest.mark.parametrize(
    ("source", "near"),
    [("photos/b.png", '"a.png"'), ("photo/a.png", '"photos"'), ("fotos/x/a.png", '"photos"')],
)
def test_a_missing_file_has_a_did_you_mean(base: Path, source: str, near: str) -> None:
    code, message, hint = refusal(source, base)
    assert (code, message) == ("source-missing", f"there is no file {source}")
    assert hint == f"did you mean {near}?"


def test_names_outside_are_never_suggested(base: Path, tmp_path: Path) -> None:
    lost = tmp_path / "secret"
    with pytest.raises(SourceRefused) as caught:
        find_local("secret.png", lost, (lost,), 100)
    assert "did you mean" not in caught.value.faults[0].hint


def test_a_file_over_the_limit_names_the_setting(base: Path) -> None:
    code, message, _ = refusal("photos/a.png", base, max_bytes=4)
    assert code == "source-too-large"
    assert "REELKILN_MAX_SOURCE_BYTES" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(base: Path) -> None:
    (base / "photos" / "a.png").chmod(0)
    assert refusal("photos/a.png", base)[0] == "source-unreadable"


@pytest.mark.parametrize("source", ["a\x00b", "x" * 5000, "\ud800.png"])
def test_names_that_cannot_be_are_refused(base: Path, source: str) -> None:
    assert refusal(source, base)[0] == "source-missing"


@given(st.lists(st.sampled_from(["..", ".", "photos", "a.png", "/", "up", "secret.png"])))
def test_nothing_outside_is_ever_given(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "jail"
    base = folder / "base"
    if not base.exists():
        (base / "photos").mkdir(parents=True)
        (base / "photos" / "a.png").touch()
        (folder / "secret.png").touch()
        (base / "up").symlink_to("..")
    try:
        path = find_local("/".join(parts), base, (base,), 100)
    except SourceRefused:
        return
    assert path == base / "photos" / "a.png"
