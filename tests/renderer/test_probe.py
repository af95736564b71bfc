import shutil
import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import imageio_ffmpeg
import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image, ImageOps

from renderer.errors import SourceRefused
from renderer.media import MediaInfo, MediaKind, VideoFacts, media_info_from_json
from renderer.probe import probe
from tests.renderer.moving import CORNERS, H264, PICTURE, SOUND, decoded, make


def video(path: Path) -> VideoFacts:
    info = probe(path)
    assert info.kind is MediaKind.VIDEO
    assert info.video is not None
    return info.video


def refusal(path: Path, max_pixels: int = 100_000_000) -> tuple[str, str]:
    with pytest.raises(SourceRefused) as caught:
        probe(path, max_pixels=max_pixels)
    (fault,) = caught.value.faults
    assert fault.hint
    return fault.code, fault.message


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probe")
    make(folder / "corners.mp4", *CORNERS, *H264)
    make(folder / "plain.mp4", *PICTURE, *SOUND, *H264, "-c:a", "aac", "-shortest")
    return folder


# ------------------------------------------------------------------------ orientation


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotation_is_what_a_player_does(shared: Path, tmp_path: Path, turn: int) -> None:
    source = shared / "corners.mp4"
    turned = make(
        tmp_path / "turned.mp4", "-display_rotation", str(turn), "-i", source, "-c", "copy"
    )
    facts = video(turned)
    assert facts.rotation == (360 - turn) % 360
    assert facts.coded_size == (64, 36)
    raw = ("-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo")
    upright = Image.frombytes("RGB", (64, 36), decoded(source, *raw))
    played = Image.frombytes("RGB", facts.display_size, decoded(turned, *raw))
    wanted = upright.rotate(-facts.rotation, expand=True)
    assert wanted.size == facts.display_size
    width, height = wanted.size
    for x, y in [(8, 8), (width - 8, 8), (8, height - 8), (width - 8, height - 8)]:
        pairs = zip(wanted.getpixel((x, y)), played.getpixel((x, y)), strict=True)  # type: ignore[arg-type]
        assert all(abs(a - b) < 12 for a, b in pairs), (x, y)


@pytest.mark.parametrize("turn", [45, 60, 92, 135])
def test_an_odd_angle_leaves_the_size_that_a_player_leaves(
    shared: Path, tmp_path: Path, turn: int
) -> None:
    source = shared / "corners.mp4"
    turned = make(
        tmp_path / "turned.mp4", "-display_rotation", str(turn), "-i", source, "-c", "copy"
    )
    played = make(tmp_path / "played.png", "-i", turned, "-frames:v", "1")
    with Image.open(played) as picture:
        assert video(turned).display_size == picture.size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_as_large_as_its_exif_orientation_says(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (60, 40), "teal").save(photo, exif=exif)
    facts = probe(photo).video
    assert facts is not None
    with Image.open(photo) as picture:
        assert facts.display_size == ImageOps.exif_transpose(picture).size
    assert facts.coded_size == (60, 40)


def test_sample_aspect_widens_the_picture(tmp_path: Path) -> None:
    wide = make(tmp_path / "w.mp4", *PICTURE, "-vf", "setsar=4/3", *H264)
    facts = video(wide)
    assert (facts.sample_aspect, facts.coded_size) == (Fraction(4, 3), (64, 36))
    assert facts.display_size == (86, 36)  # 64 * 4/3 = 85.3, made even
    tall = make(tmp_path / "t.mp4", "-display_rotation", "90", "-i", wide, "-c", "copy")
    assert video(tall).display_size == (36, 86)


# ------------------------------------------------------------------------------ times


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_constant_rate_is_found_exactly_even_in_milliseconds(
    tmp_path: Path, rate: str, suffix: str
) -> None:
    source = f"testsrc2=s=64x36:r={rate}:d=1"
    facts = video(make(tmp_path / f"c.{suffix}", "-f", "lavfi", "-i", source, *H264))
    assert facts.frame_rate == Fraction(rate)
    assert not facts.is_variable_rate
    assert facts.frame_count == round(Fraction(rate))
    assert abs(facts.duration - facts.frame_count / Fraction(rate)) <= Fraction(1, 1000)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_variable_rate_is_flagged_with_its_longest_gap(tmp_path: Path, suffix: str) -> None:
    holes = "select='not(between(n,5,12))'"
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=1")
    facts = video(make(tmp_path / f"v.{suffix}", *source, "-vf", holes, "-fps_mode", "vfr", *H264))
    assert facts.is_variable_rate
    assert facts.frame_count == 17
    assert facts.longest_gap == Fraction(9, 25)
    assert facts.duration == 1


