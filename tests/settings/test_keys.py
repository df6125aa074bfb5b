"""Keys come from three places, never show, and a careless place is refused."""

from __future__ import annotations

import base64
import logging
import os
import pickle
import sys
import types
from pathlib import Path
from urllib.parse import quote

import pytest

from sbf_core.errors import UsageError
from sbf_core.secret import Secret, redacted
from sbf_core.settings.keys import Keys

VALUE = 'can"ary+/ü=key'


def test_a_secret_never_prints_and_is_never_pickled() -> None:
    secret = Secret(VALUE)
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == VALUE
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")


def test_every_usual_form_of_a_key_is_taken_out() -> None:
    Secret(VALUE)
    import json

    raw = VALUE.encode()
    for form in (
        VALUE,
        quote(VALUE),
        quote(VALUE, safe=""),
        json.dumps(VALUE)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        raw.hex(),
    ):
        assert redacted(f"a{form}b") == "a***b"
    assert str(UsageError(f"no {VALUE}")) == "no ***"
    assert redacted("nothing to hide") == "nothing to hide"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text('VENDOR_KEY = "from-the-file"\n')
    file.chmod(0o600)
    assert Keys(tmp_path, environment={"VENDOR_KEY": " from-outside "}).get("VENDOR_KEY").reveal() == "from-outside"
    assert Keys(tmp_path, environment={}).get("VENDOR_KEY").reveal() == "from-the-file"
    with pytest.raises(UsageError, match="the key OTHER_KEY is not set"):
        Keys(tmp_path, environment={}).get("OTHER_KEY")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text('VENDOR_KEY = "hidden-value"\n')
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600") as caught:
        Keys(tmp_path, environment={}).get("VENDOR_KEY")
    assert "hidden-value" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "VENDOR_KEY = [1]",
        "VENDOR_KEY = hidden-value",
        'VENDOR_KEY = "hidden value"',
        'VENDOR_KEY = "hidden-value\\n2"',
        'VENDOR_KEY = " "',
    ],
)
def test_a_key_that_is_none_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(UsageError) as caught:
        Keys(tmp_path, environment={}).get("VENDOR_KEY")
    assert "hidden" not in str(caught.value)


def test_logs_hold_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    from sbf_core.cli.outcome import run_logger

    Secret(VALUE)
    logger = run_logger()
    handler = logger.handlers[0]
    record = logging.LogRecord("sbf", logging.INFO, __file__, 1, "asked %s", (f"https://x/?key={quote(VALUE)}",), None)
    assert handler.format(record) == "sbf: asked https://x/?key=***"


def test_the_keyring_of_the_system_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = types.SimpleNamespace(
        get_password=lambda service, name: "from-the-keyring" if (service, name) == ("sbf", "VENDOR_KEY") else None
    )
    monkeypatch.setitem(sys.modules, "keyring", stored)
    keys = Keys(tmp_path, environment={})
    assert keys.get("VENDOR_KEY").reveal() == "from-the-keyring"
    assert keys.origin("VENDOR_KEY") == "keyring"
    with pytest.raises(UsageError, match="is not set"):
        keys.get("OTHER_KEY")


def test_a_name_with_a_contact_may_hold_blanks(tmp_path: Path) -> None:
    keys = Keys(tmp_path, environment={"SEC_USER_AGENT": "Jane Doe jane@example.com", "BROKEN": "a\nb"})
    assert keys.get("SEC_USER_AGENT", blanks=True).reveal() == "Jane Doe jane@example.com"
    with pytest.raises(UsageError, match="holds line breaks"):
        keys.get("BROKEN", blanks=True)
    assert (keys.is_set("SEC_USER_AGENT"), keys.is_set("BROKEN"), keys.is_set("OTHER")) == (True, True, False)
