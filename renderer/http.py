"""Guarded downloads: a stranger's URL reaches public addresses only, within size and time.

Every hop is checked: the scheme, then all addresses of the host. The connection goes to an
address that was checked, so a name that changes its answer in between gains nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import stamina

from renderer.addresses import Address, is_public
from renderer.errors import SourceRefused, SourceUnavailable
from renderer.http_policy import HttpPolicy
from renderer.limits import over_limit
from renderer.refusals import refused

_LONGEST_PAUSE_S = 5.0
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What arrived: digest and size of the file, and what the server calls this version.

    `is_same` when the server said that the version asked about still stands; then nothing
    was written. `validators` are headers to ask with the next time.
    """

    sha256: str = ""
    size_bytes: int = 0
    is_same: bool = False
    validators: Mapping[str, str]


def download(
    url: str,
    target: Path,
    policy: HttpPolicy,
    *,
    known: Mapping[str, str] | None = None,
    on_retry: Callable[[str], None] = lambda words: None,
) -> Downloaded:
    """Write what `url` gives to the file `target`; `known` are the validators of last time.

    Server errors, timeouts and broken connections are tried again, after `on_retry`. Raises
    SourceRefused when trying again cannot help (`source-scheme`, `source-address`,
    `source-missing`, `source-too-large`, `source-redirects`), else SourceUnavailable.
    """
    first = parsed(url)
    with Deadline(policy.total_s) as deadline:
        fetch = _Fetch(policy, deadline, dict(known or {}))
        try:
            for attempt in stamina.retry_context(
                on=Passing,
                attempts=policy.attempts,
                timeout=policy.total_s,
                wait_initial=policy.pause_s,
                wait_max=_LONGEST_PAUSE_S,
                wait_jitter=0,
            ):
                with attempt, _told(deadline, attempt.num < policy.attempts, on_retry):
                    return fetch.follow(first, target)
        except Passing as error:
            words = f"{error} (tried {attempt.num} times)" if attempt.num > 1 else str(error)
            raise SourceUnavailable(words, hint="try again later") from error
    raise AssertionError("the last attempt returns or raises")


def shown(url: str | httpx.URL) -> str:
    """A URL without user name, query and fragment: those may hold secrets."""
    try:
        plain = httpx.URL(url)
    except httpx.InvalidURL:
        return str(url).partition("?")[0].rpartition("@")[2]
    return str(plain.copy_with(userinfo=b"", query=None, fragment=None))


class Passing(Exception):
    """What may be gone at the next attempt."""


