"""What a provider of pictures is asked, what it gives, and what it must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from renderer.digest import digest_of, digest_of_bytes
from renderer.media import Size
from renderer.prompts.filling import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A picture to go by."""

    data: bytes = field(repr=False)
    media_type: str

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return digest_of_bytes(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One picture of `size` pixels.

    `subject` is what the picture shows, in the user's words, and `palette` the colours to
    keep to as `#rrggbb`: a provider that cannot read a prompt goes by these. `seed` tells
    several pictures of one prompt apart.
    """

    prompt: str
    size: Size
    references: tuple[Reference, ...] = ()
    seed: int = 0
    negative: str = ""
    transparent: bool = False
    subject: str = ""
    palette: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of everything that is asked."""
        return digest_of(
            {
                "negative": self.negative,
                "palette": list(self.palette),
                "prompt": self.prompt,
                "references": [reference.sha256 for reference in self.references],
                "seed": self.seed,
                "size": list(self.size),
                "subject": self.subject,
                "transparent": self.transparent,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """A picture as it came: `size` is not promised. `facts` may hold more about its making."""

    data: bytes = field(repr=False)
    media_type: str
    provider: str
    model: str
    response_id: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """Makes pictures. Used by several threads at once."""

    @property
    def name(self) -> str:
        """What specs call it: `offline`, `gemini`."""
        ...

    @property
    def model(self) -> str:
        """What decides its pictures beside the request; part of what pins them."""
        ...

    def generate(self, request: ImageRequest) -> ImageResult:
        """Make one picture. Raises ProviderRefused, or a class under it, that says why not."""
        ...


def request_for(
    prompt: Prompt, *, seed: int = 0, references: tuple[Reference, ...] = ()
) -> ImageRequest:
    """The request for the picture of a prompt."""
    return ImageRequest(
        prompt=prompt.text,
        size=prompt.size,
        references=references,
        seed=seed,
        negative=prompt.negative,
        transparent=prompt.is_transparent,
        subject=prompt.subject,
        palette=prompt.palette,
    )
