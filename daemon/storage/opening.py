"""The storage that the settings name: a folder of the daemon, or a bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from daemon.signing import SigningKey
from daemon.storage.caching import Caching
from daemon.storage.contract import Storage
from daemon.storage.keys import checked_key
from daemon.storage.local import LocalStorage
from daemon.storage.retrying import Retrying
from daemon.storage.s3 import S3Storage
from renderer.errors import ToolchainUnfit, UsageError

URL_SETTING = "REELKILN_STORAGE_URL"
PUBLIC_SETTING = "REELKILN_STORAGE_PUBLIC_URL"
BASE_SETTING = "REELKILN_PUBLIC_URL"
CACHE_BYTES = 4 << 30
_TIMEOUTS = {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "6h"}


def open_storage(
    environment: Mapping[str, str], folder: Path, *,
    keys: Callable[[], Sequence[SigningKey]], clock: Callable[[], float],
) -> Storage:  # fmt: skip
    """The storage of a daemon whose own is `folder`.

    Raises UsageError for an address that is none, ToolchainUnfit without the `s3` extra.
    """
    url = environment.get(URL_SETTING, "").strip()
    if not url:
        return LocalStorage(
            folder, keys=keys, clock=clock, base_url=environment.get(BASE_SETTING, ""),
            public=environment.get(PUBLIC_SETTING, ""),
        )  # fmt: skip
    cached = folder.with_name(f"{folder.name}-cache")
    return Caching(Retrying(open_s3(environment)), cached, max_bytes=CACHE_BYTES)


def open_s3(environment: Mapping[str, str]) -> S3Storage:
    """The bucket of `REELKILN_STORAGE_URL`, with the usual settings of AWS."""
    bucket, prefix = _bucket_of(environment[URL_SETTING])
    for name in ("obstore", "boto3"):
        if find_spec(name) is None:
            raise ToolchainUnfit(
                f"{URL_SETTING} names a bucket, and {name} is not installed",
                hint="pip install 'reelkiln[s3]'",
            )
    from obstore.store import S3Store

    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or ""
    store = S3Store(bucket, prefix=prefix or None, **_options(environment, endpoint))
    public = environment.get(PUBLIC_SETTING, "")
    client = _client(environment, endpoint)
    return S3Storage(store, client, bucket=bucket, prefix=prefix, public=public)


def _client(environment: Mapping[str, str], endpoint: str) -> object:
    import boto3
    from botocore.config import Config

    # One way for links and requests: by path where an own server is named, by host at AWS.
    style = "path" if endpoint else "virtual"
    return boto3.client(
        "s3", endpoint_url=endpoint or None, region_name=_region(environment),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        config=Config(
            signature_version="s3v4", s3={"addressing_style": style},
            connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1},
        ),
    )  # fmt: skip


def _options(environment: Mapping[str, str], endpoint: str) -> dict[str, Any]:
    """What obstore is told. It makes each request once: `Retrying` decides about another."""
    names = {
        "access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    }  # fmt: skip
    told = {name: environment[key] for name, key in names.items() if environment.get(key)}
    return {
        "region": _region(environment), "virtual_hosted_style_request": not endpoint,
        "client_options": {**_TIMEOUTS, "allow_http": endpoint.startswith("http://")},
        "retry_config": {"max_retries": 0}, **({"endpoint": endpoint} if endpoint else {}), **told,
    }  # fmt: skip


def _region(environment: Mapping[str, str]) -> str:
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"


def _bucket_of(url: str) -> tuple[str, str]:
    parts = urlsplit(url.strip())
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"{URL_SETTING} is no address of a bucket", hint="s3://bucket/prefix")
    prefix = parts.path.strip("/")
    return parts.netloc, checked_key(prefix) if prefix else ""
