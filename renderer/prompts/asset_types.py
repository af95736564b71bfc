"""The five kinds of picture that can be asked for, each with its one size."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from renderer.media import Size


class AssetType(StrEnum):
    """What a picture is for; its value is the folder of its templates."""

    THUMBNAIL = "thumbnail"  # the picture a video is chosen by
    OVERLAY = "overlay"  # laid over a film, clear where nothing is
    BANNER = "banner"  # the head of a page or channel
    STORY_GRAPHIC = "story_graphic"  # fills an upright telephone
    CLIP_COVER = "clip_cover"  # the square in a feed

    @property
    def size(self) -> Size:
        """(width, height) in pixels, of every picture of this type."""
        return _SIZES[self]

    @property
    def is_transparent(self) -> bool:
        """Whether the picture has clear parts."""
        return self is AssetType.OVERLAY


_SIZES: Mapping[AssetType, Size] = MappingProxyType(
    {
        AssetType.THUMBNAIL: (1280, 720),
        AssetType.OVERLAY: (1920, 1080),
        AssetType.BANNER: (1200, 480),
        AssetType.STORY_GRAPHIC: (1080, 1920),
        AssetType.CLIP_COVER: (1080, 1080),
    }
)