@pytest.mark.parametrize(("suffix", "exact"), [("mp4", Fraction(3, 10)), ("mkv", Fraction(3, 10))])
def test_sound_that_begins_late_says_when(tmp_path: Path, suffix: str, exact: Fraction) -> None:
    late = make(
        tmp_path / f"late.{suffix}", *PICTURE, "-itsoffset", "0.3", *SOUND, *H264, "-c:a", "flac",
        "-strict", "-2",
    )  # fmt: skip
    info = probe(late)
    assert info.video
    assert info.audio
    assert (info.start, info.video.start) == (0, 0)
    assert abs(info.audio.start - exact) < Fraction(1, 500)
    assert abs(info.audio.duration - Fraction(1, 2)) < Fraction(1, 500)


def test_a_clock_that_does_not_begin_at_zero_is_kept(tmp_path: Path) -> None:
    info = probe(make(tmp_path / "t.ts", *PICTURE, *SOUND, *H264, "-c:a", "aac"))
    assert info.video
    assert info.audio
    assert info.start == min(info.video.start, info.audio.start) > 1
    assert info.demuxer == "mpegts"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("a.flac", "flac"),
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.opus", "libopus"),
        ("a.aac", "aac"),
    ],
)
def test_sound_is_as_long_as_what_is_decoded(tmp_path: Path, name: str, codec: str) -> None:
    rate = 48000 if codec == "libopus" else 44100
    path = make(tmp_path / name, *SOUND, "-c:a", codec, "-ar", str(rate))
    info = probe(path)
    assert info.kind is MediaKind.AUDIO
    assert info.audio
    samples = len(decoded(path, "-f", "s16le", "-ac", "1")) // 2
    assert info.audio.duration * rate == samples
    assert info.audio.sample_rate == rate
    assert info.duration == info.audio.duration


def test_what_an_edit_list_hides_does_not_count(tmp_path: Path) -> None:
    long = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=1", *H264, "-g", "25")
    source = make(tmp_path / "long.mp4", *long)
    cut = make(tmp_path / "cut.mp4", "-ss", "0.4", "-i", source, "-c", "copy")
    facts = video(cut)
    raw = ("-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo")
    assert facts.frame_count == len(decoded(cut, *raw)) // (64 * 36) == 15
    assert (facts.start, facts.duration) == (0, Fraction(3, 5))


# --------------------------------------------------------------------------- cover art


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac")])
def test_a_cover_picture_does_not_make_music_a_video(tmp_path: Path, name: str, codec: str) -> None:
    Image.new("RGB", (32, 32), "red").save(tmp_path / "cover.png")
    path = make(
        tmp_path / name, *SOUND, "-i", tmp_path / "cover.png", "-map", "0", "-map", "1",
        "-c:a", codec, "-c:v", "copy", "-disposition:v", "attached_pic",
    )  # fmt: skip
    info = probe(path)
    assert (info.kind, info.video) == (MediaKind.AUDIO, None)
    assert info.media_type.startswith("audio/")


# ------------------------------------------------------------------------------ stills


def animation(path: Path, count: int) -> Path:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")[:count]]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


def test_a_gif_is_a_video_only_when_it_moves(tmp_path: Path) -> None:
    assert probe(animation(tmp_path / "1.gif", 1)).kind is MediaKind.IMAGE
    facts = video(animation(tmp_path / "3.gif", 3))
    assert facts.frame_count == 3
    assert facts.duration == Fraction(3, 10)


@pytest.mark.parametrize("suffix", ["png", "webp", "avif"])
def test_an_animated_png_or_webp_is_a_still_that_counts_its_frames(
    tmp_path: Path, suffix: str
) -> None:
    info = probe(animation(tmp_path / f"a.{suffix}", 3))
    assert (info.kind, info.duration) == (MediaKind.IMAGE, None)
    assert info.video
    assert info.video.frame_count == 3


