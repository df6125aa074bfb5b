"""``sbf.toml``: read whole, and refused where it says what nobody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from sbf_core.atomic_file import regular_file
from sbf_core.errors import EnvironmentFault, UsageError, nearest
from sbf_core.settings.setting import BY_NAME
from sbf_core.value import Value

FILE_NAME = "sbf.toml"
FILE_BYTES_MAX = 1 << 20
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
_Tables = Mapping[str, Mapping[str, Any]]


@attrs.frozen(kw_only=True)
class Written(Value):
    """What a file says.

    Attributes:
        settings: values by the full name of the setting, as they stand there.
        options: what ``[options.NAME]`` says to the plugin of that name.
        ticker_names: what ``[tickers.SOURCE]`` says: how that source writes a ticker of the universe.
        universes: what ``[universe.SOURCE]`` says, see ``own_universe``.
        expected_by: what ``[expected_by."DATASET"]`` says, see ``ExpectedBy``.
        alerts: what ``[alerts.NAME]`` says, see ``AlertRule``.
    """

    settings: Mapping[str, Any] = attrs.field(factory=dict)
    options: _Tables = attrs.field(factory=dict)
    ticker_names: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    universes: _Tables = attrs.field(factory=dict)
    expected_by: _Tables = attrs.field(factory=dict)
    alerts: _Tables = attrs.field(factory=dict)


def read_settings(path: Path) -> Written:
    """What a file says; nothing where there is none.

    Raises:
        UsageError: it is no TOML, or holds what is no setting.
        EnvironmentFault: it cannot be read.
    """
    document = _document(path)
    universe = document.get("universe", {})
    inner = universe.items() if isinstance(universe, dict) else ()
    universes = {name: table for name, table in inner if isinstance(table, dict)}
    for name in universes:
        del universe[name]
    options = _options(document.pop("options", {}), path)
    ticker_names = _ticker_names(document.pop("tickers", {}), path)
    expected_by = _tables(document, "expected_by", "dataset", '"fx/ecb/reference_rates"', path)
    alerts = _tables(document, "alerts", "rule", "mail", path)
    return Written(
        settings=_flat(document, path), options=options, ticker_names=ticker_names, universes=universes,
        expected_by=expected_by, alerts=alerts,
    )  # fmt: skip


def _tables(document: dict[str, Any], section: str, of_what: str, example: str, path: Path) -> _Tables:
    """The tables of a section, which is taken out of the document."""
    tables = document.pop(section, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        what, fix = f"{section} has tables, one for each {of_what}", f"write [{section}.{example}]"
        raise UsageError(what, where=str(path), fix=fix, code="SETTING")
    return tables


def _document(path: Path) -> dict[str, Any]:
    try:
        raw = regular_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise EnvironmentFault(f"the settings cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > FILE_BYTES_MAX:
        what, fix = f"the settings file has {len(raw)} bytes", f"keep it below {FILE_BYTES_MAX}"
        raise UsageError(what, where=str(path), fix=fix, code="TOML")
    import tomllib  # 15 ms that a home without sbf.toml need not pay

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 at byte {error.start}", where=str(path), code="TOML") from error
    except RecursionError:
        fix = "write a list in one pair of them"
        raise UsageError("brackets without end", where=str(path), fix=fix, code="TOML") from None
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.search(str(error))
        place = f"{path}:{match[1]}:{match[2]}" if match else str(path)
        what = f"not TOML: {_PLACE.sub('', str(error)).strip()}"
        raise UsageError(what, where=place, fix="correct that line", code="TOML") from error


def _options(options: Any, path: Path) -> _Tables:
    if not isinstance(options, dict) or not all(isinstance(table, dict) for table in options.values()):
        what = "options are tables, one for each plugin"
        raise UsageError(what, where=str(path), fix="write [options.NAME]", code="SETTING")
    return options


def _ticker_names(tickers: Any, path: Path) -> Mapping[str, Mapping[str, str]]:
    tables = list(tickers.values()) if isinstance(tickers, dict) else [None]
    if not all(isinstance(table, dict) and all(map(_is_name, table.values())) for table in tables):
        raise UsageError(
            "names of tickers are texts in tables, one for each source",
            where=str(path),
            fix='write [tickers.SOURCE] and "BRK.B" = "BRK-B"',
            code="SETTING",
        )
    names: Mapping[str, Mapping[str, str]] = tickers
    return names


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _flat(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for section, content in document.items():
        if not isinstance(content, dict):
            what = f"setting {section!r} stands in no section"
            raise UsageError(what, where=str(path), fix=_hint(section), code="SETTING")
        for key, value in content.items():
            name = f"{section}.{key}"
            if name not in BY_NAME:
                raise UsageError(f"there is no setting {name!r}", where=str(path), fix=_hint(name), code="SETTING")
            flat[name] = value
    return flat


def _hint(name: str) -> str:
    return nearest(name, BY_NAME) or "settings are " + ", ".join(BY_NAME)
