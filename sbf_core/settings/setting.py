"""Each setting that there is: its name, its values, and what a text must look like to be one."""

from __future__ import annotations

import re
from typing import Any

import attrs

from sbf_core.duck.config import FSYNC_POLICIES, SMALL_PAYLOADS
from sbf_core.errors import UsageError, nearest, printable
from sbf_core.value import Value

#: As DuckDB reads it; larger numbers are beyond what it counts.
_SIZE = r"\d{1,6}(\.\d{1,3})?\s*([KMGT]i?B|%)|\d{1,18}\s*B"
_SHOWN_CHARACTERS = 60


@attrs.frozen(kw_only=True)
class Setting(Value):
    """One setting.

    Attributes:
        name: ``section.key`` in ``sbf.toml``.
        variable: the environment variable; a list is written with commas.
        kind: ``str``, ``int``, ``float`` or ``list``.
        default: the value when nobody says otherwise.
        doc: one line for the reference.
        low, high: the range of a number.
        choices: the texts that are allowed; any when empty.
        shape: what a text looks like, as a regular expression; anything when empty.
        example: a text of that shape, for messages.
    """

    name: str
    variable: str
    kind: str
    default: Any
    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    shape: str = ""
    example: str = ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="run.plugins",
        variable="SBF_PLUGINS",
        kind="list",
        default=(),
        doc="plugins that `sbf run` runs; all that are installed when empty",
    ),
    Setting(name="run.workers", variable="SBF_WORKERS", kind="int", default=8, low=1, high=64, doc="requests at once"),
    Setting(
        name="run.wait_seconds",
        variable="SBF_WAIT_SECONDS",
        kind="float",
        default=0.0,
        low=0,
        high=86_400,
        doc="how long to wait for another process to leave the home",
    ),
    Setting(
        name="run.publish",
        variable="SBF_PUBLISH",
        kind="str",
        default="yes",
        choices=("yes", "all", "no"),
        doc="a copy for readers, and gold as Parquet; `all`: silver, too",
    ),
    Setting(
        name="run.drift",
        variable="SBF_DRIFT",
        kind="str",
        default="hold",
        choices=("hold", "tell", "fail"),
        doc=(
            "payloads that lack a declared field which came until then: `hold` them, `tell` and go on, "
            "or let them `fail`"
        ),
    ),
    Setting(
        name="run.restated_max",
        variable="SBF_RESTATED_MAX",
        kind="int",
        default=100,
        low=0,
        high=10_000_000,
        doc="restated series that one run fetches again whole; the others wait for the next one",
    ),
    Setting(
        name="check.silent_hours_max",
        variable="SBF_SILENT_HOURS_MAX",
        kind="float",
        default=48.0,
        low=0,
        high=87_600,
        doc=(
            "`sbf status --check`: for how long a dataset may be due, where nobody says when it is expected; 0 for ever"
        ),
    ),
    Setting(
        name="check.free_gib_min",
        variable="SBF_FREE_GIB_MIN",
        kind="float",
        default=1.0,
        low=0,
        high=1_000_000,
        doc="`sbf status --check`: so much room is wanted where the home lies, in GiB",
    ),
    Setting(name="universe.tickers", variable="SBF_TICKERS", kind="list", default=(), doc="the tickers to work on"),
    Setting(
        name="universe.file",
        variable="SBF_TICKERS_FILE",
        kind="str",
        default="",
        doc="a text or CSV file of tickers; a relative path starts in the home",
    ),
    Setting(
        name="universe.plugin",
        variable="SBF_UNIVERSE_PLUGIN",
        kind="str",
        default="",
        doc="a plugin that gives the tickers",
    ),
    Setting(
        name="universe.query",
        variable="SBF_UNIVERSE_QUERY",
        kind="str",
        default="",
        doc="a SELECT over silver that gives the column `ticker`",
    ),
    Setting(
        name="universe.ticker_limit",
        variable="SBF_TICKER_LIMIT",
        kind="int",
        default=0,
        low=0,
        high=10_000_000,
        doc="only so many tickers; 0 for all",
    ),
    Setting(
        name="plugins.block",
        variable="SBF_BLOCK",
        kind="list",
        default=(),
        doc="plugins that are never loaded: names, packages, or patterns such as `old-*`",
    ),
    Setting(
        name="plugins.isolate",
        variable="SBF_ISOLATE",
        kind="str",
        default="third-party",
        choices=("third-party", "all", "none"),
        doc="plugins with a process of their own",
    ),
    Setting(
        name="plugins.trusted",
        variable="SBF_TRUSTED",
        kind="list",
        default=(),
        doc="plugins whose hooks run in the process of sbf",
    ),
    Setting(
        name="plugins.import_seconds_max",
        variable="SBF_IMPORT_SECONDS_MAX",
        kind="float",
        default=60.0,
        low=0.1,
        high=86_400,
        doc="the import of a plugin that takes longer is stopped",
    ),
    Setting(
        name="plugins.answer_seconds_max",
        variable="SBF_ANSWER_SECONDS_MAX",
        kind="float",
        default=300.0,
        low=0.1,
        high=86_400,
        doc="a hook that takes longer is stopped",
    ),
    Setting(
        name="plugins.memory_mebibytes",
        variable="SBF_PLUGIN_MEMORY",
        kind="int",
        default=2048,
        low=256,
        high=1 << 24,
        doc="address space of a plugin's process",
    ),
    Setting(
        name="plugins.output_kibibytes",
        variable="SBF_PLUGIN_OUTPUT",
        kind="int",
        default=1024,
        low=1,
        high=1 << 20,
        doc="what is kept in `logs/` of what a plugin's processes print",
    ),
    Setting(
        name="gold.select_seconds_max",
        variable="SBF_GOLD_SECONDS_MAX",
        kind="float",
        default=3600.0,
        low=0.1,
        high=604_800,
        doc="the SELECT and the tests of a gold table that take longer are stopped",
    ),
    Setting(
        name="duckdb.threads",
        variable="SBF_THREADS",
        kind="int",
        default=0,
        low=0,
        high=1024,
        doc="threads of DuckDB; 0 for one per core",
    ),
    Setting(
        name="duckdb.memory_limit",
        variable="SBF_MEMORY_LIMIT",
        kind="str",
        default="512MB",
        shape=_SIZE,
        example="512MB",
        doc="buffer limit of DuckDB",
    ),
    Setting(
        name="bronze.fsync",
        variable="SBF_FSYNC",
        kind="str",
        default="batch",
        choices=FSYNC_POLICIES,
        doc="when payloads are forced to the disk",
    ),
    Setting(
        name="bronze.small",
        variable="SBF_BRONZE_SMALL",
        kind="str",
        default="files",
        choices=SMALL_PAYLOADS,
        doc="payloads of up to 64 KiB: a file each, or `packs` of many",
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def from_text(setting: Setting, text: str) -> Any:
    """The value that a variable holds, as far as its text is one; ``checked`` refuses what is none."""
    try:
        if setting.kind == "int":
            return int(text)
        if setting.kind == "float":
            return float(text)
    except ValueError:
        return text
    return [part.strip() for part in text.split(",") if part.strip()] if setting.kind == "list" else text


def checked(setting: Setting, value: Any, where: str) -> Any:
    """A value, if it is one of the setting's. Raises ``UsageError`` that names ``where`` it was written."""
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "list": (list, tuple)}
    fits = any(isinstance(value, kind) for kind in kinds[setting.kind]) and not isinstance(value, bool)
    if not fits:
        raise UsageError(
            f"{setting.name} is {type(value).__name__} {value!r}, expected {setting.kind}", where=where, code="SETTING"
        )
    if setting.kind == "list":
        wrong = next((item for item in value if not isinstance(item, str)), None)
        if wrong is not None:
            raise UsageError(
                f"{setting.name} holds {type(wrong).__name__} {wrong!r}, expected texts", where=where, code="SETTING"
            )
        return tuple(value)
    if setting.choices and value not in setting.choices:
        raise UsageError(
            f"{setting.name} is {value!r}",
            where=where,
            fix=nearest(value, setting.choices) or "use one of " + ", ".join(setting.choices),
            code="SETTING",
        )
    if setting.shape and not re.fullmatch(setting.shape, value, re.IGNORECASE):
        raise UsageError(
            f"{setting.name} is {printable(value)[:_SHOWN_CHARACTERS]!r}",
            where=where,
            fix=f"write it as {setting.example}",
            code="SETTING",
        )
    if setting.low is not None and setting.high is not None and not setting.low <= value <= setting.high:
        raise UsageError(
            f"{setting.name} is {value}", where=where, fix=f"use {setting.low:g} to {setting.high:g}", code="SETTING"
        )
    return value
