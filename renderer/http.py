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

from renderer.errors import SourceRefused, SourceUnavailable, UsageError
from renderer.limits import Limits, over_limit
from renderer.refusals import refused

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER_PUBLIC = frozenset({ipaddress.IPv4Address("168.63.129.16")})
"""Addresses that look public but lead into a cloud's own machinery."""
_LONGEST_PAUSE_S = 5.0
_PASSING = frozenset({408, 425, 429})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """What a download may do.

    `total_s` bounds the whole of it with all attempts, `connect_s` each connection, `idle_s`
    each silence; `pause_s` is the wait before the second attempt. `networks` are let through
    although they are not public, for a media server in the house.
    """

    schemes: frozenset[str] = frozenset({"http", "https"})
    networks: tuple[Network, ...] = ()
    max_bytes: int = Limits().max_source_bytes
    max_redirects: int = Limits().max_redirects
    attempts: int = Limits().max_download_attempts
    connect_s: float = Limits().max_connect_s
    idle_s: float = Limits().max_idle_s
    total_s: float = Limits().max_download_s
    pause_s: float = 0.5


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


def http_policy(limits: Limits, networks: str = "") -> HttpPolicy:
    """The policy of the settings; `networks` as in `10.0.0.0/8, 127.0.0.1`.

    Raises UsageError for what is not a network.
    """
    try:
        words = (word.strip() for word in networks.split(","))
        allowed = tuple(ipaddress.ip_network(word) for word in words if word)
    except ValueError as error:
        hint = "write addresses or networks, 10.0.0.0/8,127.0.0.1"
        raise UsageError(f"REELKILN_ALLOW_NETWORKS: {error}", hint=hint) from error
    return HttpPolicy(
        networks=allowed,
        max_bytes=limits.max_source_bytes,
        max_redirects=limits.max_redirects,
        attempts=limits.max_download_attempts,
        connect_s=limits.max_connect_s,
        idle_s=limits.max_idle_s,
        total_s=limits.max_download_s,
    )


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
    first = _parsed(url)
    with Deadline(policy.total_s) as deadline:
        fetch = _Fetch(policy, deadline, dict(known or {}))
        try:
            for attempt in stamina.retry_context(
                on=_Passing,
                attempts=policy.attempts,
                timeout=policy.total_s,
                wait_initial=policy.pause_s,
                wait_max=_LONGEST_PAUSE_S,
                wait_jitter=0,
            ):
                with attempt, _told(deadline, attempt.num < policy.attempts, on_retry):
                    return fetch.follow(first, target)
        except _Passing as error:
            words = f"{error} (tried {attempt.num} times)" if attempt.num > 1 else str(error)
            raise SourceUnavailable(words, hint="try again later") from error
    raise AssertionError("the last attempt returns or raises")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, also when it wraps an IPv4 address."""
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(inner)
    is_special = address.is_multicast or address.is_reserved or address in _NEVER_PUBLIC
    return address.is_global and not is_special


def shown(url: str | httpx.URL) -> str:
    """A URL without user name, query and fragment: those may hold secrets."""
    try:
        plain = httpx.URL(url)
    except httpx.InvalidURL:
        return str(url).partition("?")[0].rpartition("@")[2]
    return str(plain.copy_with(userinfo=b"", query=None, fragment=None))


class _Passing(Exception):
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
        addresses = _checked_addresses(url, self._policy)
        # A transport for each hop: a connection of another host name is never used again.
        with (
            _transport_errors(url),
            httpx.HTTPTransport(verify=_trust(url.scheme)) as transport,
        ):
            response = self._answer(transport, url, addresses)
            try:
                if response.has_redirect_location:
                    return url.join(response.headers["Location"])
                if response.status_code == 304 and self._known:
                    return Downloaded(is_same=True, validators=self._known)
                _check_status(response, url)
                return self._saved(response, url, target)
            finally:
                response.close()

    def _answer(
        self, transport: httpx.HTTPTransport, url: httpx.URL, addresses: tuple[Address, ...]
    ) -> httpx.Response:
        """The answer of the first address that can be reached."""
        for address in addresses[:-1]:
            try:
                return transport.handle_request(self._request(url, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # the last one speaks for all
        return transport.handle_request(self._request(url, addresses[-1]))

    def _request(self, url: httpx.URL, address: Address) -> httpx.Request:
        timeout = httpx.Timeout(self._policy.idle_s, connect=self._policy.connect_s)
        return httpx.Request(
            "GET",
            url.copy_with(host=str(address)),
            headers={
                "Host": url.netloc.decode("ascii"),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": "reelkiln",
                **self._known,
            },
            extensions={
                "timeout": timeout.as_dict(),
                "sni_hostname": url.raw_host.decode("ascii"),
                "trace": self._deadline.trace,
            },
        )

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


def _trust(scheme: str) -> ssl.SSLContext:
    """Certificates of SSL_CERT_FILE count; on a plain hop nobody is trusted.

    A bare transport knows no proxies: they would connect to unchecked addresses.
    """
    if scheme == "https":
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise refused("source-scheme", f"{shown(url)} is not a URL: {error}", "check it") from error


def _checked_addresses(url: httpx.URL, policy: HttpPolicy) -> tuple[Address, ...]:
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


def _unwrapped(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # ::a.b.c.d
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def _check_status(response: httpx.Response, url: httpx.URL) -> None:
    status = response.status_code
    answer = f"{shown(url)} answered {status} {response.reason_phrase}".rstrip()
    if status >= 500:
        raise _Passing(answer)
    if status in _PASSING:
        raise SourceUnavailable(answer, hint="try again later")
    if status != 200:
        raise refused("source-missing", answer, "check the address")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise refused("source-missing", f"{shown(url)} sends {encoding}", "serve it as it is")


@contextmanager
def _transport_errors(url: httpx.URL) -> Iterator[None]:
    """Timeouts and broken connections pass, a host that is not there does not."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise _Passing(f"{shown(url)} took too long ({_kind(error)})") from error
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
        raise _Passing(f"{shown(url)} broke off ({error or _kind(error)})") from error
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
    except _Passing as error:
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
