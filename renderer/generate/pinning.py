"""A picture is made once: its bytes are kept under the digest of what was asked of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from renderer.digest import digest_of
from renderer.generate.contract import ImageRequest, ImageResult, Provider
from renderer.generate.fitting import fitted
from renderer.media import Size
from renderer.steps import Output, StepResult
from renderer.store import Store

_OUTPUT = "image.png"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A picture in the store: a PNG of the asked size.

    `is_reused` when no call was made. `provenance` says provider, model, response id, the
    digest of the request, and the size in which the picture came.
    """

    output: Output
    size: Size
    provenance: Mapping[str, str]
    is_reused: bool


def generate_image(request: ImageRequest, provider: Provider, store: Store) -> Generated:
    """The picture of a request, from the store or else from the provider.

    Raises ProviderRefused, or a class under it.
    """
    key = pin_key(request, provider)
    known = store.lookup(key)
    if known is not None:
        return _generated(known, request)
    result = provider.generate(request)
    data, came = fitted(result.data, request, provider.name)
    made = StepResult(
        outputs={_OUTPUT: store.put_bytes(data)},
        facts={"provenance": _provenance(request, result, came)},
    )
    store.record(key, made)
    return _generated(made, request)


def pin_key(request: ImageRequest, provider: Provider) -> str:
    """What the bytes are kept under."""
    return digest_of(
        {
            "kind": "generate-image",
            "model": provider.model,
            "provider": provider.name,
            "request": request.digest,
            "version": _VERSION,
        }
    )


def _generated(result: StepResult, request: ImageRequest) -> Generated:
    return Generated(
        output=result.outputs[_OUTPUT],
        size=request.size,
        provenance=dict(result.facts["provenance"]),
        is_reused=result.reused,
    )


def _provenance(request: ImageRequest, result: ImageResult, came: Size) -> dict[str, str]:
    return {
        "provider": result.provider,
        "model": result.model,
        "response_id": result.response_id,
        "request": request.digest,
        "received_size": f"{came[0]}x{came[1]}",
        **result.facts,
    }
