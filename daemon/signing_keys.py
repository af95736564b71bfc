"""Where the keys of signed URLs are kept: in the environment, or in a file that one user may read.

The first key signs, all of them are accepted: a new one goes in front, and the old one is taken
out once the last link that it signed is over.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from daemon.fs import RealFs
from daemon.places import Places
from daemon.signing import SigningKey
from renderer.errors import UsageError

SETTING = "REELKILN_SIGNING_KEYS"
FILE = "signing.json"
_FORM = "write kid:BASE64 of 32 random bytes, several separated by blanks, the newest first"


def signing_keys(root: Path, environment: Mapping[str, str]) -> tuple[SigningKey, ...]:
    """The keys of a root, newest first; the file is made when there is none.

    Raises UsageError for a bad setting, or a file that is damaged or open to others.
    """
    text = environment.get(SETTING, "")
    if text.strip():
        return _distinct([_key(word) for word in text.split()], SETTING)
    path = Places(root.absolute()).own(FILE)
    if not path.exists():
        _create(path, [_new_key()])
    return _read(path)


def rotate(root: Path, keep: int = 2) -> tuple[SigningKey, ...]:
    """Put a new key in front of those in the file and keep `keep` in all."""
    path = Places(root.absolute()).own(FILE)
    keys = (_new_key(), *signing_keys(root, {}))[:keep]
    os.replace(_written(path, keys), path)
    RealFs().sync_folder(path.parent)
    return keys


def _new_key() -> SigningKey:
    return SigningKey(kid=secrets.token_hex(4), secret=secrets.token_bytes(32))


def _create(path: Path, keys: Sequence[SigningKey]) -> None:
    """Make the file unless another daemon was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _written(path, keys)
    try:
        RealFs().rename_new(part, path)
    except FileExistsError:
        part.unlink()
    RealFs().sync_folder(path.parent)


def _written(path: Path, keys: Sequence[SigningKey]) -> Path:
    """A file beside `path` with the keys, durable, for its user alone from the first moment."""
    part = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    entries = [{"kid": k.kid, "secret": base64.b64encode(k.secret).decode()} for k in keys]
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "w") as stream:
        json.dump({"keys": entries}, stream, indent=1)
        stream.flush()
        os.fsync(number)
    return part


def _read(path: Path) -> tuple[SigningKey, ...]:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UsageError(f"{path} may be read by others", hint=f"chmod 600 {path}, or remove it")
    try:
        entries = json.loads(path.read_bytes())["keys"]
        keys = [_key(f"{entry['kid']}:{entry['secret']}") for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        hint = "remove it: a new one is made, and links that were given out are over"
        raise UsageError(f"{path} is not a file of signing keys", hint=hint) from error
    return _distinct(keys, str(path))


def _key(word: str) -> SigningKey:
    kid, _, text = word.partition(":")
    try:
        secret = base64.b64decode(text, validate=True)
    except binascii.Error:  # which may quote the secret
        raise UsageError(f"the signing key {kid[:8]!r} is not base64", hint=_FORM) from None
    return SigningKey(kid=kid, secret=secret)


def _distinct(keys: Sequence[SigningKey], where: str) -> tuple[SigningKey, ...]:
    if not keys or len({key.kid for key in keys}) < len(keys):
        raise UsageError(f"{where}: each key needs a name of its own", hint=_FORM)
    return tuple(keys)
