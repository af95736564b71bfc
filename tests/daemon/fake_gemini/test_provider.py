"""The Gemini provider against the fake, over real HTTP."""

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from daemon.fake_gemini import FakeGemini
from renderer.errors import (
    BadProviderRequest,
    ContentPolicy,
    DailyQuota,
    ModelGone,
    NoImage,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from renderer.generate.contract import ImageRequest, Reference, request_for
from renderer.generate.gemini import Gemini, GeminiSettings
from renderer.generate.patience import Limiter, Patience
from renderer.generate.pinning import generate_image
from renderer.prompts.asset_types import AssetType
from renderer.prompts.filling import fill
from renderer.store import LocalStore
from renderer.template_files import find_template
from tests.daemon.fake_gemini.running import running

SMALL = (64, 36)


class World:
    """A clock that only moves by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[FakeGemini, str]]:
    fake = FakeGemini()
    with running(fake) as base:
        yield fake, base


class Bench:
    def __init__(self, server: tuple[FakeGemini, str]) -> None:
        self.fake, self.base = server
        self.world = World()
        self.fake.requests.clear()

    def provider(self, **changes: object) -> Gemini:
        settings = {"key": "secret-key", "base": self.base, **changes}
        limiter = Limiter(sleep=self.world.sleep, clock=lambda: self.world.now)
        return Gemini(GeminiSettings(**settings), limiter, Patience())  # type: ignore[arg-type]

    def fails(self, prompt: str, **changes: object) -> ProviderRefused:
        with pytest.raises(ProviderRefused) as refusal:
            self.provider(**changes).generate(ImageRequest(prompt=prompt, size=SMALL))
        assert refusal.value.exit_status == 5
        assert refusal.value.hint
        assert "secret-key" not in str(refusal.value.as_json())
        return refusal.value


@pytest.fixture
def bench(server: tuple[FakeGemini, str]) -> Bench:
    return Bench(server)


@pytest.mark.parametrize("asset_type", list(AssetType))
def test_every_type_comes_in_its_exact_size_and_is_never_asked_for_twice(
    bench: Bench, tmp_path: Path, asset_type: AssetType
) -> None:
    store = LocalStore(tmp_path)
    request = request_for(fill(find_template(asset_type.value), {"subject": "a lighthouse"}))
    made = generate_image(request, bench.provider(), store)
    with Image.open(store.path(made.output.sha256)) as picture:
        assert picture.size == asset_type.size == made.size
        assert picture.mode == ("RGBA" if asset_type.is_transparent else "RGB")
        if asset_type.is_transparent:
            assert picture.getchannel("A").getextrema() == (0, 255)
            assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert made.provenance["provider"] == "gemini"
    assert made.provenance["model"] == "gemini-3.1-flash-image"
    assert made.provenance["response_id"].startswith("fake-")
    (seen,) = bench.fake.requests
    assert seen.key == "secret-key"
    assert seen.path == "/v1beta/models/gemini-3.1-flash-image:generateContent"
    again = generate_image(request, bench.provider(key="", base="http://127.0.0.1:1"), store)
    assert again.is_reused
    assert again.output == made.output
    assert again.provenance == made.provenance
    assert len(bench.fake.requests) == 1


def test_references_seed_shape_and_what_to_leave_out_are_sent(bench: Bench) -> None:
    buffer = BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    request = ImageRequest(
        prompt="a boat", size=(1200, 480), seed=7, negative="letters",
        references=(Reference(data=buffer.getvalue(), media_type="image/png"),),
    )  # fmt: skip
    bench.provider(version="v1").generate(request)
    (seen,) = bench.fake.requests
    assert seen.path.startswith("/v1/")
    assert seen.images == 1
    assert seen.config["seed"] == 7
    assert seen.config["imageConfig"] == {"aspectRatio": "21:9", "imageSize": "1K"}
    assert "Leave out: letters." in seen.prompt


def test_the_older_model_is_asked_in_its_one_size(bench: Bench) -> None:
    request = ImageRequest(prompt="a boat", size=(1080, 1920))
    bench.provider(model="gemini-2.5-flash-image").generate(request)
    assert bench.fake.requests[0].config["imageConfig"] == {"aspectRatio": "9:16"}


@pytest.mark.parametrize(
    ("prompt", "slept"),
    [
        ("[[429 retry=7.5 x1]] told in the body", [7.5]),
        ("[[429 retry-after=3 x2]] told in a header", [3, 3]),
        ("[[429 retry=2 retry-after=9 x1]] told in both", [9]),
        ("[[429 x3]] told nothing", [1, 2, 4]),
        ("[[429 retry=0.2 x1]] told less than we wait anyway", [1]),
        ("[[500 x1]] an error of its own", [1]),
        ("[[503 x2]] overloaded", [1, 2]),
        ("[[truncate x1]] broken off", [1]),
        ("[[short-json x1]] half of the JSON", [1]),
        ("[[array x1]] an error in a list", [1]),
        ("[[bad-b64 x1]] garbled", [1]),
        ("[[empty x1]] no candidate", [1]),
    ],
)
def test_what_passes_is_waited_for_and_tried_again(
    bench: Bench, prompt: str, slept: list[float]
) -> None:
    result = bench.provider().generate(ImageRequest(prompt=prompt, size=SMALL))
    assert result.data.startswith(b"\x89PNG")
    assert bench.world.slept == slept
    assert len(bench.fake.requests) == len(slept) + 1


@pytest.mark.parametrize(
    ("prompt", "error", "reason", "tries"),
    [
        ("[[block PROHIBITED_CONTENT]]", ContentPolicy, "PROHIBITED_CONTENT", 1),
        ("[[block SOMETHING_NEW]]", ContentPolicy, "SOMETHING_NEW", 1),
        ("[[finish IMAGE_SAFETY]]", ContentPolicy, "IMAGE_SAFETY", 1),
        ("[[finish NO_IMAGE]]", NoImage, "NO_IMAGE", 4),
        ("[[finish NEVER_HEARD_OF]]", NoImage, "NEVER_HEARD_OF", 4),
        ("[[text-only]]", NoImage, "STOP", 4),
        ("[[bad-b64]]", NoImage, "", 4),
        ("[[gone]]", ModelGone, "NOT_FOUND", 1),
        ("[[daily]]", DailyQuota, "GenerateRequestsPerDayPerProjectPerModel-FreeTier", 1),
        ("[[bad-request]]", BadProviderRequest, "INVALID_ARGUMENT", 1),
        ("[[bad-key]]", ProviderAuth, "API_KEY_INVALID", 1),
        ("[[429 retry=500]]", RateLimited, "RESOURCE_EXHAUSTED", 1),
        ("[[429 retry=5]]", RateLimited, "RESOURCE_EXHAUSTED", 4),
        ("[[500]]", ProviderUnavailable, "INTERNAL", 4),
        ("[[truncate]]", ProviderUnavailable, "", 4),
    ],
)
def test_each_refusal_has_its_own_error(
    bench: Bench, prompt: str, error: type[ProviderRefused], reason: str, tries: int
) -> None:
    refusal = bench.fails(prompt)
    assert type(refusal) is error
    assert refusal.reason == reason
    assert len(bench.fake.requests) == tries


def test_a_wait_that_is_too_long_is_told_and_not_slept(bench: Bench) -> None:
    assert bench.fails("[[429 retry=500]]").retry_after == 500
    assert bench.world.slept == []


def test_a_server_that_is_too_slow_is_given_up(bench: Bench) -> None:
    refusal = bench.fails("[[slow 5]]", timeout_s=0.1)
    assert type(refusal) is ProviderUnavailable
    assert "no answer within 0.1 s" in refusal.message
    assert bench.world.slept == [1, 2, 4]


def test_a_server_that_is_not_there_is_told(bench: Bench) -> None:
    assert type(bench.fails("x", base="http://127.0.0.1:1")) is ProviderUnavailable


@pytest.mark.parametrize(("key", "calls"), [("", 0), ("invalid-key", 1)])
def test_a_wrong_key_is_told_once_and_a_missing_one_without_a_call(
    bench: Bench, key: str, calls: int
) -> None:
    assert type(bench.fails("x", key=key)) is ProviderAuth
    assert len(bench.fake.requests) == calls


def test_a_model_that_never_was_is_told_once(bench: Bench) -> None:
    assert type(bench.fails("x", model="gemini-1-image")) is ModelGone
    assert len(bench.fake.requests) == 1


def test_after_words_the_picture_is_asked_for_in_so_many_words(bench: Bench) -> None:
    bench.provider().generate(ImageRequest(prompt="[[text-only x1]] a poem", size=SMALL))
    first, second = (seen.prompt for seen in bench.fake.requests)
    assert "Generate an image of" not in first
    assert second.startswith("Generate an image of")


def test_a_draft_is_not_taken_for_the_picture(bench: Bench) -> None:
    result = bench.provider().generate(ImageRequest(prompt="[[thought]]", size=SMALL))
    with Image.open(BytesIO(result.data)) as picture:
        assert picture.size == (1344, 768)


@pytest.mark.parametrize("sent", ["300x700", "2000x50", "1x1"])
def test_a_wrong_size_is_measured_and_cut(bench: Bench, tmp_path: Path, sent: str) -> None:
    store = LocalStore(tmp_path)
    request = ImageRequest(prompt=f"[[wrong-size {sent}]]", size=(320, 180))
    made = generate_image(request, bench.provider(), store)
    assert made.provenance["received_size"] == sent
    with Image.open(store.path(made.output.sha256)) as picture:
        assert picture.size == (320, 180)


def test_what_is_no_picture_is_not_kept(bench: Bench, tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    request = ImageRequest(prompt="[[not-a-picture]]", size=SMALL)
    with pytest.raises(NoImage, match="no whole picture"):
        generate_image(request, bench.provider(), store)
    assert store.usage().objects == 0


def test_tasks_share_the_limit() -> None:
    fake = FakeGemini()
    request = ImageRequest(prompt="[[slow 0.1]]", size=SMALL)
    with running(fake) as base:
        provider = Gemini(GeminiSettings(key="k", base=base), Limiter(at_once=2))
        threads = [threading.Thread(target=provider.generate, args=(request,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(fake.requests) == 6
    assert fake.most_at_once == 2
