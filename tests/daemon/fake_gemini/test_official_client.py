"""Google's own client talks to the fake: what it understands is the protocol."""

import warnings
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from daemon.fake_gemini import FakeGemini
from tests.daemon.fake_gemini.running import running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    genai = pytest.importorskip("google.genai")
    from google.genai import errors, types


@pytest.fixture(scope="module")
def fake() -> Iterator[tuple[FakeGemini, str]]:
    server = FakeGemini()
    with running(server) as base:
        yield server, base


def ask(base: str, prompt: str, **changes: str) -> "types.GenerateContentResponse":
    options = types.HttpOptions(base_url=base, timeout=10_000)
    client = genai.Client(api_key=changes.get("key", "a-key"), http_options=options)
    try:
        return client.models.generate_content(
            model=changes.get("model", "gemini-3.1-flash-image"),
            contents=prompt,
            config=types.GenerateContentConfig(
                response_modalities=["IMAGE"],
                image_config=types.ImageConfig(aspect_ratio="16:9", image_size="1K"),
            ),
        )
    finally:
        client.close()


@pytest.mark.filterwarnings("ignore")
def test_it_reads_a_picture(fake: tuple[FakeGemini, str]) -> None:
    answer = ask(fake[1], "a cat")
    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.response_id
    assert answer.response_id.startswith("fake-")
    (picture,) = [part.inline_data for part in answer.parts or [] if part.inline_data]
    with Image.open(BytesIO(picture.data or b"")) as opened:
        assert opened.size == (1344, 768)
    assert fake[0].requests[-1].key == "a-key"


@pytest.mark.filterwarnings("ignore")
def test_it_reads_a_blocked_prompt_and_a_stopped_picture(fake: tuple[FakeGemini, str]) -> None:
    blocked = ask(fake[1], "[[block PROHIBITED_CONTENT]]")
    assert not blocked.candidates
    assert blocked.prompt_feedback
    assert blocked.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT
    stopped = ask(fake[1], "[[finish IMAGE_SAFETY]]")
    assert stopped.candidates
    assert stopped.candidates[0].finish_reason is types.FinishReason.IMAGE_SAFETY


@pytest.mark.filterwarnings("ignore")
def test_it_reads_words_instead_of_a_picture(fake: tuple[FakeGemini, str]) -> None:
    assert ask(fake[1], "[[text-only]]").text == "I can describe it instead."


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("prompt", "changes", "code", "status"),
    [
        ("[[429 retry=5]]", {}, 429, "RESOURCE_EXHAUSTED"),
        ("[[daily]]", {}, 429, "RESOURCE_EXHAUSTED"),
        ("[[500]]", {}, 500, "INTERNAL"),
        ("x", {"key": "invalid"}, 400, "INVALID_ARGUMENT"),
        ("x", {"model": "gemini-1"}, 404, "NOT_FOUND"),
    ],
)
def test_it_reads_errors(
    fake: tuple[FakeGemini, str], prompt: str, changes: dict[str, str], code: int, status: str
) -> None:
    with pytest.raises(errors.APIError) as refusal:
        ask(fake[1], prompt, **changes)
    assert refusal.value.code == code
    assert refusal.value.status == status
