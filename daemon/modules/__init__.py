"""Modules that come with Reelkiln: each is a command of its own, which a daemon runs."""
