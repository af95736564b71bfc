"""The pictures of the dashboard in docs/images: `python -m tests.daemon.dashboard.pictures`."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw

from tests.daemon.accounts_contract import PASSWORD
from tests.daemon.api.conftest import made_service, until
from tests.daemon.browser import running_chromium
from tests.daemon.dashboard.conftest import Site, pages_of, registered, sent
from tests.daemon.running import at_work

SIZES = {"desktop": (1120, 780), "phone": (390, 780)}
SPEC = """\
reelkiln: 1
id: harbour
output: {size: 960x540, fps: 25}
tracks:
  - id: picture
    clips:
      - {image: harbour.png, length: 3s, fit: cover, motion: zoom-in}
      - {transition: dissolve, length: 0.5s}
      - {gradient: ["#16324f", "#d96c3a"], length: 3s}
  - id: titles
    clips:
      - {text: "The harbour at dawn", start: 0.5s, length: 3s, style: headline, enter: {fade: 0.4s}}
"""
WRONG = SPEC.replace("length: 3s, style", "lenght: 3s, style").replace("0.5s}", "half}")


def _media(folder: Path) -> None:
    picture = Image.new("RGB", (960, 540))
    draw = ImageDraw.Draw(picture)
    for y in range(540):
        draw.line((0, y, 960, y), fill=(40 + y // 4, 70 + y // 6, 120 - y // 9))
    for x in range(60, 960, 150):
        draw.polygon([(x, 420), (x + 90, 420), (x + 70, 455), (x + 20, 455)], fill="#1b2430")
        draw.line((x + 45, 420, x + 45, 300), fill="#1b2430", width=4)
    picture.save(folder / "harbour.png")


def _jobs(site: Site) -> tuple[str, str]:
    """Ids of a job that succeeded and of one that failed."""
    ada = registered(site, "ada")
    first = SPEC.replace("The harbour at dawn", "The harbour")
    _ended(ada, sent(ada, "/ui/submit", "/ui/submit", document=first))
    good = _ended(ada, sent(ada, "/ui/submit", "/ui/submit", document=SPEC, world="north"))
    (site.service.places.inbox / "harbour-2.yaml").write_text(WRONG)
    bad = until(lambda: [job for job in ada.get("/v1/jobs").json()["jobs"] if job["error"]])
    return good, str(bad[0]["job_id"])


def _ended(ada: httpx.Client, answer: httpx.Response) -> str:
    job_id = answer.url.path.rpartition("/")[2]
    until(lambda: ada.get(f"/v1/jobs/{job_id}").json()["finished_at"])
    return job_id


def _pictured(page: Any, path: Path, *, full: bool = False) -> None:
    found = Image.open(io.BytesIO(page.screenshot(full_page=full, animations="disabled")))
    found.convert("RGB").quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)


def main(folder: Path) -> None:
    """Draw them all."""
    service = made_service(Path(tempfile.mkdtemp()) / "root")
    _media(service.places.root / "media")
    with at_work(service), pages_of(service) as site, running_chromium() as browser:
        good, bad = _jobs(site)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page = context.new_page()
                page.goto(f"{site.url}/ui/login")
                page.fill("#email", "ada@example.org")
                page.fill("#password", PASSWORD)
                _shots(page, site.url, good, bad, f"{size}-{scheme}", folder)
                context.close()


def _shots(page: Any, url: str, good: str, bad: str, how: str, folder: Path) -> None:
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/jobs")
    page.wait_for_timeout(300)
    _pictured(page, folder / f"dashboard-jobs-{how}.png")
    page.goto(f"{url}/ui/jobs/{good}")
    page.evaluate("document.getElementById('player').currentTime = 1.5")
    page.wait_for_timeout(700)
    _pictured(page, folder / f"dashboard-job-{how}.png", full=True)
    page.goto(f"{url}/ui/jobs/{bad}")
    page.wait_for_timeout(300)
    _pictured(page, folder / f"dashboard-failed-{how}.png")
    page.goto(f"{url}/ui/submit")
    page.fill("#document", WRONG)
    until(lambda: page.locator("#verdict .faults").count())
    _pictured(page, folder / f"dashboard-submit-{how}.png", full=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
