"""A key is taken out of texts, bytes and rows in every usual form, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbf_core import secret
from sbf_core.secret import Secret, holds_key, redacted, redacted_bytes, redacted_in_sql

KEYS = (
    'k3y-Sup3r/Secret+Val=ue&"xQ7',
    "abcdefgh12345678",
    "pass word'<1>",
    "ключ-é/1",
    "::--//::",
    "1234567",
    "back\\slash\\key",
)
SHAPES = {
    "plain": lambda key: key,
    "address": lambda key: quote(key, safe=""),
    "address, small digits": lambda key: "".join(
        f"%{byte:02x}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in key.encode()
    ),
    "address, twice": lambda key: quote(quote(key, safe=""), safe=""),
    "form": quote_plus,
    "JSON": lambda key: json.dumps(key),
    "JSON in JSON": lambda key: json.dumps(json.dumps(json.dumps(key))),
    "JSON as PHP writes it": lambda key: json.dumps(key).replace("/", "\\/"),
    "JSON as Go writes it": lambda key: (
        json.dumps(key).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003E")
    ),
    "HTML": html.escape,
    "HTML in numbers": lambda key: "".join(
        char if char.isascii() and char.isalnum() else f"&#{ord(char)};" for char in key
    ),
    "HTML in hexadecimal": lambda key: "".join(
        char if char.isascii() and char.isalnum() else f"&#x{ord(char):X};" for char in key
    ),
    "CSV": lambda key: key.replace('"', '""'),
    "Python": repr,
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "hexadecimal": lambda key: key.encode().hex(),
    "hexadecimal, as a dump": lambda key: key.encode().hex(" "),
    "hexadecimal, as a fingerprint": lambda key: key.encode().hex(":").upper(),
    "address, every letter": lambda key: "".join(f"%{byte:02X}" for byte in key.encode()),
    "address, every letter twice": lambda key: "".join(f"%25{byte:02x}" for byte in key.encode()),
    "JSON, every letter": lambda key: "".join(f"\\u{ord(char):04X}" for char in key),
    "Python, every byte": lambda key: "".join(f"\\x{byte:02x}" for byte in key.encode()),
    "HTML, every letter": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "HTML, every letter in hexadecimal": lambda key: "".join(f"&#x{ord(char):02x};" for char in key),
    "mixed": lambda key: "".join(
        (char, quote(char, safe=""), json.dumps(char)[1:-1])[place % 3] for place, char in enumerate(key)
    ),
}


def by_the_engine(text: str) -> str:
    """A text without keys, as SQL takes them out."""
    select, values = redacted_in_sql("SELECT ? AS x", "x")
    ((shown,),) = duckdb.execute(select, [*values, text]).fetchall()
    return str(shown)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_goes(key: str, shape: str) -> None:
    Secret(key, name="KEY")
    told = SHAPES[shape](key)
    text = f"before {told} behind"
    shown = redacted(text)
    assert shown.translate(str.maketrans("", "", "\\\"'")) == "before *** behind", shown
    assert redacted_bytes(text.encode()).decode() == shown
    assert holds_key(text.encode(), ["OTHER", "KEY"])
    assert not holds_key(text.encode(), ["OTHER"])
    assert by_the_engine(text) == shown


@pytest.mark.parametrize("told", [str.upper, str.lower, lambda key: key.swapcase()])
def test_a_key_in_letters_of_another_case(told: Callable[[str], str]) -> None:
    """A vendor that writes a UUID in large letters tells the key all the same; of a short one it may be a word."""
    key = "5b7ad0F4-kEy/9"
    Secret(key, name="KEY")
    Secret("demo", name="SHORT")
    text = f"Demo {told(key)} DEMO"
    assert redacted(text) == "Demo *** DEMO"
    assert redacted_bytes(text.encode()) == b"Demo *** DEMO"
    assert holds_key(text.encode(), ["KEY"])
    assert not holds_key(text.encode(), ["SHORT"])
    assert by_the_engine(text) == "Demo *** DEMO"


def test_a_long_token_is_looked_for_in_one_pattern_that_the_engine_takes() -> None:
    secret._known = ()
    key = base64.b64encode(bytes(range(256)) * 12).decode()  # as long as a web token can be
    Secret(key)
    told = f"a {key} b"
    assert by_the_engine(told) == "a *** b"
    assert redacted(told) == "a *** b"


def test_a_run_may_learn_more_tokens_than_the_engine_takes_in_one_expression() -> None:
    """A token that lives five minutes is another one 144 times in a run of twelve hours."""
    secret._known = ()
    for number in range(300):
        Secret(f"t0ken-number-{number:03}-for-the-vendor")
    told = "t0ken-number-000-for-the-vendor, t0ken-number-144-for-the-vendor, t0ken-number-299-for-the-vendor"
    assert by_the_engine(told) == "***, ***, ***"


@pytest.mark.parametrize("before", ["", "u", "us", "usr", "user"])
@pytest.mark.parametrize("behind", ["", "x", "xy"])
def test_base64_behind_a_user(before: str, behind: str) -> None:
    Secret(KEYS[0])
    shown = redacted(base64.b64encode(f"{before}:{KEYS[0]}{behind}".encode()).decode())
    assert "***" in shown
    assert len(shown) < 20, "a few digits that hold bits of others may stay"


def test_utf_16() -> None:
    Secret(KEYS[0])
    assert KEYS[0].encode("utf-16-le") not in redacted_bytes(f"a {KEYS[0]} b".encode("utf-16"))


@given(st.text(max_size=60))
def test_nothing_else_goes(text: str) -> None:
    secret._known = ()
    Secret("k3y-Sup3r/Secret", name="KEY")
    assert redacted(text) == text
    assert not holds_key(text.encode(errors="surrogatepass"), ["KEY"])


def test_without_keys_nothing_is_done() -> None:
    content = b"anything"
    assert redacted_bytes(content) is content
    assert redacted_in_sql("SELECT x FROM t", "x") == ("SELECT x FROM t", [])


def test_of_two_that_are_learnt_at_once_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are learnt by the thread that asks vendors, keys by others: one waits until the other is known."""
    kept_out = []

    class Watched(secret._Shapes):
        def __init__(self, value: str) -> None:
            super().__init__(value)
            kept_out.append(secret._learning.locked())

    monkeypatch.setattr(secret, "_Shapes", Watched)
    values = [f"l3arnt-beside-others-{number}" for number in range(8)]
    threads = [threading.Thread(target=secret.Secret, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redacted(" ".join(values)) == " ".join(["***"] * 8)
    assert kept_out == [True] * 8