class Deadline:
    """Shuts the connection down when time is up, also between two bytes of a header."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._stream: Any = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpcore's trace extension: tells of each connection as it is made."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]
            if self.is_over:
                self._end()

    def _end(self) -> None:
        self.is_over = True
        if self._stream is not None:
            found = self._stream.get_extra_info("socket")
            with suppress(OSError):  # closed already; TLS has no part in this farewell
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class _Fetch:
    """One URL through all its redirects."""

    def __init__(self, policy: HttpPolicy, deadline: Deadline, known: dict[str, str]) -> None:
        self._policy = policy
        self._deadline = deadline
        self._known = known

    def follow(self, url: httpx.URL, target: Path) -> Downloaded:
        here = url
        for _ in range(self._policy.max_redirects + 1):
            arrived = self._hop(here, target)
            if isinstance(arrived, Downloaded):
                return arrived
            if here.scheme == "https" and arrived.scheme == "http":
                words = f"{shown(here)} redirects to plain http"
                raise refused("source-redirects", words, "name the final address")
            here = arrived
        limit = over_limit(
            f"the number of redirects of {shown(url)}", "max_redirects", self._policy.max_redirects
        )
        raise refused("source-redirects", limit, "name the final address")

    def _hop(self, url: httpx.URL, target: Path) -> httpx.URL | Downloaded:
        """One request; the address to go on to, or what arrived."""
        addresses = checked_addresses(url, self._policy)
        # A transport for each hop: a connection of another host name is never used again.
        with (
            transport_errors(url),
            httpx.HTTPTransport(verify=trust(url.scheme)) as transport,
        ):
            response = first_answer(transport, addresses, lambda to: self._request(url, to))
            try:
                if response.has_redirect_location:
                    return url.join(response.headers["Location"])
                if response.status_code == 304 and self._known:
                    return Downloaded(is_same=True, validators=self._known)
                _check_status(response, url)
                return self._saved(response, url, target)
            finally:
                response.close()

    def _request(self, url: httpx.URL, address: Address) -> httpx.Request:
        return pinned_request("GET", url, address, self._policy, self._deadline, self._known)

    def _saved(self, response: httpx.Response, url: httpx.URL, target: Path) -> Downloaded:
        limit = self._policy.max_bytes
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > limit:
            raise _too_large(f"{shown(url)} with {announced} bytes", limit)
        digest, size = hashlib.sha256(), 0
        with target.open("wb") as stream:
            for chunk in response.iter_raw():
                size += len(chunk)
                if size > limit:
                    raise _too_large(shown(url), limit)
                digest.update(chunk)
                stream.write(chunk)
        names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        known = {
            to: response.headers[name] for name, to in names.items() if name in response.headers
        }
        return Downloaded(sha256=digest.hexdigest(), size_bytes=size, validators=known)


def first_answer(
    transport: httpx.HTTPTransport,
    addresses: tuple[Address, ...],
    request: Callable[[Address], httpx.Request],
) -> httpx.Response:
    """The answer of the first address that can be reached; its body is not read."""
    for address in addresses[:-1]:
        try:
            return transport.handle_request(request(address))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue  # the last one speaks for all
    return transport.handle_request(request(addresses[-1]))


def pinned_request(
    method: str,
    url: httpx.URL,
    address: Address,
    policy: HttpPolicy,
    deadline: Deadline,
    headers: Mapping[str, str],
    content: bytes | None = None,
) -> httpx.Request:
    """A request that goes to `address` and speaks of the host in `url`."""
    return httpx.Request(
        method,
        url.copy_with(host=str(address)),
        headers={
            "Host": url.netloc.decode("ascii"),
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "reelkiln",
            **headers,
        },
        content=content,
        extensions={
            "timeout": httpx.Timeout(policy.idle_s, connect=policy.connect_s).as_dict(),
            "sni_hostname": url.raw_host.decode("ascii"),
            "trace": deadline.trace,
        },
    )


def trust(scheme: str) -> ssl.SSLContext:
    """Certificates of SSL_CERT_FILE count; on a plain hop nobody is trusted.

    A bare transport knows no proxies: they would connect to unchecked addresses.
    """
    if scheme == "https":
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def parsed(url: str) -> httpx.URL:
    """The URL. Raises SourceRefused when it is none."""
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise refused("source-scheme", f"{shown(url)} is not a URL: {error}", "check it") from error


def checked_addresses(url: httpx.URL, policy: HttpPolicy) -> tuple[Address, ...]:
    """Every address of the host, each of them allowed. Raises SourceRefused, SourceUnavailable."""
    if url.scheme not in policy.schemes or not url.host:
        allowed = " and ".join(f"{scheme}://" for scheme in sorted(policy.schemes))
        raise refused("source-scheme", f"{shown(url)} is not allowed", f"allowed: {allowed}")
    if url.userinfo:
        words = f"the address of {shown(url)} carries a user name or password"
        hint = "take it out: sources are written into the bundle"
        raise refused("source-credentials", words, hint)
    addresses = _resolved(url)
    for address in addresses:
        allowed_here = any(address in network for network in policy.networks)
        if not (allowed_here or is_public(address)):
            words = f"{shown(url)} leads to {address}, which is not a public address"
            hint = "give a public address or a local file, or set REELKILN_ALLOW_NETWORKS"
            raise refused("source-address", words, hint)
        if policy.plain_inside_only and url.scheme == "http" and not allowed_here:
            words = f"{shown(url)} would send in plain text over the internet"
            raise refused("source-scheme", words, "give an https:// address")
    return addresses


def _resolved(url: httpx.URL) -> tuple[Address, ...]:
    port = url.port or {"http": 80}.get(url.scheme, 443)
    try:
        found = socket.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        words = f"the host {url.host} is not known ({error})"
        raise SourceUnavailable(words, hint="check the address and the network") from error
    # An IPv6 zone ("%eth0") only occurs with link-local addresses, which are refused anyway.
    texts = (str(entry[4][0]).partition("%")[0] for entry in found)
    return tuple(dict.fromkeys(ipaddress.ip_address(text) for text in texts))


def _check_status(response: httpx.Response, url: httpx.URL) -> None:
    status = response.status_code
    answer = f"{shown(url)} answered {status} {response.reason_phrase}".rstrip()
    if status >= 500:
        raise Passing(answer)
    if status in _PASSING:
        raise SourceUnavailable(answer, hint="try again later")
    if status != 200:
        raise refused("source-missing", answer, "check the address")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise refused("source-missing", f"{shown(url)} sends {encoding}", "serve it as it is")


@contextmanager
def transport_errors(url: httpx.URL) -> Iterator[None]:
    """Timeouts and broken connections pass, a host that is not there does not."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise Passing(f"{shown(url)} took too long ({_kind(error)})") from error
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
        raise Passing(f"{shown(url)} broke off ({error or _kind(error)})") from error
    except httpx.TransportError as error:
        words = f"{shown(url)} could not be reached ({error or _kind(error)})"
        raise SourceUnavailable(words, hint="check the address and the network") from error
    except httpx.InvalidURL as error:
        words = f"{shown(url)} redirects to something that is not a URL"
        raise refused("source-redirects", words, "name the final address") from error


@contextmanager
def _told(deadline: Deadline, again: bool, on_retry: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except Passing as error:
        if deadline.is_over:
            limit = over_limit(
                "the time of the download", "max_download_s", f"{deadline.seconds:g} s"
            )
            raise SourceUnavailable(f"{error}: {limit}", hint="try again later") from error
        if again:
            on_retry(f"{error}; trying again")
        raise


def _kind(error: Exception) -> str:
    return type(error).__name__


def _too_large(what: str, limit: int) -> SourceRefused:
    words = over_limit(what, "max_source_bytes", f"{limit} bytes")
    return refused("source-too-large", words, "give a smaller file")
