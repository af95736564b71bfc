import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.signing import HOUR_S, LONGEST_S, LinkRefused, SigningKey, check_url, sign_url
from daemon.signing_keys import rotate, signing_keys
from renderer.errors import UsageError

NEW = SigningKey(kid="new", secret=bytes(range(32)))
OLD = SigningKey(kid="old", secret=bytes(range(1, 33)))
KEYS = (NEW, OLD)
PATH = "/v1/jobs/01ABC/files/video%20one.mp4"
NOW = 1_700_000_000.0


def split(url: str) -> tuple[str, str]:
    path, _, query = url.partition("?")
    return path, query


def is_accepted(url: str, now: float = NOW, method: str = "GET") -> bool:
    try:
        check_url(KEYS, *split(url), now=now, method=method)
    except LinkRefused:
        return False
    return True


URL = sign_url(KEYS, PATH, owner="ada & bob/é\ud800", now=NOW)


def test_a_signed_url_says_whose_it_is_and_until_when() -> None:
    grant = check_url(KEYS, *split(URL), now=NOW)
    assert (grant.owner, grant.expires_at) == ("ada & bob/é\ud800", NOW + HOUR_S)
    assert is_accepted(URL, method="HEAD")


def test_every_flipped_bit_is_refused() -> None:
    data = URL.encode()
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            assert not is_accepted(flipped.decode("latin-1")), flipped


@given(st.data())
def test_every_other_spelling_is_refused(data: st.DataObject) -> None:
    path, query = split(URL)
    pairs = [part.split("=", 1) for part in query.split("&")]
    change = data.draw(st.sampled_from(["value", "drop", "twice", "more", "order", "name"]))
    index = data.draw(st.integers(0, len(pairs) - 1))
    if change == "value":
        old = pairs[index][1]
        pairs[index][1] = data.draw(st.text().filter(lambda text: text != old))
    elif change == "drop":
        del pairs[index]
    elif change == "twice":
        pairs.insert(data.draw(st.integers(0, len(pairs))), list(pairs[index]))
    elif change == "more":
        pairs.insert(data.draw(st.integers(0, len(pairs))), ["x", "1"])
    elif change == "order":
        pairs.append(pairs.pop(data.draw(st.integers(0, len(pairs) - 2))))
    else:
        pairs[index][0] = pairs[index][0].upper()
    assert not is_accepted(path + "?" + "&".join("=".join(pair) for pair in pairs))


@given(st.text())
def test_a_url_opens_no_other_path(path: str) -> None:
    if path != PATH:
        with pytest.raises(LinkRefused):
            check_url(KEYS, path, split(URL)[1], now=NOW)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "get", "OPTIONS", ""])
def test_a_url_to_get_something_does_nothing_else(method: str) -> None:
    assert not is_accepted(URL, method=method)


def test_the_expiry_is_exact_to_the_second() -> None:
    url = sign_url(KEYS, PATH, owner="", now=NOW, seconds=60)
    assert [is_accepted(url, NOW + after) for after in (59, 60, 61)] == [True, False, False]


@pytest.mark.parametrize("seconds", [0, -1, LONGEST_S + 1])
def test_a_url_lives_from_a_second_to_seven_days(seconds: int) -> None:
    with pytest.raises(UsageError, match=f"{seconds} s is not possible"):
        sign_url(KEYS, PATH, owner="", now=NOW, seconds=seconds)
    assert is_accepted(sign_url(KEYS, PATH, owner="", now=NOW, seconds=LONGEST_S))


@pytest.mark.parametrize("path", ["", "v1", "/a b", "/a?b", "/a#b", "/a\nb", "/é"])
def test_what_is_no_path_of_a_request_is_not_signed(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be signed"):
        sign_url(KEYS, path, owner="", now=NOW)


def test_an_old_key_still_opens_until_it_is_taken_out() -> None:
    url = sign_url((OLD,), PATH, owner="ada", now=NOW)
    assert is_accepted(url)
    assert "kid=new" in sign_url(KEYS, PATH, owner="ada", now=NOW)
    with pytest.raises(LinkRefused, match="not in use"):
        check_url((NEW,), *split(url), now=NOW)
    renamed = SigningKey(kid="new", secret=OLD.secret)  # the kid is signed as well
    with pytest.raises(LinkRefused):
        check_url((renamed,), *split(url.replace("kid=old", "kid=new")), now=NOW)


def test_the_file_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: signing_keys(tmp_path, {}), range(16)))
    assert len(found) == 1
    folder = tmp_path / ".reelkiln"
    assert os.listdir(folder) == ["signing.json"]
    assert stat.S_IMODE((folder / "signing.json").stat().st_mode) == 0o600


def test_a_rotated_key_signs_and_the_one_before_is_still_taken(tmp_path: Path) -> None:
    (first,) = signing_keys(tmp_path, {})
    assert rotate(tmp_path)[1] == first
    assert signing_keys(tmp_path, {})[1] == first
    rotate(tmp_path)
    assert first not in signing_keys(tmp_path, {})


def test_keys_of_the_environment_come_first_and_are_never_repeated(tmp_path: Path) -> None:
    import base64

    good = base64.b64encode(bytes(32)).decode()
    keys = signing_keys(tmp_path, {"REELKILN_SIGNING_KEYS": f"b:{good} a:{good}"})
    assert [key.kid for key in keys] == ["b", "a"]
    assert not (tmp_path / ".reelkiln").exists()
    assert "secret" not in repr(keys[0])
    for bad in (f"a:{good} a:{good}", f"a:{good[:8]}", "a:sesame!", "sesame", f"a b:{good}", ":"):
        with pytest.raises(UsageError) as caught:
            signing_keys(tmp_path, {"REELKILN_SIGNING_KEYS": bad})
        assert good not in str(caught.value)


def test_a_file_that_others_may_read_or_that_is_damaged_is_told(tmp_path: Path) -> None:
    signing_keys(tmp_path, {})
    file = tmp_path / ".reelkiln" / "signing.json"
    file.chmod(0o640)
    with pytest.raises(UsageError, match="read by others"):
        signing_keys(tmp_path, {})
    file.chmod(0o600)
    for damaged in ("{", "[]", '{"keys": []}', '{"keys": [{"kid": "a"}]}'):
        file.write_text(damaged)
        with pytest.raises(UsageError):
            signing_keys(tmp_path, {})
