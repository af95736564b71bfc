import ipaddress
import socket
import time
from dataclasses import replace
from typing import Any

import pytest

from renderer.errors import SourceRefused, SourceUnavailable
from renderer.http_policy import HttpPolicy
from renderer.http_post import Answered, post
from tests.renderer import web as w
from tests.renderer.web import Web, serving

HERE = (ipaddress.ip_network("127.0.0.1"),)
QUICK = HttpPolicy(networks=HERE, connect_s=2, idle_s=2, total_s=2, plain_inside_only=True)
OPEN = HttpPolicy(connect_s=2, idle_s=2, total_s=2)

INSIDE = [
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "localhost", "LOCALHOST",
    "localhost.", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "0x7F.0x0.0x0.0x1",
    "0177.1", "017700000001", "127.0.0.1.", "0", "0.0.0.0", "0.0.0.1", "0x0", "00", "[::]",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::]", "[2001:0:0:0:0:0:80ff:fffe]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]",
    "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[ff01::1]", "[100::1]", "[2001:db8::1]",
    "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[::ffff:0.0.0.0]", "169.254.169.254",
    "2852039166", "0xa9fea9fe", "168.63.129.16", "100.100.100.200", "192.0.0.192", "10.0.0.1",
    "10.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.168.257", "100.64.0.1",
    "100.127.255.255", "198.18.0.1", "192.0.2.1", "203.0.113.7", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
]  # fmt: skip


def test_what_is_posted_arrives_whole_under_its_headers(web: Web) -> None:
    web.answers["/hook"] = w.body(b"thanks", 202, Retry_After="7")
    got = post(web.url("/hook"), b"{}", {"webhook-id": "msg_1"}, QUICK)
    assert got == Answered(status=202, retry_after="7")
    ((headers, body),) = web.posts
    assert (headers["webhook-id"], headers["Host"], body) == (
        "msg_1", f"127.0.0.1:{web.port}", b"{}",
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_an_address_inside_is_ever_connected_to(scheme: str) -> None:
    assert len(INSIDE) >= 60
    with serving(Web()) as canary, serving_six(canary.port) as other:
        canary.answers["/"] = other.answers["/"] = w.body(b"secret")
        for host in INSIDE:
            with pytest.raises((SourceRefused, SourceUnavailable)) as caught:
                post(f"{scheme}://{host}:{canary.port}/", b"{}", {}, OPEN)
            assert "reached" not in str(caught.value), host  # nothing was even tried
        assert (canary.requests, other.requests) == ([], [])


def serving_six(port: int) -> Any:
    try:
        return serving(Web("::1", port))
    except OSError:
        return serving(Web("127.0.0.2", port))


def test_a_redirect_is_an_answer_and_not_followed(web: Web) -> None:
    web.answers |= {"/": w.redirect("/other", 307), "/other": w.body(b"")}
    assert post(web.url("/"), b"{}", {}, QUICK).status == 307
    assert len(web.requests) == 1


def test_a_name_that_changes_its_answer_gains_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = socket.getaddrinfo, []

    def flipping(host: Any, *more: Any, **named: Any) -> Any:
        if host == "rebind.test":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", flipping)
    web.answers["/"] = w.body(b"")
    with serving(Web("127.0.0.2", web.port)) as canary:
        canary.answers["/"] = w.body(b"")
        assert post(web.url("/", "rebind.test"), b"{}", {}, QUICK).status == 200
        with pytest.raises(SourceRefused, match=r"127\.0\.0\.2"):
            post(web.url("/", "rebind.test"), b"{}", {}, QUICK)
    assert web.requests == [("/", f"rebind.test:{web.port}")]
    assert canary.requests == []


def test_plain_http_is_for_the_networks_of_the_operator_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(SourceRefused) as caught:
        post("http://hooks.test/", b"{}", {}, QUICK)
    assert caught.value.faults[0].code == "source-scheme"


@pytest.mark.parametrize("url", ["ftp://a.test/", "http://ada:pw@127.0.0.1/", "http://"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(SourceRefused):
        post(url, b"{}", {}, QUICK)


def test_a_body_that_never_ends_is_not_waited_for(web: Web) -> None:
    web.answers["/"] = w.dripping(web, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x")
    began = time.monotonic()
    assert post(web.url("/"), b"{}", {}, replace(QUICK, total_s=30)).status == 200
    assert time.monotonic() - began < 30  # the drip takes three seconds
    assert web.drips_finished == 0


@pytest.mark.parametrize("kind", ["silent", "dripping"])
def test_an_answer_that_does_not_come_ends_at_the_limit(web: Web, kind: str) -> None:
    slow = w.dripping(web, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x")
    web.answers["/"] = slow if kind == "dripping" else w.silent(web)
    with pytest.raises(SourceUnavailable, match=r"within 0\.3 s"):
        post(web.url("/"), b"{}", {}, replace(QUICK, total_s=0.3))
    assert web.drips_finished == 0


def test_nobody_there_is_unavailable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(SourceUnavailable, match="could not be reached"):
            post(f"http://127.0.0.1:{held.getsockname()[1]}/", b"{}", {}, QUICK)