@pytest.mark.parametrize(
    ("name", "mode", "media_type"),
    [
        ("a.png", "RGBA", "image/png"),
        ("a.jpg", "RGB", "image/jpeg"),
        ("a.webp", "RGB", "image/webp"),
        ("a.avif", "RGB", "image/avif"),
        ("a.bmp", "RGB", "image/bmp"),
        ("a.tif", "RGB", "image/tiff"),
    ],
)
def test_stills_are_known_by_content(tmp_path: Path, name: str, mode: str, media_type: str) -> None:
    Image.new(mode, (30, 20)).save(tmp_path / name)
    info = probe((tmp_path / name).rename(tmp_path / "anything.mp4"))
    assert (info.kind, info.media_type) == (MediaKind.IMAGE, media_type)
    assert info.video
    assert info.video.has_alpha == (mode == "RGBA")


# ------------------------------------------------------------------------------ colour


@pytest.mark.parametrize(
    ("matrix", "primaries", "transfer", "levels"),
    [
        ("bt709", "bt709", "bt709", "tv"),
        ("smpte170m", "smpte170m", "smpte170m", "tv"),
        ("bt470bg", "bt470bg", "bt709", "pc"),
        ("bt2020nc", "bt2020", "bt2020-10", "tv"),
        ("bt2020nc", "bt2020", "smpte2084", "tv"),
        ("bt2020nc", "bt2020", "arib-std-b67", "tv"),
    ],
)
def test_colour_tags_are_read(
    tmp_path: Path, matrix: str, primaries: str, transfer: str, levels: str
) -> None:
    tags = f"setparams=range={levels}:colorspace={matrix}:color_primaries={primaries}"
    graph = f"scale=out_range={levels},format=yuv420p,{tags}:color_trc={transfer}"
    facts = video(make(tmp_path / "c.mp4", *PICTURE, "-vf", graph, *H264))
    assert facts.colour_matrix == matrix
    assert facts.colour_primaries == primaries
    assert facts.colour_transfer == transfer
    assert facts.colour_range == levels


def test_every_matrix_that_can_be_named_is_one_the_scaler_knows(tmp_path: Path) -> None:
    from renderer.probe.streams import _MATRICES

    for name in sorted(set(_MATRICES.values()) - {"gbr"}):
        make(tmp_path / "m.png", *PICTURE, "-frames:v", "1", "-vf", f"scale=in_color_matrix={name}")


