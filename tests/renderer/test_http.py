import hashlib
import ipaddress
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from renderer.addresses import is_public
from renderer.errors import SourceRefused, SourceUnavailable, UsageError
from renderer.http import download
from renderer.http_policy import HttpPolicy, http_policy
from renderer.limits import Limits
from tests.renderer import web as w
from tests.renderer.web import Web, serving

HERE = (ipaddress.ip_network("127.0.0.1"),)
QUICK = HttpPolicy(
    networks=HERE, max_bytes=1000, connect_s=2, idle_s=2, total_s=5, pause_s=0.01, attempts=3
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "download"


def refusal(url: str, out: Path, policy: HttpPolicy = QUICK) -> tuple[str, str]:
    with pytest.raises(SourceRefused) as caught:
        download(url, out, policy)
    (fault,) = caught.value.faults
    assert fault.hint
    return fault.code, fault.message


def test_a_file_arrives_with_its_digest(web: Web, out: Path) -> None:
    web.answers["/a.mp4"] = w.body(b"bytes")
    got = download(web.url("/a.mp4"), out, QUICK)
    assert out.read_bytes() == b"bytes"
    assert (got.sha256, got.size_bytes) == (hashlib.sha256(b"bytes").hexdigest(), 5)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[3fff::1]/",
        "http://[fec0::1]/",
        "http://[5f00::1]/",
        "http://100.100.100.200/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
    ],
)
def test_addresses_inside_are_refused_in_every_spelling(url: str, out: Path) -> None:
    code, message = refusal(url, out, HttpPolicy())
    assert code == "source-address"
    assert "not a public address" in message


@given(st.ip_addresses(v=4))
def test_an_ipv6_spelling_is_as_public_as_the_ipv4_address_in_it(
    address: ipaddress.IPv4Address,
) -> None:
    number = int(address)
    spellings = [
        (0xFFFF << 32) + number,
        (0x64FF9B << 96) + number,
        (0x2002 << 112) + (number << 80),
    ]
    for spelling in spellings:
        assert is_public(ipaddress.IPv6Address(spelling)) == is_public(address)
    assert not (is_public(address) and (address.is_private or address.is_multicast))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http:///a",
        "http://0177.0.0.1/",
    ],
)
def test_other_schemes_are_refused(url: str, out: Path) -> None:
    assert refusal(url, out)[0] == "source-scheme"


def test_credentials_are_refused_and_never_repeated(out: Path) -> None:
    code, message = refusal("http://ada:secret@127.0.0.1/a?token=secret", out)
    assert code == "source-credentials"
    assert "secret" not in message
    assert "ada" not in message


def test_a_redirect_is_followed(web: Web, out: Path) -> None:
    web.answers |= {"/old": w.redirect("/new"), "/new": w.body(b"moved")}
    assert download(web.url("/old"), out, QUICK).size_bytes == 5


def test_a_redirect_to_a_private_address_is_refused_without_touching_it(
    web: Web, out: Path
) -> None:
    with serving(Web("127.0.0.2")) as canary:
        canary.answers["/"] = w.body(b"secret")
        web.answers["/"] = w.redirect(canary.url("/", "127.0.0.2"))
        code, message = refusal(web.url("/"), out)
    assert code == "source-address"
    assert "127.0.0.2" in message
    assert canary.requests == []
    assert not out.exists()


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("file:///etc/passwd", "source-scheme"),
        ("http://ada:pw@127.0.0.1/", "source-credentials"),
        ("http://0177.0.0.1/", "source-redirects"),
        ("/again", "source-redirects"),
    ],
)
def test_every_hop_is_checked(web: Web, out: Path, to: str, code: str) -> None:
    web.answers["/again"] = w.redirect(to)
    assert refusal(web.url("/again"), out)[0] == code
    assert len(web.requests) == (1 if to != "/again" else QUICK.max_redirects + 1)


