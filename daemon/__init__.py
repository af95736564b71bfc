"""The daemon and the `reelkiln` command: watcher, workers, HTTP API and terminal.

Nothing is exported here: another distribution called python-daemon owns the same import name,
and an empty front door keeps the two from being mistaken for each other.
"""
