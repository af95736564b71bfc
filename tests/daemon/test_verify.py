from __future__ import annotations

import json
from pathlib import Path

from renderer.bundle import seal
from renderer.digest import digest_of
from renderer.store import LocalStore
from tests.renderer.bundle.sealed import contents_of, make_media
from tests.renderer.test_pipeline import reelkiln


def test_verify_says_intact_names_a_flipped_byte_and_gives_the_exit_status(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    bundle = seal(contents_of(store, make_media(tmp_path)), store, tmp_path / "out")
    done = reelkiln("verify", bundle.path, "--json", "--digest", bundle.digest, store=tmp_path)
    assert json.loads(done.stdout) == {"valid": True, "bundle_digest": bundle.digest, "files": 5}
    other = reelkiln("verify", bundle.path, "--digest", digest_of("other"), store=tmp_path)
    assert other.returncode == 6
    data = bytearray((bundle.path / "video.mp4").read_bytes())
    data[len(data) // 2] ^= 1
    (bundle.path / "video.mp4").write_bytes(data)
    done = reelkiln("verify", bundle.path, "--json", store=tmp_path)
    assert done.returncode == 6
    (said,) = json.loads(done.stdout)["mismatches"]
    assert said.startswith("video.mp4: was changed")
    assert reelkiln("verify", tmp_path / "absent", store=tmp_path).returncode == 2
