"""The pictures of assets, keys and health in docs/images:
`python -m tests.daemon.dashboard.asset_pictures`."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from daemon.demo import make_demo
from renderer.fonts import text_engine_fingerprint
from renderer.toolchain import find_toolchain
from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import made_service, until
from tests.daemon.browser import running_chromium, watched
from tests.daemon.dashboard.conftest import Site, pages_of, registered, sent
from tests.daemon.dashboard.pictures import SIZES
from tests.daemon.dashboard.test_asset_pages import handed_in
from tests.daemon.dashboard.test_strangers import handed
from tests.daemon.running import at_work

_TALLEST = 1400
_MEDIA = (
    ("lake.png", "image/png", {"tags": "blue,water", "asset_type": "background"}),
    ("night.png", "image/png", {"tags": "night", "asset_type": "background", "world": "north"}),
    ("ride.mp4", "video/mp4", {"tags": "hills"}),
    ("voice.wav", "audio/wav", {"asset_type": "voice"}),
)


def _assets(ada: httpx.Client) -> str:
    """Some that were handed in, and the film that a job made of two, whose id is given."""
    toolchain = find_toolchain(os.environ, text_engine=text_engine_fingerprint())
    media = make_demo(Path(tempfile.mkdtemp()), toolchain).spec.parent / "media"
    ids = {
        name: handed_in(ada, (media / name).read_bytes(), kind, label=name, **about)
        for name, kind, about in _MEDIA
    }
    handed_in(ada, b'{"title": "The quiet lake"}', "application/json", kind="value", label="facts")
    stills = [{"image": {"asset": ids[name]}, "length": "2s"} for name in ("lake.png", "night.png")]
    handed(ada, {
        "reelkiln": 1, "id": "lake-film", "output": {"size": "640x360", "fps": 25},
        "tracks": [{"clips": [stills[0], {"transition": "fade", "length": "0.5s"}, stills[1]]},
                   {"clips": [{"text": "The quiet lake", "length": "end", "style": "headline"}]}],
    })  # fmt: skip
    made = until(lambda: ada.get("/v1/assets?asset_type=video").json()["assets"])
    return str(made[0]["asset_id"])


def _keys(ada: httpx.Client) -> None:
    for label, scopes, last_day in (
        ("press", {"scope_read": "on"}, ""),
        ("nightly build", {"scope_read": "on", "scope_render": "on"}, "2027-01-31"),
    ):
        page = sent(ada, "/ui/keys", "/ui/keys", label=label, expires_on=last_day, **scopes)
    sent(ada, "/ui/keys", re.findall(r'action="(/ui/keys/[^"]+/revoke)"', page.text)[-1])


def _pictured(page: Any, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    found = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled")))
    shown = found.convert("RGB").crop((0, 0, found.width, min(found.height, _TALLEST)))
    shown.save(path, quality=80, optimize=True)


def _shots(site: Site, film: str, how: str, folder: Path, **wishes: Any) -> None:
    with running_chromium() as browser, watched(browser, **wishes) as seen:
        page = seen.page
        page.goto(f"{site.url}/ui/login")
        page.fill("#email", "ada@example.org")
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url("**/ui/jobs")
        for name, path in (("assets", ""), ("asset", f"/{film}")):
            page.goto(f"{site.url}/ui/assets{path}")
            _pictured(page, folder / f"dashboard-{name}-{how}.jpg")
        page.goto(f"{site.url}/ui/health")
        _pictured(page, folder / f"dashboard-health-{how}.jpg")
        page.goto(f"{site.url}/ui/keys")
        page.fill("#label", "screening room")
        page.click("text=Make the key")
        _pictured(page, folder / f"dashboard-keys-{how}.jpg")
        page.goto(f"{site.url}/ui/keys")
        page.locator("summary:has-text('Revoke')").first.click()
        page.locator("text=Shut it for ever").first.click()


def main(folder: Path) -> None:
    """Draw them all."""
    service = made_service(Path(tempfile.mkdtemp()) / "root")
    with at_work(service), pages_of(service) as site:
        ada = registered(site, "ada")
        film = _assets(ada)
        _keys(ada)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                viewport = {"width": width, "height": height}
                _shots(site, film, f"{size}-{scheme}", folder, viewport=viewport,
                       color_scheme=scheme)  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