# ----------------------------------------------------------------------------- damages


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("v.mp4", (*PICTURE, *H264)),
        ("v.mkv", (*PICTURE, *H264)),
        ("fast.mp4", (*PICTURE, *H264, "-movflags", "faststart")),
        ("v.avi", (*PICTURE, "-c:v", "mjpeg")),
        ("a.wav", SOUND),
        ("p.png", (*PICTURE, "-frames:v", "1")),
        ("p.jpg", (*PICTURE, "-frames:v", "1", "-update", "1")),
        ("p.bmp", (*PICTURE, "-frames:v", "1")),
    ],
)
def test_a_file_cut_short_is_refused(tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    whole = make(tmp_path / name, *arguments)
    probe(whole)
    data = whole.read_bytes()
    for share in (3, 2):
        whole.write_bytes(data[: len(data) * (share - 1) // share])
        code, message = refusal(whole)
        assert code == "source-unreadable", message


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.mp4").touch()
    assert "empty" in refusal(tmp_path / "none.mp4")[1]


@pytest.mark.parametrize("head", [b"", b"\x00\x00\x00\x18ftypmp42", b"RIFF", b"\x1a\x45\xdf\xa3"])
def test_noise_is_refused(tmp_path: Path, head: bytes) -> None:
    noise = bytes((n * n * 7919 >> 3) & 255 for n in range(1, 5000))
    (tmp_path / "noise.mp4").write_bytes(head + noise)
    assert refusal(tmp_path / "noise.mp4")[0] == "source-unreadable"


def test_damaged_files_are_refused_or_read_but_never_crash(shared: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "p.png")
    Image.effect_noise((40, 30), 50).save(tmp_path / "p.jpg")
    for source in (shared / "plain.mp4", tmp_path / "p.png", tmp_path / "p.jpg"):
        data = source.read_bytes()
        for at in range(0, len(data), max(1, len(data) // 40)):
            hurt = tmp_path / "hurt"
            hurt.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) * 3 + data[at + 3 :])
            try:
                probe(hurt)
            except SourceRefused:
                continue


def test_odd_letters_in_a_title_do_no_harm(tmp_path: Path) -> None:
    path = make(tmp_path / "t.mkv", *PICTURE, *H264, "-metadata", "title=Ueber")
    path.write_bytes(path.read_bytes().replace(b"Ueber", b"\xdc\xe4\xff\xfeX"))
    assert video(path).frame_count == 10


def test_a_container_of_no_frames_is_refused(tmp_path: Path) -> None:
    empty = make(tmp_path / "e.mkv", *PICTURE, *H264, "-t", "0")
    assert refusal(empty)[0] == "source-unreadable"


# ------------------------------------------------------------------------------- bombs


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + name + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [10_001, 14_000, 60_000])
def test_a_picture_bomb_is_refused_undecoded(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png(side, side, b"\x00" * 1000))
    code, message = refusal(tmp_path / "bomb.png")
    assert code == "source-too-large"
    assert "REELKILN_MAX_IMAGE_PIXELS" in message


def test_a_video_too_large_is_refused(shared: Path) -> None:
    assert refusal(shared / "plain.mp4", max_pixels=1000)[0] == "source-too-large"
    assert probe(shared / "plain.mp4", max_pixels=64 * 36).kind is MediaKind.VIDEO


def test_a_picture_larger_than_its_container_says_is_refused(tmp_path: Path) -> None:
    source = "color=red:s=5000x5000:r=25:d=0.04"
    path = make(tmp_path / "lie.mov", "-f", "lavfi", "-i", source, "-c:v", "png")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"png \0\0\0\0\0\0") + 28
    assert data[at : at + 4] == struct.pack(">HH", 5000, 5000)
    data[at : at + 4] = struct.pack(">HH", 16, 16)
    path.write_bytes(data)
    script = (
        "import sys, resource; from pathlib import Path; from renderer.probe import probe\n"
        "from renderer.errors import SourceRefused\n"
        "try: probe(Path(sys.argv[1]), max_pixels=10_000)\n"
        "except SourceRefused: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for name in ("lie.mov", "none"):
        (tmp_path / "none").touch()
        command = [sys.executable, "-c", script, str(tmp_path / name)]
        peaks.append(int(subprocess.run(command, capture_output=True, check=True).stdout))
    assert peaks[0] - peaks[1] < 5000 * 5000 * 3 // 2 // 1024  # KiB: it was never decoded


def test_a_gif_too_large_is_refused(tmp_path: Path) -> None:
    assert refusal(animation(tmp_path / "g.gif", 3), max_pixels=100)[0] == "source-too-large"


# ------------------------------------------------------------------------------- forms


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nfile:///etc/passwd\n", "HLS playlist"),
        ("ffconcat version 1.0\nfile '/etc/passwd'\n", "concat script"),
        ("\ufeff  ffconcat version 1.0\nfile x\n", "concat script"),
        ("v=0\no=- 0 0 IN IP4 127.0.0.1\n", "SDP"),
        ("<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash'/>", "DASH"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        ("[playlist]\nFile1=x\n", "playlist"),
        ("%PDF-1.7\n", "PDF"),
        ("file '/etc/passwd'\nfile 'b.mp4'\n", "plain text"),
        ("#!/bin/sh\necho hello\n", "plain text"),
        (";FFMETADATA1\n", "metadata"),
    ],
)
def test_whatever_can_name_other_files_is_refused(tmp_path: Path, text: str, what: str) -> None:
    dressed = tmp_path / "holiday.mp4"
    dressed.write_text(text)
    code, message = refusal(dressed)
    assert code == "source-form"
    assert what in message


def test_a_playlist_behind_a_tag_opens_nothing_else(tmp_path: Path) -> None:
    playlist = b"#EXTM3U\n#EXTINF:1,\n" + str(tmp_path / "other.ts").encode() + b"\n"
    dressed = tmp_path / "song.mp3"
    dressed.write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x00" + playlist)
    assert refusal(dressed)[0] == "source-unreadable"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.aac", "aac"), ("a.flac", "flac"), ("a.mp3", "mp3")]
)
def test_sound_behind_a_tag_is_known_by_what_follows(tmp_path: Path, name: str, codec: str) -> None:
    coder = "libmp3lame" if codec == "mp3" else codec
    path = make(
        tmp_path / name, *SOUND, "-c:a", coder, *(("-id3v2_version", "0") if codec == "mp3" else ())
    )
    path.write_bytes(b"ID3\x04\0\0\0\0\x02\x2c" + bytes(300) + path.read_bytes())
    info = probe(path)
    assert info.audio
    assert info.audio.codec.startswith(codec)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("r.mkv", (*PICTURE, "-c:v", "magicyuv")), ("f.flv", (*PICTURE, "-c:v", "flv1"))],
)
def test_rare_codecs_and_containers_are_refused(
    tmp_path: Path, name: str, arguments: tuple[str, ...]
) -> None:
    code, message = refusal(make(tmp_path / name, *arguments))
    assert code in ("source-form", "source-unreadable"), message


