"""Writes docs/reference from the code: ``python tests/docs/make_reference.py``. A test checks that nobody forgot to."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import attrs
import duckdb
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import fault_table

import sbf_core
from sbf_core.cli.app import whole_application
from sbf_core.dataset import json_path
from sbf_core.dataset.about import About
from sbf_core.dataset.archive import Archive
from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.cells import Cells
from sbf_core.dataset.chart import Chart
from sbf_core.dataset.columns import Column
from sbf_core.dataset.cursor import Cursor
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.expected_by import ExpectedBy
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.for_each import ForEach
from sbf_core.dataset.format_list import FORMATS
from sbf_core.dataset.pages import Pages
from sbf_core.dataset.poll import Poll
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.sign_in import ClientCredentials, Login, RefreshToken
from sbf_core.dataset.signature import Signature
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.dataset.sql_recipe import SqlRecipe
from sbf_core.duck import migrate
from sbf_core.failures import MEANINGS
from sbf_core.gold.model import AcceptedRange, ForeignKey, GoldModel, GoldSource, NotNull, Unique
from sbf_core.plugin import hookspecs
from sbf_core.plugin.offer import Offer, VendorSearch, offers_of_table
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.settings.setting import SETTINGS
from sbf_core.silver.reading import ParseRows, PromotionBatch, SelectRows
from sbf_core.testing.kit import CHECKS, EXEMPTIONS
from sbf_core.universe.members import UniverseMember

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
HEAD = "<!-- Made from the code by tests/docs/make_reference.py. Do not edit. -->\n\n"
HOOKS = ("datasets", "fetch", "promote", "build_gold", "offers", "universe_members")


def commands() -> str:
    """Every command with its options."""
    group: Any = typer.main.get_command(whole_application())
    text = (
        "# Commands\n\n"
        "Results go to standard output, everything else to standard error. Each reporting command has `--json`.\n\n"
        "With `--json` exactly one object is printed, whatever becomes of the command. Where there is no result it is "
        '`{"schema": "sbf.error/1", "error": {...}}` with `kind` ([all of them](ops-tables.md#opsfile_ingestions)), '
        "`what`, `where`, `fix`, the `code` of the line that goes to standard error all the same, and the `exit_code`. "
        "A command that ends with another code than 0 and has a result, such as a run of which some datasets failed, "
        "prints its result.\n\n"
        "A command that a line tells somebody to type has the `--home` that was given; what `--json` prints has not: "
        "it holds for a home wherever it is.\n"
    )
    for name, command in _walk(group, "sbf"):
        text += f"\n## {name}\n\n{inspect.cleandoc(command.help or '')}\n\n"
        for parameter in command.params:
            record = getattr(parameter, "help", "") or ""
            label = (
                ", ".join(parameter.opts)
                if parameter.param_type_name == "option"
                else parameter.metavar or parameter.name
            )
            text += f"- `{label}`: {record}\n"
    text += """
## Exit codes

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | ran, but some datasets failed, or `doctor` found something |
| 2 | bad usage, settings, plugin or universe; nothing was written |
| 3 | files or ledger are damaged |
| 4 | another process holds the home; it is named |
| 5 | written by a newer sbf or DuckDB; nothing was touched |
| 6 | the environment: disk full, no permission |
| 70 | a bug: report it with the output of `--debug` |
| 130, 143 | interrupted, terminated; `sbf ui` ends with 0, because that is how pages end |
"""
    return text


def _walk(group: Any, prefix: str) -> list[tuple[str, Any]]:
    found = []
    for name, command in sorted(group.commands.items()):
        full = f"{prefix} {name}"
        found += _walk(command, full) if hasattr(command, "commands") else [(full, command)]
    return found


#: An example of each hook, as a module would have it; the tests run each.
HOOK_EXAMPLES = {
    "datasets": """import datetime as dt
import attrs
from sbf_core.api import DatasetKeymapEntry, RestRecipe, checked_options, column, hookimpl

@attrs.frozen
class Rate:
    day: dt.date = column(key=True, row_date=True)
    rate: float | None = column(unit="percent")

@hookimpl
def datasets(options):
    region = checked_options(options, region="eu")["region"]        # [options.NAME] region = "us"
    recipe = RestRecipe(url=f"https://api.example.com/{region}/rates?from={{from_date}}")
    return [DatasetKeymapEntry(domain="rates", source="example", dataset="policy", silver_table="example_policy", columns=Rate, recipe=recipe)]
