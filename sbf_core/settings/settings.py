"""Settings: flag, then ``SBF_*``, then ``sbf.toml`` in the home, then default; each with its origin."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.duck.config import FSYNC_POLICIES, DuckDbConfig
from sbf_core.errors import EnvironmentFault, UsageError, nearest, printable
from sbf_core.settings.own_universe import own_universe
from sbf_core.universe.members import UniverseSettings
from sbf_core.whole_file import regular_file

FILE_NAME = "sbf.toml"
FILE_BYTES_MAX = 1 << 20
#: As DuckDB reads it; larger numbers are beyond what it counts.
_SIZE = r"\d{1,6}(\.\d{1,3})?\s*([KMGT]i?B|%)|\d{1,18}\s*B"
_SHOWN_CHARACTERS = 60
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


@attrs.frozen(kw_only=True)
class Setting:
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
        doc="payloads that lack a declared field which came until then: `hold` them, `tell` and go on, or let them `fail`",
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
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@attrs.frozen(kw_only=True)
class Resolved:
    """A setting's value and where it came from."""

    setting: Setting
    value: Any
    origin: str


class Settings:
    """Every setting of a home, resolved once.

    Args:
        home: the folder; ``SBF_HOME``, else ``./sbf-data``.
        flags: values from the command line by setting name; None is "not given".
        environment: the variables; those of the process when absent.

    Attributes:
        options: what ``[options.NAME]`` says to the plugin of that name.
        ticker_names: what ``[tickers.SOURCE]`` says: how that source writes a ticker of the universe.
        universes: what ``[universe.SOURCE]`` says: the tickers that that source is asked for.

    Raises:
        UsageError: ``sbf.toml`` is not TOML, holds an unknown setting, or a value is of the wrong kind or out of range.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        flags: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        variables = os.environ if environment is None else environment
        self.home = DuckDbConfig(home=home if home is not None else variables.get("SBF_HOME") or None).home
        self.home_origin = "flag --home" if home is not None else "SBF_HOME" if variables.get("SBF_HOME") else "default"
        self.file = self.home / FILE_NAME
        written, self.options, self.ticker_names, own = _read_file(self.file)
        self.universes = {source: own_universe(source, table, self.file) for source, table in own.items()}
        self.resolved: dict[str, Resolved] = {}
        for setting in SETTINGS:
            self.resolved[setting.name] = self._resolve(setting, flags or {}, variables, written)

    def _resolve(
        self, setting: Setting, flags: Mapping[str, Any], variables: Mapping[str, str], written: Mapping[str, Any]
    ) -> Resolved:
        if flags.get(setting.name) is not None:
            return Resolved(
                setting=setting, value=_checked(setting, flags[setting.name], "the command line"), origin="flag"
            )
        text = variables.get(setting.variable, "")
        if text.strip():
            return Resolved(
                setting=setting,
                value=_checked(setting, _from_text(setting, text), setting.variable),
                origin=setting.variable,
            )
        if setting.name in written:
            where = f"{self.file}: {setting.name}"
            return Resolved(
                setting=setting, value=_checked(setting, written[setting.name], where), origin=str(self.file)
            )
        return Resolved(setting=setting, value=setting.default, origin="default")

    def __getitem__(self, name: str) -> Any:
        return self.resolved[name].value

    @property
    def config(self) -> DuckDbConfig:
        """Where the home is, and how its database is opened."""
        return DuckDbConfig(
            home=self.home,
            threads=self["duckdb.threads"] or None,
            memory_limit=self["duckdb.memory_limit"],
            fsync=self["bronze.fsync"],
        )

    @property
    def universe(self) -> UniverseSettings:
        """Where the tickers come from. Raises ``UsageError`` if two sources of the same rank are named."""
        names = ("universe.tickers", "universe.file", "universe.plugin", "universe.query")
        given = [self.resolved[name] for name in names if self[name]]
        ranks = {"flag": 0, "default": 3}
        best = min((ranks.get(found.origin, 2 if found.origin == str(self.file) else 1) for found in given), default=3)
        chosen = [
            found for found in given if ranks.get(found.origin, 2 if found.origin == str(self.file) else 1) == best
        ]
        if len(chosen) > 1:
            both = " and ".join(found.setting.name for found in chosen)
            raise UsageError(
                f"the universe has two sources: {both}", where=chosen[0].origin, fix="keep one", code="UNIVERSE"
            )
        if not chosen:
            return UniverseSettings()
        found = chosen[0]
        if found.setting.name == "universe.file":
            return UniverseSettings(file=self.home / Path(found.value).expanduser())
        return UniverseSettings(**{found.setting.name.removeprefix("universe."): found.value})


_Tables = dict[str, dict[str, Any]]


def _read_file(path: Path) -> tuple[dict[str, Any], _Tables, dict[str, dict[str, str]], _Tables]:
    """The settings written in a file by their full names, the options of each plugin, the tickers' names at each
    source, and the universe of each source that has its own.
    """
    try:
        raw = regular_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}, {}, {}, {}
    except OSError as error:
        raise EnvironmentFault(f"the settings cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > FILE_BYTES_MAX:
        raise UsageError(
            f"the settings file has {len(raw)} bytes",
            where=str(path),
            fix=f"keep it below {FILE_BYTES_MAX}",
            code="TOML",
        )
    import tomllib  # 15 ms that a home without sbf.toml need not pay

    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 at byte {error.start}", where=str(path), code="TOML") from error
    except RecursionError:
        raise UsageError(
            "brackets without end", where=str(path), fix="write a list in one pair of them", code="TOML"
        ) from None
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        place = f"{path}:{found[1]}:{found[2]}" if found else str(path)
        raise UsageError(
            f"not TOML: {_PLACE.sub('', str(error)).strip()}", where=place, fix="correct that line", code="TOML"
        ) from error
    flat: dict[str, Any] = {}
    universe = document.get("universe", {})
    inner = universe.items() if isinstance(universe, dict) else ()
    own = {name: table for name, table in inner if isinstance(table, dict)}
    for name in own:
        del universe[name]
    options = document.pop("options", {})
    if not isinstance(options, dict) or not all(isinstance(table, dict) for table in options.values()):
        raise UsageError(
            "options are tables, one for each plugin", where=str(path), fix="write [options.NAME]", code="SETTING"
        )
    tickers = document.pop("tickers", {})
    tables = tickers.values() if isinstance(tickers, dict) else [None]
    if not all(
        isinstance(table, dict) and all(isinstance(name, str) and name for name in table.values()) for table in tables
    ):
        raise UsageError(
            "names of tickers are texts in tables, one for each source",
            where=str(path),
            fix='write [tickers.SOURCE] and "BRK.B" = "BRK-B"',
            code="SETTING",
        )
    for section, content in document.items():
        if not isinstance(content, dict):
            raise UsageError(
                f"setting {section!r} stands in no section", where=str(path), fix=_hint(section), code="SETTING"
            )
        for key, value in content.items():
            name = f"{section}.{key}"
            if name not in _BY_NAME:
                raise UsageError(f"there is no setting {name!r}", where=str(path), fix=_hint(name), code="SETTING")
            flat[name] = value
    return flat, options, tickers, own


def _hint(name: str) -> str:
    return nearest(name, _BY_NAME) or "settings are " + ", ".join(_BY_NAME)


def _from_text(setting: Setting, text: str) -> Any:
    try:
        if setting.kind == "int":
            return int(text)
        if setting.kind == "float":
            return float(text)
    except ValueError:
        return text
    return [part.strip() for part in text.split(",") if part.strip()] if setting.kind == "list" else text


def _checked(setting: Setting, value: Any, where: str) -> Any:
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