# ------------------------------------------------------------------------------- fonts


def font_path() -> Path:
    return Path(str(files("fontpkg_noto_sans").joinpath("files", "NotoSans[wdth,wght].ttf")))


def test_a_font_is_known_with_its_family(tmp_path: Path) -> None:
    info = probe(Path(shutil.copy(font_path(), tmp_path / "f.bin")))
    assert (info.kind, info.family) == (MediaKind.FONT, "Noto Sans")
    assert info.media_type == "font/ttf"
    assert info.duration is None


def web_font(path: Path, flavour: str) -> Path:
    with TTFont(font_path()) as font:
        options = subset.Options(flavor=flavour, name_IDs=["*"])
        maker = subset.Subsetter(options)
        maker.populate(text="Kiln")
        maker.subset(font)
        subset.save_font(font, str(path), options)
    return path


def test_a_web_font_is_a_font(tmp_path: Path) -> None:
    info = probe(web_font(tmp_path / "f.bin", "woff2"))
    assert (info.kind, info.family) == (MediaKind.FONT, "Noto Sans")
    assert info.media_type == "font/woff2"


def test_the_older_web_font_is_refused_with_what_to_give_instead(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match=r"only WOFF2 is unpacked"):
        probe(web_font(tmp_path / "f.bin", "woff"))


def test_half_a_font_is_refused(tmp_path: Path) -> None:
    data = font_path().read_bytes()
    for size in (4, 100, len(data) // 2):
        (tmp_path / "f.ttf").write_bytes(data[:size])
        assert refusal(tmp_path / "f.ttf")[0] in ("source-form", "source-unreadable")


# -------------------------------------------------------------------------- all of them


def test_facts_survive_json(shared: Path) -> None:
    for path in (shared / "plain.mp4", font_path()):
        info = probe(path)
        assert media_info_from_json(info.as_json()) == info
        assert isinstance(info, MediaInfo)


def test_probing_damaged_files_says_nothing_on_the_terminal(shared: Path, tmp_path: Path) -> None:
    data = bytearray((shared / "plain.mp4").read_bytes())
    at = data.index(b"mdat") + 40
    data[at : at + 400] = b"\x55" * 400
    (tmp_path / "hurt.mp4").write_bytes(bytes(data))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / "p.jpg", exif=exif.tobytes()[:-4])
    script = (
        "import sys; from pathlib import Path; from renderer.probe import probe\n"
        "from renderer.errors import SourceRefused\n"
        "for name in sys.argv[1:]:\n"
        "    try: probe(Path(name))\n"
        "    except SourceRefused: pass\n"
    )
    names = [str(tmp_path / "hurt.mp4"), str(tmp_path / "p.jpg")]
    done = subprocess.run(
        [sys.executable, "-W", "default::UserWarning", "-c", script, *names],
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    loud = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", names[0], "-f", "null", "-"],
        capture_output=True,
        check=False,
    )
    assert loud.stderr  # FFmpeg itself has much to say
