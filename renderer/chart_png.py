"""A chart as PNG, drawn by resvg with the fonts that the renderer carries."""

from __future__ import annotations

from renderer.fonts import font_folders


def png_of(svg: str) -> bytes:
    """The picture at twice its size, for screens of today. System fonts are never asked."""
    import resvg_py  # slow to import, and few ask for a picture

    fonts = [str(folder) for folder in font_folders()]
    data = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_dirs=fonts, zoom=2, font_family="Noto Sans"
    )
    return bytes(data)
