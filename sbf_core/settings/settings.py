"""Settings: flag, then ``SBF_*``, then ``sbf.toml`` in the home, then default; each with its origin."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.duck.config import DuckDbConfig
from sbf_core.errors import UsageError
from sbf_core.settings.own_universe import own_universe
from sbf_core.settings.setting import SETTINGS, Setting, checked, from_text
from sbf_core.settings.toml_file import FILE_NAME, read_settings
from sbf_core.universe.members import UniverseSettings
from sbf_core.value import Value

if TYPE_CHECKING:
    from sbf_core.dataset.expected_by import ExpectedBy
    from sbf_core.settings.alert_rule import AlertRule


@attrs.frozen(kw_only=True)
class Resolved(Value):
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
        expected_by: what ``[expected_by."DATASET"]`` says: when its rows are there at the latest.
        alerts: what ``[alerts.NAME]`` says: who is told what, in the order of their names.

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
        written = read_settings(self.file)
        self.options, self.ticker_names = written.options, written.ticker_names
        self.universes = {name: own_universe(name, table, self.file) for name, table in written.universes.items()}
        self.expected_by = _expectations(written.expected_by, self.file)
        self.alerts = _alerts(written.alerts, self.file)
        self.resolved: dict[str, Resolved] = {}
        for setting in SETTINGS:
            self.resolved[setting.name] = self._resolve(setting, flags or {}, variables, written.settings)

    def _resolve(
        self, setting: Setting, flags: Mapping[str, Any], variables: Mapping[str, str], written: Mapping[str, Any]
    ) -> Resolved:
        if flags.get(setting.name) is not None:
            return Resolved(
                setting=setting, value=checked(setting, flags[setting.name], "the command line"), origin="flag"
            )
        text = variables.get(setting.variable, "")
        if text.strip():
            return Resolved(
                setting=setting,
                value=checked(setting, from_text(setting, text), setting.variable),
                origin=setting.variable,
            )
        if setting.name in written:
            where = f"{self.file}: {setting.name}"
            return Resolved(
                setting=setting, value=checked(setting, written[setting.name], where), origin=str(self.file)
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
            small=self["bronze.small"],
        )

    @property
    def universe(self) -> UniverseSettings:
        """Where the tickers come from. Raises ``UsageError`` if two sources of the same rank are named."""
        names = ("universe.tickers", "universe.file", "universe.plugin", "universe.query")
        given = [self.resolved[name] for name in names if self[name]]
        ranks = {"flag": 0, "default": 3}
        best = min(
            (ranks.get(source.origin, 2 if source.origin == str(self.file) else 1) for source in given), default=3
        )
        chosen = [
            source for source in given if ranks.get(source.origin, 2 if source.origin == str(self.file) else 1) == best
        ]
        if len(chosen) > 1:
            both = " and ".join(source.setting.name for source in chosen)
            raise UsageError(
                f"the universe has two sources: {both}", where=chosen[0].origin, fix="keep one", code="UNIVERSE"
            )
        if not chosen:
            return UniverseSettings()
        source = chosen[0]
        if source.setting.name == "universe.file":
            return UniverseSettings(file=self.home / Path(source.value).expanduser())
        return UniverseSettings(**{source.setting.name.removeprefix("universe."): source.value})


def _expectations(tables: Mapping[str, Mapping[str, Any]], file: Path) -> dict[str, ExpectedBy]:
    if not tables:
        return {}
    from sbf_core.settings.expected_by import own_expectation  # few homes say so

    return {name: own_expectation(name, table, file) for name, table in tables.items()}


def _alerts(tables: Mapping[str, Mapping[str, Any]], file: Path) -> tuple[AlertRule, ...]:
    if not tables:
        return ()
    from sbf_core.settings.alert_rule import own_alert

    return tuple(own_alert(name, table, file) for name, table in sorted(tables.items()))
