"""Errors: one printable line, a hint, an exit code of its own."""

from __future__ import annotations

import importlib
import json
from functools import partial
from pathlib import Path

import pytest

from sbf_core import errors
from sbf_core.secret import Secret


def test_one_line_whatever_the_text() -> None:
    error = errors.UsageError("a\nb", where="\x1b[31mred", fix="x\u202ey", code="CODE")
    assert error.line() == "sbf: error[CODE] a b; \\x1b[31mred; x\\u202ey"


def test_exit_codes_are_the_documented_ones() -> None:
    codes = {
        "SbfError": 70, "UsageError": 2, "DatasetFailure": 1, "PluginFault": 1, "PayloadRefused": 1,
        "DamageFound": 3, "HomeLocked": 4, "VersionRefused": 5, "EnvironmentFault": 6,
    }  # fmt: skip
    assert {name: getattr(errors, name).exit_code for name in codes} == codes


MODULES = {
    "acme/__init__.py": "from acme.deep.rows import rows\ndef ask():\n    return rows(lambda row: row['x'])\n",
    "acme/deep/__init__.py": "",
    "acme/deep/rows.py": "import json, other\ndef rows(take):\n    return take({})\ndef read():\n    json.loads('?')\n"
    "def lacks():\n    other.lacks()\n",
    "other.py": "def lacks():\n    return {}['y']\n",
}


def test_the_line_is_the_last_one_of_the_package_that_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    acme, rows = importlib.import_module("acme"), importlib.import_module("acme.deep.rows")
    places = {
        acme.ask: "acme/__init__.py, line 3, in <lambda>",
        rows.read: "acme/deep/rows.py, line 5, in read",
        rows.lacks: "acme/deep/rows.py, line 7, in lacks",
        partial(json.loads, "?"): "",
    }
    for call, place in places.items():
        with pytest.raises((KeyError, ValueError)) as raised:
            call()
        trace = raised.value.__traceback__
        assert trace is not None
        assert errors.raised_at(raised.value.with_traceback(trace.tb_next)) == place  # without the line of this test
    assert errors.raised_at(KeyError("never raised")) == ""


@pytest.mark.parametrize("asked", [True, False])
def test_a_whole_trace_is_shown_where_it_is_asked_for_and_without_keys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    monkeypatch.setenv("SBF_DEBUG", "1" if asked else "")
    key = Secret("a-key-of-a-vendor", name="KEY").reveal()
    try:
        raise ValueError(f"sent {key}")
    except ValueError as error:
        errors.show_trace(error)
    shown = capsys.readouterr().err
    assert ("Traceback" in shown and "ValueError: sent " in shown) == asked
    assert key not in shown


@pytest.mark.parametrize(("name", "hint"), [("rnu", "run"), ("ebc", "ecb"), ("workres", "workers"), ("zzzz", "")])
def test_the_nearest_name(name: str, hint: str) -> None:
    assert errors.nearest(name, ["run", "ecb", "sec", "workers"]) == (f"did you mean {hint!r}?" if hint else "")


@pytest.mark.parametrize(
    ("error", "stopped"),
    [
        (KeyboardInterrupt(), True),
        (SystemExit(), True),
        (RuntimeError("Query interrupted"), True),
        (RuntimeError("x"), False),
        (ValueError(), False),
    ],
)
def test_who_stopped_the_process(error: BaseException, stopped: bool) -> None:
    assert errors.is_interrupt(error) is stopped


def test_a_long_text_says_how_much_is_left_out() -> None:
    error = errors.PluginFault("x" * 5_000_000, where="y" * 3_000, fix="z" * 2_000)
    assert len(error.what) <= errors.TEXT_CHARACTERS_MAX
    assert error.what.endswith(" ... (4,998,036 characters left out)")
    assert error.what.count("x") + 4_998_036 == 5_000_000
    assert (len(error.where) <= errors.TEXT_CHARACTERS_MAX, error.fix) == (True, "z" * 2_000)
    assert errors.shortened(error.what) == error.what
    assert len(error.line()) < 7_000


def test_a_key_at_the_border_is_not_cut_in_half() -> None:
    Secret("canary-on-the-border")
    for place in range(1_930, 2_010):
        assert "canary" not in errors.PluginFault("x" * place + "canary-on-the-border" + "y" * 100).line()


def test_an_exception_of_others_becomes_a_value_whatever_its_text_does() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise SystemExit(3)

    assert errors.told_by(ValueError("no")) == "ValueError: no"
    assert errors.told_by(Silent()) == "Silent: (its text cannot be made)"
    assert len(errors.told_by(ValueError("x" * 5_000_000))) <= errors.TEXT_CHARACTERS_MAX


def test_a_text_that_no_file_can_hold_is_escaped_where_it_is_kept() -> None:
    """Whoever keeps or prints it need not think of it: half of a surrogate pair is no letter of UTF-8."""
    error = errors.PayloadRefused("says \ud83d", where="\ud83d", fix="\ud83d")
    assert (error.what, error.where, error.fix) == ("says \\ud83d", "\\ud83d", "\\ud83d")
    assert errors.told_by(ValueError("\ud83d")) == "ValueError: \\ud83d"
    assert errors.shortened(errors.shortened("\ud83d" * 3_000)) == errors.shortened("\ud83d" * 3_000)