""",  # noqa: E501
    "fetch": """from sbf_core.api import fetch_by_recipe, hookimpl

@hookimpl
def fetch(entry, request, http):
    if entry.dataset != "archive":
        return fetch_by_recipe(entry, request, http)
    first = http.get(request, "https://api.example.com/archive/index", extension="txt")
    if not first.ok:
        return first                                                # an error is an answer, too: it is on record
    return [http.get(request, f"https://api.example.com/archive/{name}") for name in first.payload.decode().split()]
""",
    "promote": """import json
from sbf_core.api import ParseRows, PayloadRefused, SelectRows, hookimpl

def parse(payload: bytes):
    document = json.loads(payload)
    if "rates" not in document:
        raise PayloadRefused("holds no rates")
    for day, rates in document["rates"].items():                    # {"2024-01-02": {"USD": 1.09}}
        for currency, rate in rates.items():
            yield {"day": day, "currency": currency, "rate": rate}

@hookimpl
def promote(entry, batch):
    if batch.extension == "csv":                                    # a column for each currency
        return SelectRows("SELECT _file, day, name AS currency, value AS rate FROM batch UNPIVOT (value FOR name IN (COLUMNS(* EXCLUDE (_file, day))))")
    return ParseRows(parse)
""",  # noqa: E501
    "build_gold": """from sbf_core.api import GoldModel, NotNull, hookimpl

@hookimpl
def build_gold(options):
    sql = "SELECT currency, max_by(rate, date) AS rate, max(date) AS date FROM silver.ecb_reference_rate GROUP BY currency"
    return [GoldModel(name="last_rate", key=("currency",), date_column="date", sql=sql, tests=(NotNull(column="date"),), doc="One row a currency: its last rate.")]
""",  # noqa: E501
    "offers": """import json
from pathlib import Path
from sbf_core.api import Offer, RestRecipe, VendorSearch, hookimpl, offers_of_table

def read(payload: bytes):
    return [Offer(id=one["id"], title=one["name"], options={"series": (one["id"],)}, region="US") for one in json.loads(payload)["found"]]

@hookimpl
def offers(words, options):
    shipped = Path(__file__).with_name("offers.tsv") if "__file__" in globals() else None
    recipe = RestRecipe(url="https://api.example.com/search?text={ticker}", secrets={"key": "EXAMPLE_API_KEY"}, limits=("1/second",))
    search = VendorSearch(name="example", title="Example", recipe=recipe, read=read, judges=True)
    return [*(offers_of_table(shipped, cost="free with key") if shipped else ()), search]
""",  # noqa: E501
    "universe_members": """import datetime as dt
from sbf_core.api import UniverseMember, hookimpl

@hookimpl
def universe_members():
    return [UniverseMember(ticker="AAPL", valid_from=dt.date(1982, 11, 30))]
