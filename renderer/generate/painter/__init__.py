"""The offline painter: pictures out of the prompt's digest alone, the same on every machine."""

from renderer.generate.painter.offline import OfflinePainter, paint

__all__ = ["OfflinePainter", "paint"]
