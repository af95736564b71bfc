"""Text layout: graphemes, directions, fonts with fallback, lines, and the drawing of glyphs."""