def test_the_connection_goes_to_the_address_that_was_checked(
    web: Web, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers another address the second time changes nothing."""
    real, asked = socket.getaddrinfo, []

    def flipping(host: Any, *more: Any, **named: Any) -> Any:
        if host == "rebind.test":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", flipping)
    web.answers["/"] = w.body(b"right")
    with serving(Web("127.0.0.2", web.port)) as canary:
        download(web.url("/", "rebind.test"), out, QUICK)
    assert out.read_bytes() == b"right"
    assert web.requests == [("/", f"rebind.test:{web.port}")]
    assert canary.requests == []


def test_an_ipv6_address_is_reached_under_its_name(out: Path) -> None:
    try:
        web = Web("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    networks = (ipaddress.ip_network("::1"),)
    with serving(web):
        web.answers["/"] = w.body(b"six")
        got = download(web.url("/", "[::1]"), out, replace(QUICK, networks=networks))
    assert got.size_bytes == 3
    assert web.requests == [("/", f"[::1]:{web.port}")]


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    code, message = refusal("http://both.test/", out)
    assert (code, "10.0.0.1" in message) == ("source-address", True)


def test_the_next_address_is_tried_when_one_does_not_answer(
    web: Web, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def three(host: Any, *more: Any, **named: Any) -> Any:
        if host != "three.test":
            return real(host, *more, **named)
        return [found for n in (3, 1, 4) for found in real(f"127.0.0.{n}", *more, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", three)
    web.answers["/"] = w.body(b"here")
    networks = (ipaddress.ip_network("127.0.0.0/8"),)
    assert (
        download(web.url("/", "three.test"), out, replace(QUICK, networks=networks)).size_bytes == 4
    )


def test_https_checks_the_certificate_for_the_name_not_the_address(
    out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("media.test").configure_cert(tls)
    real = socket.getaddrinfo
    names = ("media.test", "other.test")
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *a, **k: real("127.0.0.1" if host in names else host, *a, **k),
    )
    with serving(Web(), tls) as web:
        web.answers |= {"/": w.body(b"safe"), "/down": w.redirect("http://media.test/")}
        with pytest.raises(SourceUnavailable, match="certificate"):
            download(web.url("/", "media.test", "https"), out, QUICK)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert download(web.url("/", "media.test", "https"), out, QUICK).size_bytes == 4
        with pytest.raises(SourceUnavailable, match="certificate"):
            download(web.url("/", "other.test", "https"), out, QUICK)
        code, message = refusal(web.url("/down", "media.test", "https"), out)
        assert (code, "plain http" in message) == ("source-redirects", True)


def test_a_proxy_of_the_environment_is_not_used(
    web: Web, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.2:9")
    web.answers["/"] = w.body(b"direct")
    assert download(web.url("/"), out, QUICK).size_bytes == 6


def test_a_size_that_is_announced_too_large_is_refused_unread(web: Web, out: Path) -> None:
    web.answers["/"] = w.cut_short(b"", announced=1001)
    code, message = refusal(web.url("/"), out)
    assert code == "source-too-large"
    assert "1001 bytes" in message
    assert "REELKILN_MAX_SOURCE_BYTES" in message
    assert not out.exists()


def test_a_body_without_an_announced_size_is_cut_at_the_limit(web: Web, out: Path) -> None:
    web.answers["/"] = w.dripping(web, b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 400)
    assert refusal(web.url("/"), out)[0] == "source-too-large"
    assert out.stat().st_size <= QUICK.max_bytes


@pytest.mark.parametrize("status", [401, 403, 404, 410, 204, 206])
def test_an_answer_that_will_not_change_is_refused_at_once(
    web: Web, out: Path, status: int
) -> None:
    web.answers["/"] = w.body(b"", status)
    code, message = refusal(web.url("/?token=secret"), out)
    assert code == "source-missing"
    assert str(status) in message
    assert "secret" not in message
    assert len(web.requests) == 1


def test_a_server_error_is_tried_again_until_it_passes(web: Web, out: Path) -> None:
    web.answers["/"] = w.in_turn(w.body(b"", 500), w.body(b"", 503), w.body(b"well"))
    said: list[str] = []
    assert download(web.url("/"), out, QUICK, on_retry=said.append).size_bytes == 4
    assert [("500" in said[0]), ("503" in said[1])] == [True, True]


def test_a_server_that_stays_broken_is_unavailable(web: Web, out: Path) -> None:
    web.answers["/"] = w.body(b"", 502)
    said: list[str] = []
    with pytest.raises(SourceUnavailable, match=r"502.*tried 3 times"):
        download(web.url("/"), out, QUICK, on_retry=said.append)
    assert (len(web.requests), len(said)) == (3, 2)


def test_a_server_that_is_busy_is_unavailable_and_left_alone(web: Web, out: Path) -> None:
    web.answers["/"] = w.body(b"", 429)
    with pytest.raises(SourceUnavailable, match="429"):
        download(web.url("/"), out, QUICK)
    assert len(web.requests) == 1


def test_a_body_that_ends_early_is_never_taken_for_the_whole(web: Web, out: Path) -> None:
    web.answers["/"] = w.in_turn(w.cut_short(b"hal", announced=4), w.body(b"half"))
    assert download(web.url("/"), out, QUICK).size_bytes == 4
    assert out.read_bytes() == b"half"
    web.answers["/"] = w.cut_short(b"hal", announced=4)
    with pytest.raises(SourceUnavailable, match="broke off"):
        download(web.url("/"), out, QUICK)


def test_silence_ends_at_the_idle_limit(web: Web, out: Path) -> None:
    web.answers["/"] = w.silent(web)
    with pytest.raises(SourceUnavailable, match="too long"):
        download(web.url("/"), out, replace(QUICK, attempts=1, idle_s=0.3))


@pytest.mark.parametrize(
    "opening", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"]
)
def test_a_drip_ends_at_the_total_limit_in_headers_and_in_the_body(
    web: Web, out: Path, opening: bytes
) -> None:
    web.answers["/"] = w.dripping(web, opening, b"x")
    with pytest.raises(SourceUnavailable, match="max_download_s"):
        download(web.url("/"), out, replace(QUICK, total_s=0.4))
    assert len(web.requests) == 1
    assert web.drips_finished == 0


def test_nobody_there_is_unavailable(out: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        with pytest.raises(SourceUnavailable, match="could not be reached"):
            download(url, out, QUICK)


def test_an_unknown_host_is_unavailable(out: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"nowhere\.invalid is not known"):
        download("http://nowhere.invalid/", out, QUICK)


def test_an_encoded_body_is_refused(web: Web, out: Path) -> None:
    web.answers["/"] = w.body(b"??", Content_Encoding="gzip")
    assert "sends gzip" in refusal(web.url("/"), out)[1]


def test_a_version_that_still_stands_is_not_sent_again(web: Web, out: Path) -> None:
    web.answers["/"] = w.body(b"one", ETag='"1"')
    first = download(web.url("/"), out, QUICK)
    assert dict(first.validators) == {"If-None-Match": '"1"'}
    web.answers["/"] = lambda h: w.body(b"", 304 if h.headers["If-None-Match"] else 500)(h)
    assert download(web.url("/"), out, QUICK, known=first.validators).is_same


def test_the_settings_become_the_policy() -> None:
    policy = http_policy(Limits(max_source_bytes=7, max_redirects=1), "10.0.0.0/8, 127.0.0.1")
    assert (policy.max_bytes, policy.max_redirects) == (7, 1)
    assert [str(n) for n in policy.networks] == ["10.0.0.0/8", "127.0.0.1/32"]
    with pytest.raises(UsageError, match="REELKILN_ALLOW_NETWORKS"):
        http_policy(Limits(), "localhost")
