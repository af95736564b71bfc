"""What a document may ask for at most. Each limit is a setting; each refusal names both.

A setting `max_tracks` is read from the environment as `REELKILN_MAX_TRACKS`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Safe defaults for a machine that reads strangers' documents."""

    max_document_bytes: int = 1_048_576
    max_depth: int = 32
    max_nodes: int = 200_000
    max_tracks: int = 50
    max_clips: int = 2_000
    max_duration_s: int = 4 * 3600
    max_pixels: int = 8_294_400  # 3840x2160
    max_fps: int = 120
    max_text_characters: int = 5_000
    max_source_bytes: int = 50 * 1024**3
    max_image_pixels: int = 100_000_000
    max_redirects: int = 5
    max_download_attempts: int = 3
    max_connect_s: int = 10  # until a server takes the connection
    max_idle_s: int = 30  # of silence during a download
    max_download_s: int = 3600  # a download in all, with every attempt


def setting_of(limit: str) -> str:
    """The environment variable that raises a limit."""
    return f"REELKILN_{limit.upper()}"


def over_limit(what: str, limit: str, allowed: int | str) -> str:
    """The sentence of every refusal: what was asked, the limit, the setting."""
    return f"{what} is over the limit of {allowed} ({limit}, setting {setting_of(limit)})"
