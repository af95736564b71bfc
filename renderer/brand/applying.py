"""A document with a brand: what it does not say itself is said by the brand, in plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from renderer.brand.defaults import BrandDefaults, brand_defaults
from renderer.brand.kit import BrandKit, Colours

_Plain = dict[str, Any]
_TOLD_IN_FULL = ("asset", "topic")
"""Kinds of document that hand the kit on to what they become."""
_COLOUR = re.compile(r"\{\{\s*brand\.([a-z][a-z0-9_]{0,39})\s*\}\}")


def stand_in(document: Mapping[str, Any], name: str) -> BrandKit:
    """A kit in place of one that is not there yet: every colour that the document asks it for is
    there, so that the rest of the document can be judged."""
    asked = sorted(set(_COLOUR.findall(json.dumps(document, default=str))))
    grey = "#808080"
    more = {colour: grey for colour in asked if colour not in Colours.model_fields}
    return BrandKit(reelkiln_brand=1, name=name[:100], colours=Colours(primary=grey, more=more))


def plain_kit(kit: BrandKit) -> _Plain:
    """The kit as plain values, without what it does not say."""
    return kit.model_dump(mode="json", exclude_defaults=True, exclude={"schema_"})


def branded(document: Mapping[str, Any], kit: BrandKit) -> _Plain:
    """The document with the looks of the brand written out, and its field `brand` gone.

    Colours are there as `{{brand.primary}}` and so on, the built-in text styles in the fonts
    and colours of the brand, its font files, and its background; pictures that are generated
    are told of it. What the document says wins.
    Pictures and topics are given the kit in full, as `kit`.
    Parts that are not what they should be are left for the checks that follow.
    """
    if document.get("kind") in _TOLD_IN_FULL:
        plain = {name: value for name, value in document.items() if name != "brand"}
        return {**plain, "kit": document.get("kit", plain_kit(kit))}
    defaults = brand_defaults(kit)
    told = kit.model_dump(mode="json", exclude_defaults=True, exclude={"schema_", "fonts", "logo"})
    done = {name: _with_brand(value, told) for name, value in document.items() if name != "brand"}
    colours = {name.removeprefix("brand."): text for name, text in defaults.palette.items()}
    done["variables"] = _over({"brand": colours}, done.get("variables"))
    done["output"] = _over({"background": defaults.background}, done.get("output"))
    if document.get("kind", "video") == "video":
        done["styles"] = _styles(document.get("styles"), defaults)
        done["tracks"] = _styled(done.get("tracks"), defaults)
        done["fonts"] = _fonts(document.get("fonts"), defaults)
        if isinstance(written := done.get("variants"), Mapping):
            done["variants"] = {name: _variant(one, defaults) for name, one in written.items()}
    return done


def _with_brand(value: Any, told: _Plain) -> Any:
    """The value with the brand told to every picture in it that is generated."""
    if isinstance(value, list):
        return [_with_brand(item, told) for item in value]
    if not isinstance(value, Mapping):
        return value
    done = {name: _with_brand(item, told) for name, item in value.items()}
    recipe = done.get("generate")
    if isinstance(recipe, Mapping) and "image" in recipe:
        done["generate"] = {"brand": told, **recipe}
    return done


def _styles(written: Any, defaults: BrandDefaults) -> Any:
    house = {name: {"like": name, **fields} for name, fields in defaults.styles.items()}
    if written is None or isinstance(written, Mapping):
        own = {name: _style(style, defaults) for name, style in (written or {}).items()}
        return {**house, **own}
    return written


def _style(written: Any, defaults: BrandDefaults) -> Any:
    """A style of the document over that of the brand which it is like."""
    if not isinstance(written, Mapping):
        return written
    like = written.get("like")
    below = defaults.styles.get(like, defaults.text) if isinstance(like, str) else defaults.text
    return {**below, **written}


def _variant(written: Any, defaults: BrandDefaults) -> Any:
    """A variant with the brand in the styles and tracks that it has of its own."""
    if not isinstance(written, Mapping):
        return written
    done = {**written, "tracks": _styled(written.get("tracks", []), defaults)}
    if isinstance(styles := written.get("styles"), Mapping):
        done["styles"] = {name: _style(style, defaults) for name, style in styles.items()}
    return done


def _styled(tracks: Any, defaults: BrandDefaults) -> Any:
    """The tracks with every style that is written into a clip."""
    if isinstance(tracks, list):
        return [_styled(item, defaults) for item in tracks]
    if not isinstance(tracks, Mapping):
        return tracks
    done = dict(tracks)
    if "clips" in done:
        done["clips"] = _styled(done["clips"], defaults)
    if isinstance(done.get("style"), Mapping):
        done["style"] = _style(done["style"], defaults)
    return done


def _fonts(written: Any, defaults: BrandDefaults) -> Any:
    if written is None or isinstance(written, list):
        own = list(written or [])
        return own + [font for font in defaults.fonts if font not in own]
    return written


def _over(below: _Plain, written: Any) -> Any:
    if written is None or isinstance(written, Mapping):
        return {**below, **(written or {})}
    return written
