"""Assets in pages: what is shown of them, small pictures, who may read them, their end."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest
from PIL import Image

from tests.daemon.dashboard.conftest import Site, registered, sent, text_of, token_in


def picture(colour: str = "teal", size: tuple[int, int] = (800, 400), form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, form)
    return made.getvalue()


def handed_in(
    browser: httpx.Client, data: bytes | None = None, media_type: str = "image/png", **about: str
) -> str:
    """The id of a new asset, sent as the page's script does."""
    token = token_in(browser.get("/ui/assets").text)
    answer = browser.post(
        "/v1/assets", params={"label": "sea.png", **about}, content=data or picture(),
        headers={"X-CSRF-Token": token, "Content-Type": media_type},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return str(answer.json()["asset_id"])


def test_an_asset_is_listed_with_a_small_picture(site: Site) -> None:
    ada = registered(site, "ada")
    asset_id = handed_in(ada)
    listed = ada.get("/ui/assets")
    assert "sea.png" in text_of(listed.text)
    assert f'src="/ui/assets/{asset_id}/picture"' in listed.text
    small = ada.get(f"/ui/assets/{asset_id}/picture")
    with Image.open(io.BytesIO(small.content)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (320, 160))
        red, green, blue = shown.convert("RGB").getpixel((100, 100))  # type: ignore[misc]
    assert abs(red) + abs(green - 128) + abs(blue - 128) < 12
    again = ada.get(
        f"/ui/assets/{asset_id}/picture", headers={"If-None-Match": small.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    large = ada.get(f"/ui/assets/{asset_id}/picture?edge=1280")
    with Image.open(io.BytesIO(large.content)) as shown:
        assert shown.size == (800, 400)


def test_a_film_has_a_picture_too(site: Site, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    source = ["-f", "lavfi", "-i", "color=red:s=64x36:r=25:d=0.4", "-pix_fmt", "yuv420p"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, str(film)], check=True)
    ada = registered(site, "ada")
    asset_id = handed_in(ada, film.read_bytes(), "video/mp4", label="film.mp4")
    small = ada.get(f"/ui/assets/{asset_id}/picture")
    with Image.open(io.BytesIO(small.content)) as shown:
        assert shown.size == (64, 36)
        assert shown.convert("RGB").getpixel((30, 18))[0] > 200  # type: ignore[index]
    assert f'<video controls preload="metadata" src="/v1/assets/{asset_id}/content"' in (
        ada.get(f"/ui/assets/{asset_id}").text
    )


def test_what_has_no_picture_is_shown_without_one(site: Site) -> None:
    ada = registered(site, "ada")
    asset_id = handed_in(ada, b"1\n", "text/plain", label="words.txt")
    assert "/picture" not in ada.get("/ui/assets").text
    assert ada.get(f"/ui/assets/{asset_id}/picture").status_code == 404


def test_the_page_of_an_asset_tells_all_that_is_known(site: Site) -> None:
    ada = registered(site, "ada")
    asset_id = handed_in(ada, tags="blue,sky", asset_type="background", world="north")
    said = text_of(ada.get(f"/ui/assets/{asset_id}").text)
    for words in ("image/png", "background", "blue", "sky", "north", asset_id, "handed in",
                  "Its owner alone"):  # fmt: skip
        assert words in said, words


def test_a_value_is_shown_as_text(site: Site) -> None:
    ada = registered(site, "ada")
    value = b'{"title": "<b>bold</b>"}'
    asset_id = handed_in(ada, value, "application/json", kind="value", label="facts")
    html = ada.get(f"/ui/assets/{asset_id}").text
    assert "<b>bold" not in html
    assert '"title": "<b>bold</b>"' in text_of(html.replace("<b>", "")) or "&lt;b&gt;bold" in html


@pytest.mark.parametrize(
    ("query", "found"),
    [("tag=blue", {"one"}), ("asset_type=logo", {"two"}), ("world=north", {"one"}),
     ("status=available", {"one", "two"}), ("status=deleted", set()),
     ("tag=&world=", {"one", "two"})],
)  # fmt: skip
def test_the_filter_shows_what_was_asked_for(site: Site, query: str, found: set[str]) -> None:
    ada = registered(site, "ada")
    handed_in(ada, label="one", tags="blue", world="north")
    handed_in(ada, label="two", asset_type="logo")
    said = text_of(ada.get(f"/ui/assets?{query}").text).split()
    assert {name for name in ("one", "two") if name in said} == found


def test_more_than_a_page_is_reached_by_going_on(site: Site) -> None:
    ada = registered(site, "ada")
    for number in range(50):
        handed_in(ada, b"x", "text/plain", label=f"n{number:02}", tags="blue")
    first = ada.get("/ui/assets?tag=blue")
    assert "n49" in first.text
    assert "n01" not in first.text
    following = first.text.partition('class="button quiet" href="')[2].partition('"')[0]
    second = ada.get(following.replace("&amp;", "&"))
    assert {"n00", "n01"} <= set(text_of(second.text).split())
    assert "n49" not in second.text


def test_an_asset_is_made_public_and_private_again(site: Site) -> None:
    ada, anybody = registered(site, "ada"), site.browser()
    asset_id = handed_in(ada)
    here = f"/ui/assets/{asset_id}"
    assert anybody.get(f"/asset/{asset_id}").status_code == 404
    shown = sent(ada, here, f"{here}/visibility", visibility="public")
    assert (shown.url.path, "Anybody may read it" in text_of(shown.text)) == (here, True)
    assert anybody.get(f"/asset/{asset_id}").status_code == 200
    sent(ada, here, f"{here}/visibility", visibility="private")
    assert anybody.get(f"/asset/{asset_id}").status_code == 404
    assert sent(ada, here, f"{here}/visibility", visibility="secret").status_code == 422


def test_an_asset_is_deleted_after_it_was_asked_for(site: Site) -> None:
    ada = registered(site, "ada")
    asset_id = handed_in(ada)
    here = f"/ui/assets/{asset_id}"
    gone = sent(ada, here, f"{here}/delete")
    assert (gone.url.path, asset_id in gone.text) == ("/ui/assets", False)
    said = ada.get(here)
    assert 'class="state deleted"' in said.text
    assert "Delete the content" not in said.text
    assert ada.get(f"{here}/picture").status_code in (404, 409)


def test_a_file_that_is_no_picture_any_more_has_none(site: Site) -> None:
    ada = registered(site, "ada")
    asset_id = handed_in(ada)
    assets = site.context.assets
    path = assets.path_of(assets.catalog.assets.get(asset_id))
    path.chmod(0o600)
    path.write_bytes(b"\x89PNG broken")
    assert ada.get(f"/ui/assets/{asset_id}/picture").status_code in (404, 409)


def test_a_key_of_one_world_sees_the_assets_of_that_world_alone(site: Site) -> None:
    ada = registered(site, "ada")
    ids = {world: handed_in(ada, label=f"of-{world}", world=world) for world in ("north", "south")}
    made = sent(ada, "/ui/keys", "/ui/keys", scope_read="on", world="north")
    secret = made.text.partition('readonly value="')[2].partition('"')[0]
    program = site.browser()
    program.headers["Authorization"] = f"Bearer {secret}"
    said = program.get("/ui/assets").text
    assert ("of-north" in said, "of-south" in said) == (True, False)
    for page in ("", "/picture"):
        assert program.get(f"/ui/assets/{ids['north']}{page}").status_code == 200
        assert program.get(f"/ui/assets/{ids['south']}{page}").status_code == 404
    assert program.get("/ui/assets?world=south").status_code == 403
    assert program.get("/ui/keys").status_code == 403
