"""The commands of `reelkiln`, a file each; daemon/cli.py puts them together."""
