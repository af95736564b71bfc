"""A server that speaks Gemini's `generateContent`, to try the provider without a key."""

from daemon.fake_gemini.server import FakeGemini, Seen

__all__ = ["FakeGemini", "Seen"]