""",
}


def hooks() -> str:
    """Every hook with its signature."""
    text = (
        "# Hooks\n\nMark a function with `@hookimpl`. It may take fewer arguments than stand here. "
        f"`HOOK_API = {hookspecs.HOOK_API}`;\n"
    )
    text += "[keep up with versions](../how-to/keep-up-with-versions.md) says what that means.\n"
    for name in HOOKS:
        function = getattr(hookspecs, name)
        signature = str(inspect.signature(function)).replace("'", "")
        text += (
            f"\n## {name}\n\n```text\n{name}{signature}\n```\n\n{_prose(function)}\n\n"
            f"```python\n{HOOK_EXAMPLES[name]}```\n"
        )
    for kind in (RunRequest, RunResult, PromotionBatch, SelectRows, ParseRows, Offer, VendorSearch, offers_of_table):
        text += f"\n## {kind.__name__}\n\n{_prose(kind)}\n"
    return text


#: An example of each field, as it is written in a plugin. A test makes each kind with each of them.
EXAMPLES: dict[str, dict[str, str]] = {
    "DatasetKeymapEntry": {
        "domain": '"fx"', "source": '"ecb"', "dataset": '"reference_rates"', "discriminator": '"annual"',
        "scope": '"per_ticker"', "members": '("GDP", "CPI")',
        "for_each": 'ForEach(query="SELECT id FROM silver.filings", key=("id",))', "silver_table": '"ecb_rate"',
        "columns": "Rate", "recipe": 'RestRecipe(url="https://example.com/rates")',
        "reads": '"fx/ecb/all_rates"', "semantics": '"snapshot"',
        "on_duplicate": '"last"', "format": 'Csv(delimiter=";")', "rows_at": '"data.items"', "member": '"rates.csv"',
        "archive": 'Archive(names="**/*.csv", parts=r"(?P<symbol>[^/]+)\\.csv")',
        "is_data": 'DataRules(error_fields=("error",))', "reject_share_max": "0.2", "shrink_share_max": "0.1",
        "refresh_after_hours": "6", "unknown_after_days": "90", "cadence": 'Cadence(calendar="weekdays")',
        "expected_by": 'ExpectedBy(within_hours=48)',
        "settles_after_days": "3", "horizon": "365", "lookback_days": "7", "answers": '"whole"',
        "restated": '"series"', "restated_column": '"rate"', "first_date": "dt.date(1999, 1, 4)",
        "drift": '"tell"', "promote_version": "2", "renamed_from": '("fx/ecb/old_rates", "silver.old_rates")',
        "keep_view": "True", "opt_in": "True", "tags": '("daily", "fx")',
        "charts": '(Chart(name="rates", x="date", y="rate"),)', "title": '"Euro reference rates"',
        "terms": '"Free with the source named."', "source_url": '"https://example.com/about"',
        "region": '"EZ"', "frequency": '("day", "month")', "cost": '"free with key"', "passing_on": '"with source"',
    },
    "Cadence": {"calendar": '"XNYS"', "min_age_days": "3", "seasons": '("01-01/03-31",)', "off_season_hours": "24 * 7"},
    "ExpectedBy": {
        "hour": '"18:30"', "zone": '"America/New_York"', "every": '"month"', "calendar": '"XNYS"', "days_later": "1",
        "within_hours": "48",
    },
    "DataRules": {
        "error_fields": '("Error Message",)', "error_texts": '("Limit Reach",)',
        "plan_texts": '("Exclusive Endpoint",)', "may_be_empty": "True",
        "none_status": "(404, 204)", "listing_fields": '("vintage_dates",)',
        "item_none_fields": '("warning",)', "item_error_fields": '("error",)',
    },
    "Column": {
        "name": '"rate"', "type": '"DECIMAL(18,6)"', "nullable": "True", "key": "True",
        "row_date": "True", "known_from": "True", "source": '"obsValue"', "also": '("OBS_VALUE",)',
        "renamed_from": '("value",)', "optional": "True", "missing": '("N/A", ".")', "trim": "True",
        "index_of": '"tickers"',
        "date_format": '"%d.%m.%Y"', "zone": '"America/New_York"', "fold": '"first"', "epoch": '"ms"',
        "known_at": '"16:30"', "cut_at": '"asked_since"', "unit": '"per EUR"', "doc": '"fixed at 14:15 CET"',
        "fix": '"in [options.example] series write the id as the vendor does"',
    },
    "Csv": {
        "delimiter": '";"', "quote": '"\'"', "escape": '"\\\\"', "comment": '"#"',
        "encoding": '"cp1252"', "header": '("date", "open", "close")', "skip_rows": "2",
        "footer_rows": "1", "null": '("NA",)', "decimal": '","', "thousands": '"\'"',
    },
    "Json": {"decimal": '","', "thousands": '"\'"'},
    "Parquet": {},
    "FixedWidth": {
        "fields": '(("station", 0, 11), ("year", 11, 15))', "after": '"-----"', "skip_rows": "2",
        "footer_rows": "1", "encoding": '"latin-1"', "null": '("-9999",)', "decimal": '","', "thousands": '"\'"',
    },
    "Excel": {
        "sheet": '"Prices"', "header": '("date", "close")', "cells": '"B4:H200"',
        "footer_rows": "1", "null": '("n/a",)', "decimal": '","', "thousands": '"\'"',
    },
    "Singer": {"stream": '"orders"'},
    "Sections": {
        "csv": 'Csv(delimiter=";")', "title": '"Annual Factors*"', "ends": '("Copyright*",)',
        "section_fields": '{"category": "*Schemes*"}', "nested": "False",
    },
    "JsonStat": {"dataset": '"population"', "decimal": '","', "thousands": '"\'"'},
    "SdmxJson": {"decimal": '","', "thousands": '"\'"'},
    "SdmxCsv": {"delimiter": '";"', "labels": "True", "decimal": '","', "thousands": '"\'"'},
    "SdmxMl": {"decimal": '","', "thousands": '"\'"'},
    "Archive": {"names": '"**/*.csv"', "parts": 'r"(?:.*/)?(?P<symbol>[^/]+)\\.csv"'},
    "ForEach": {
        "query": '"SELECT id, recorded_at FROM silver.filings"', "key": '("id",)', "changed": '"recorded_at"',
        "once": "True",
    },
    "RestRecipe": {
        "url": '"https://example.com/eod/{ticker}?from={from_date}"', "extension": '"csv"',
        "method": '"POST"', "json": '{"series": ["{ticker}"], "year": "{year}"}', "form": '{"symbol": "{ticker}"}',
        "body": "\"<query who='{ticker}'/>\"", "content_type": '"text/xml"',
        "secret_body": '{"key": "EXAMPLE_API_KEY"}',
        "sign_in": 'Login(url="https://example.com/login", json={}, secrets={"user": "EXAMPLE_USER"})',
        "further_keys": '({"EXAMPLE_API_KEY": "EXAMPLE_API_KEY_2"},)',
        "headers": '{"accept": "text/csv"}', "secrets": '{"apikey": "EXAMPLE_API_KEY"}',
        "secret_headers": '{"authorization": "EXAMPLE_BEARER"}', "secret_fields": '("request.params.apikey",)',
        "mirrors": '("https://old.example.com/{ticker}",)', "date_format": '"%Y%m%d"',
        "periods": '("annual", "quarter")', "class_mark": '"-"', "ticker_names": '{"^SPX": "^GSPC"}',
        "tickers_per_request": "100", "ticker_separator": '";"', "pages": 'Pages(by="page", parameter="page")',
        "poll": 'Poll(header="Location")',
        "cells": 'Cells(cells_max=100_000, dimensions={"region": ("01", "02")})',
        "chunk_days": "93", "rows_max": "5000", "cursor": 'Cursor(by="moment", column="updated")',
        "plan": '"premium"', "limits": '("5/second", "250/day")', "connections": "2",
        "redirect_hosts": '("files.example.com",)', "deadline_seconds": "300.0", "mebibytes_max": "2048",
    },
    "ClientCredentials": {
        "token_url": '"https://auth.example.com/token"', "client_id": '"EXAMPLE_ID"',
        "client_secret": '"EXAMPLE_SECRET"', "scope": '"prices.read"', "audience": '"https://api.example.com"',
        "client_in": '"body"', "extra": '{"resource": "prices"}', "header": '"x-token"', "scheme": '""',
    },
    "RefreshToken": {
        "token_url": '"https://auth.example.com/token"', "refresh_token": '"EXAMPLE_REFRESH_TOKEN"',
        "client_id": '"EXAMPLE_ID"', "client_secret": '"EXAMPLE_SECRET"', "rotates": "True",
        "scope": '"prices.read"', "client_in": '"body"', "extra": '{"resource": "prices"}', "header": '"x-token"',
        "scheme": '"token"',
    },
    "Login": {
        "url": '"https://api.example.com/login"', "json": '{"remember": False}', "form": '{"remember": "no"}',
        "secrets": '{"user": "EXAMPLE_USER", "password": "EXAMPLE_PASSWORD"}', "token_at": '"data.token"',
        "given_in": '"cookie"', "parameter": '"token"',
        "lives_seconds": "1800.0", "header": '"x-session"', "scheme": '""',
    },
    "Signature": {
        "secret": '"EXAMPLE_SECRET"', "key": '"EXAMPLE_KEY"', "message": '"{query}{body}"', "digest": '"sha512"',
        "encoding": '"base64"', "secret_encoding": '"base64"', "timestamp": '"iso"', "inner": '"{nonce}{body}"',
        "inner_digest": '"sha512"', "headers": '{"x-key": "{key}", "x-signature": "{signature}"}',
        "parameters": '{"timestamp": "{timestamp}", "signature": "{signature}"}', "fields": '{"nonce": "{nonce}"}',
    },
    "Cursor": {
        "by": '"token"', "column": '"updated"', "overlap_seconds": "300.0",
        "format": '"ms"', "at": '"meta.next"', "first": '"0"', "overlap": "1000",
    },
    "FileRecipe": {
        "path": '"prices/{ticker}.csv"', "extension": '"parquet"', "mirrors": '("old/{ticker}.csv",)',
        "each": '"file"', "parts": 'r"(?P<day>\\d{8})\\.csv"', "quiet_seconds": "60.0",
        "options": '{"region": "eu-west-1"}', "secrets": '{"secret_access_key": "EXAMPLE_SECRET"}',
    },
    "SqlRecipe": {
        "connection": '"postgresql://reader@db.example.com/shop?sslmode=verify-full"',
        "query": '"SELECT id, name, updated FROM client WHERE updated >= {cursor}"',
        "secrets": '{"password": "SHOP_PASSWORD"}', "cursor": 'Cursor(by="moment", column="updated")',
        "date_format": '"%Y%m%d"', "connections": "1", "deadline_seconds": "60.0", "mebibytes_max": "64",
    },
    "SingerRecipe": {
        "command": '("/opt/tap-shop/bin/tap-shop",)', "stream": '"orders"', "config": '{"start_date": "2024-01-01"}',
        "secrets": '{"access_token": "SHOP_TOKEN"}', "discover": "False", "goes_on": "False",
        "replication_key": '"updated_at"', "deadline_seconds": "600.0", "mebibytes_max": "64",
        "memory_mebibytes": "1024",
    },
    "Cells": {
        "cells_max": "100_000", "dimensions": '{"region": ("01", "02"), "sex": ("1", "2")}', "separator": '"+"',
        "per": '"month"', "too_large_status": "(403, 413)", "too_large_fields": '("error.tooManyCells",)',
        "too_large_texts": '("too many cells",)',
    },
    "Pages": {
        "by": '"cursor"', "parameter": '"cursor"', "in_body": "True", "first": "0", "size": "100",
        "size_parameter": '"limit"',
        "next_at": '"meta.next"', "total_at": '"meta.total"', "short_page_ends": "True",
        "items_at": '"data.items"', "total_header": '"X-Total-Count"', "pages_max": "50",
    },
    "Poll": {
        "at": '"links.status"', "header": '"Location"', "status_at": '"job.state"', "done": '("COMPLETED",)',
        "failed": '("FAILED",)', "result_at": '"links.file"', "every_seconds": "5.0", "most_seconds": "900.0",
    },
    "GoldModel": {
        "name": '"fact_rate"', "key": '("currency", "date")', "sql": '"SELECT * FROM silver.ecb_rate"',
        "kind": '"dimension"', "surrogate_key": '"rate_key"', "date_column": '"date"',
        "tests": '(NotNull(column="rate"),)', "doc": '"One row a fixing."',
        "sources": '{"bars": [GoldSource(table="silver.fmp_eod")]}',
        "charts": '(Chart(name="rates", x="date", y="rate", series="currency"),)',
    },
    "Chart": {
        "name": '"price"', "kind": '"candles"', "title": '"Prices as traded"', "x": '"date"',
        "y": '"rate"', "series": '"ticker"', "shown": '("AAPL", "IBM")', "open": '"first"',
        "high": '"highest"', "low": '"lowest"', "close": '"last"', "value": '"log_return"',
        "total": '"mean"', "unit": '"USD"', "sessions": "True", "log": "True", "days": "365",
        "spec": '{"mark": "point", "encoding": {"x": {"field": "date", "type": "temporal"}}}', "columns": '("volume",)',
    },
    "GoldSource": {"table": '"silver.fmp_eod"', "sql": '"SELECT * FROM silver.fmp_eod WHERE close > 0"'},
    "NotNull": {"column": '"rate"'},
    "AcceptedRange": {"column": '"rate"', "low": "0", "high": "1000"},
    "Unique": {"columns": '("date", "currency")'},
    "ForeignKey": {"columns": '("currency",)', "to": '"dim_currency"', "to_columns": '("currency",)'},
    "UniverseMember": {"ticker": '"AAPL"', "valid_from": "dt.date(1982, 11, 30)", "valid_to": "dt.date(2030, 1, 1)"},
}  # fmt: skip
DECLARED = (
    DatasetKeymapEntry,
    Cadence,
    ExpectedBy,
    DataRules,
    Column,
    Archive,
    ForEach,
    RestRecipe,
    ClientCredentials,
    RefreshToken,
    Login,
    Signature,
    Cursor,
    FileRecipe,
    SqlRecipe,
    SingerRecipe,
    Pages,
    Cells,
    Poll,
    GoldModel,
    GoldSource,
    NotNull,
    AcceptedRange,
    Unique,
    ForeignKey,
    UniverseMember,
    Chart,
)


def _fields_of(kind: Any) -> str:
    """The fields of a class as a table."""
    text = "| field | type | default | example |\n| --- | --- | --- | --- |\n"
    types = {
        name: text for cls in reversed(kind.__mro__) for name, text in vars(cls).get("__annotations__", {}).items()
    }
    shown = [one for one in attrs.fields(kind) if not one.name.startswith("_")]
    for field in sorted(shown, key=lambda one: one.inherited):
        default = (
            "required"
            if field.default is attrs.NOTHING
            else "made of others"
            if isinstance(field.default, attrs.Factory)
            else repr(field.default)
        )  # type: ignore[arg-type]
        default = (
            "empty"
            if isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]
            and not field.default.takes_self  # type: ignore[attr-defined]
            else default
        )
        kind_text = types[field.name].replace("|", "\\|")
        text += f"| `{field.name}` | {kind_text} | {default} | `{field.name}={EXAMPLES[kind.__name__][field.name]}` |\n"
    return text


def formats() -> str:
    """Every format, and the paths of JSON."""
    text = (
        '# Formats\n\nHow a payload is written is declared: `DatasetKeymapEntry(format=Csv(delimiter=";"))`. '
        "Nothing is sniffed; what is not as declared is refused, in one line that says what\n"
    )
    text += (
        "to declare. Without a declaration the extension says it: `json` is `Json()`, `csv` and `csv.gz` are `Csv()`, "
        '`tsv` is `Csv(delimiter="\\t")`, `parquet` is `Parquet()`. In TOML a format is a\n'
    )
    text += (
        'table with its kind: `format = {kind = "csv", delimiter = ";"}`. '
        "[How to declare formats](../how-to/declare-formats.md) has real ones. "
        "Zip and gzip are wrappings of any of them: `member=` names the file.\n"
    )
    for name, kind in FORMATS.items():
        text += f"\n## {kind.__name__}\n\nKind `{name}`. {_prose(kind)}\n"
        if attrs.fields(kind):
            text += f"\n{_fields_of(kind)}"
    text += f"\n## Paths of JSON\n\n{_as_page(inspect.cleandoc(json_path.__doc__ or ''))}\n"
    text += "\n## Reasons of rejects\n\n| reason | meaning |\n| --- | --- |\n" + "".join(
        f"| `{word}` | {meaning} |\n" for word, meaning in REASONS.items()
    )
    text += "\n[Types and spellings](casts.md) says which value each spelling gives.\n"
    return text


def _as_page(text: str) -> str:
    """A docstring with one table, as Markdown."""
    lines = []
    for line in text.replace("``", "`").splitlines():
        if set(line.strip()) <= {"=", " "} and line.strip():
            lines += ["| written | means |", "| --- | --- |"] if "| written | means |" not in lines else []
        elif lines and lines[-1].startswith("| ") and (found := re.match(r"(\S.*?)  +(\S.*)", line)):
            lines.append(f"| {found[1]} | {found[2]} |")
        else:
            lines.append(line)
    return "\n".join(lines)


#: The first word of each reason, as ``ops.rejects`` has it.
REASONS = {
    "missing_key": "a column of the key has no value", "missing": "a column that may not be NULL has no value",
    "unparsable": "the text is none of the column's type",
    "too_precise": "more decimals, or a finer moment, than the column holds",
    "out_of_range": "larger than the column holds", "not_an_integer": "a number that is not whole",
    "not_finite": "NaN, an infinity, or larger than a double",
    "decimal_comma": "a decimal comma where a point is declared; the payload is refused",
    "thousands_mark": "a mark that may be one of thousands, and none is declared",
    "no_zone": "a moment without an offset, and no zone is declared",
    "skipped_hour": "a moment that the zone skips when clocks go forward",
    "repeated_hour": "a moment that the zone has twice when clocks go back, and no `fold` is declared",
    "ragged": "another number of fields than the header, or lists beside each other of different length",
    "bad_quote": "a quote within a field, or a text behind a closed one",
    "header_again": "the row is the header once more",
    "key_twice": "a JSON object with a name twice, of which no value could be right",
    "no_row": "something else than a row among the rows",
    "not_unicode": "half of a surrogate pair", "no_json": "a text that should be JSON and is none",
    "after_horizon": "a day later than was asked for, and than `horizon` allows",
    "before_first_date": "a day before `first_date`, which was not asked for",
    "duplicate_key": "the payload states the key twice, with other values",
    "append_only": "another value for a key that is written once",
    "file_refused": "the whole payload is refused; its promotion says why",
    "shifted": "a text of fixed width reaches into the gap beside its field",
    "beyond_exact": "a whole number in a workbook beyond 2^53, which is rounded already",
    "not_calculated": "a formula without a stored result",
    "no_such_day": "a serial number of a workbook that is no day",
    "no_text": "a cell whose text cannot be had", "quotes": "a quote where SDMX-CSV has none",
    "action": "an action that is not known", "bad_index": "a position that the structure does not have",
}  # fmt: skip


def declaration() -> str:
    """The fields of a declaration."""
    text = (
        "# Declarations\n\nThe same fields are read from TOML (`sbf_core.dataset.from_toml`), "
        "where `columns` is a list of tables. Examples are as a plugin writes them.\n"
    )
    for kind in DECLARED:
        text += f"\n## {kind.__name__}\n\n{_prose(kind)}\n\n{_fields_of(kind)}"
        text += f"\n## About\n\n{_prose(About)}\n" if kind is DatasetKeymapEntry else ""
    return text


def settings() -> str:
    """Every setting."""
    text = (
        "# Settings\n\nA flag wins over the variable, the variable over `sbf.toml` in the home, "
        "and that over the default. `sbf doctor` shows each with its origin.\n\n"
    )
    text += (
        "The home itself is `--home`, else `SBF_HOME`, else `./sbf-data`.\n\n"
        "| in sbf.toml | variable | default | meaning |\n| --- | --- | --- | --- |\n"
    )
    for setting in SETTINGS:
        default = "none" if setting.default in ((), "") else setting.default
        text += f"| `{setting.name}` | `{setting.variable}` | {default} | {setting.doc} |\n"
    text += (
        "\nThree kinds of tables stand in the file only: "
        "`[options.PLUGIN]` holds what a plugin lets a user choose (its README says what),\n"
    )
    text += (
        "`[tickers.SOURCE]` how a source writes a ticker, e.g. "
        '`"^SPX" = "^GSPC"` under `[tickers.yahoo]`, and `[universe.SOURCE]` the tickers that\n'
    )
    text += "a source is asked for: one of `tickers`, `file`, `plugin` or `query`.\n"
    return text


OPS_WORDS = {
    "schema_migrations": "Which migration was applied when.",
    "file_ingestions": (
        "The single source of truth of runs and files: one row for the run (`kind` = `run`), one for each Bronze "
        "file or failed request (`file`), one for each Bronze file that a dataset has read which did not fetch it "
        "(`reading`), one for each gold table built (`gold`). A file row has `bronze_rows`; "
        "a run that ended in order has `content_length_bytes`, the sum of what it fetched."
    ),
    "bronze_manifest": "One row for each payload on disk.",
    "promotion_manifest": (
        "One row for each payload that was promoted: what the dataset made of it for which it was fetched. "
        "`rows_seen = rows_inserted + rows_updated + rows_unchanged + rows_rejected`."
    ),
    "readings": (
        "The same for each payload and further table: what datasets made of it that read what another one fetches "
        "(`reads`)."
    ),
    "rejects": "Each rejected row with its reason; [all of them](formats.md#reasons-of-rejects).",
    "schema_drift": "Fields that a vendor added or dropped, once each, with examples of the values of new ones.",
    "table_declarations": (
        "What made each silver table: the part of its declaration that decides its rows, and its fingerprint."
    ),
    "held_tables": (
        "Tables whose declaration has changed and that are not made again by themselves, because rows would go."
    ),
    "cursors": (
        "Where the next request of a series goes on, for datasets that are asked for what changed, "
        "and the answer that said so. The places before it are in `former`."
    ),
    "watermarks": (
        "First and last row date in silver, per dataset and ticker. They steer fetching and never filter rows."
    ),
    "coverage": (
        "The days of a series that were asked for and wholly answered; the planner asks for those that are not final. "
        "A row ends where the next final days begin; `final_to` is its last final day, NULL where none is; `asked_at` "
        "and `bronze_file_id` are the latest answer, and the latest payload, to any of its days; `rule` is what the "
        "declaration said of days when the row was written. Rows are joined once there are more than two a series. "
        "They say again what manifests and promotions say: where the table says nothing of a dataset, these are "
        "asked, and its next answer fills the table. Datasets whose address names no days are not in it."
    ),
    "data_dates": "The last day asked for, and when, per series of fetches.",
    "gold_manifest": (
        "One row for each build of a gold table. `rows_seen` counts the rows that were computed: all, or those of the "
        "part that changed."
    ),
    "gold_watermarks": "The last date of each gold table, its declaration, and what it was made from.",
    "gold_tests": "How each test of a gold table went, per build.",
    "recoveries": (
        "Runs that did not end well and were looked after: what was taken in, "
        "how many files were moved to quarantine in that recovery."
    ),
    "quarantine": (
        "Files that were found in Bronze and are no payloads of the ledger, or not the bytes that were recorded. "
        "They are moved, never deleted."
    ),
}


def ops_tables() -> str:
    """Every ops table with its columns."""
    sql = "".join(path.read_text(encoding="utf-8") for _, path in migrate.migration_files())
    text = "# Ops tables\n\nWritten by `OpsService` only. Read them with `sbf sql`.\n"
    with duckdb.connect() as connection:
        connection.execute(sql)
        for name in re.findall(r"CREATE TABLE ops\.(\w+)", sql):
            columns = connection.execute(f"DESCRIBE ops.{name}").fetchall()
            listed = ", ".join(f"`{column} {kind}`" for column, kind, *_ in columns)
            text += f"\n## ops.{name}\n\n{OPS_WORDS[name]}\n\n{listed}\n"
            if name == "file_ingestions":
                text += "\n`error_kind` is one of these; `sbf run --json` gives the same words in `failures`.\n\n"
                text += "| kind | what it means |\n| --- | --- |\n"
                text += "".join(f"| `{kind}` | {meaning} |\n" for kind, meaning in MEANINGS.items())
    return text


def _prose(thing: Any) -> str:
    """A docstring as Markdown: sections in bold, entries as a list."""
    lines = []
    for line in inspect.cleandoc(thing.__doc__ or "").replace("``", "`").splitlines():
        if re.fullmatch(r"(Args|Attributes|Raises|Returns):", line):
            lines.append(f"**{line[:-1]}**\n")
        elif found := re.match(r"    (\S[^:]*): (.*)", line):
            lines.append(f"- `{found[1]}`: {found[2]}")
        else:
            lines.append(line.strip() if line.startswith("    ") else line)
    return "\n".join(lines)


def library() -> str:
    """The functions of ``import sbf_core``."""
    text = (
        "# Library\n\n"
        "`import sbf_core` gives these. [How to use it from Python](../how-to/use-from-python.md) has an example.\n"
    )
    for name in ("open", "panel", "run"):
        function = getattr(sbf_core, name)
        text += (
            f"\n## sbf_core.{name}\n\n```text\n{_signature(function)}\n```\n\n"
            f"{_plain(inspect.cleandoc(function.__doc__))}\n"
        )
    text += f"\n## sbf_core.RunContext\n\n{_plain(inspect.cleandoc(sbf_core.RunContext.__doc__ or ''))}\n"
    return text


def _signature(function: Any) -> str:
    shown = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        shown.append(
            f"{parameter.name}: {parameter.annotation}"
            + ("" if parameter.default is parameter.empty else f" = {parameter.default!r}")
        )
    return "(\n    " + ",\n    ".join(shown) + f",\n) -> {inspect.signature(function).return_annotation}"


def _plain(doc: str) -> str:
    """A docstring as Markdown: its sections become lists."""
    lines, in_section = [], False
    for line in doc.replace("``", "`").splitlines():
        if re.fullmatch(r"(Args|Returns|Raises|Warns|Attributes):", line):
            in_section = True
            lines += [f"**{line[:-1]}**", ""]
        elif in_section and line.startswith("    ") and not line.startswith("     "):
            name, colon, rest = line.strip().partition(": ")
            lines.append(f"- `{name}`: {rest}" if colon else f"- {line.strip()}")
        else:
            in_section = in_section and bool(line.strip())
            lines.append(line)
    return "\n".join(lines)


def conformance() -> str:
    """The checks of the kit."""
    text = (
        '# Conformance\n\nWhat `sbf plugins check NAME` and `conformance("NAME")` look at, in this order. '
        "[Test a plugin](../how-to/test-a-plugin.md) says how.\n\n"
    )
    text += "| check | what holds when it passes |\n| --- | --- |\n"
    for check in CHECKS:
        text += f"| `{check.name}` | {check.promise} |\n"
    text += (
        f'\nA plugin is exempt from a check by `{EXEMPTIONS} = {{"check": "reason"}}` in its module, '
        'or from it for some datasets by `"check:DATASET"`, with `*`.\n'
    )
    for check in CHECKS:
        text += f"\n## {check.name}\n\n{' '.join(_plain(inspect.cleandoc(check.look.__doc__ or '')).split())}\n"
    return text


PAGES = {
    "faults.md": fault_table.page,
    "conformance.md": conformance,
    "commands.md": commands,
    "library.md": library,
    "hooks.md": hooks,
    "declaration.md": declaration,
    "formats.md": formats,
    "settings.md": settings,
    "ops-tables.md": ops_tables,
}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (REFERENCE / page).write_text(HEAD + make(), encoding="utf-8")
