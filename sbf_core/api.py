"""Everything a plugin author needs: ``from sbf_core.api import ...``."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING
from typing import Any as _Any

from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.chart import Chart
from sbf_core.dataset.columns import Column, column
from sbf_core.dataset.cursor import Cursor
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.formats import Csv, Json, Parquet
from sbf_core.dataset.pages import Pages
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.request_body import RequestBody
from sbf_core.errors import DatasetFailure, PayloadRefused, SbfError, UsageError
from sbf_core.failures import FailureKind
from sbf_core.gold.model import AcceptedRange, ForeignKey, GoldModel, GoldSource, NotNull, Unique, sql_file
from sbf_core.http.recipe_walk import fetch_by_recipe
from sbf_core.http.session import FetchSession
from sbf_core.plugin.deprecations import MovedName as _MovedName
from sbf_core.plugin.deprecations import moved as _moved
from sbf_core.plugin.hookspecs import HOOK_API, hookimpl
from sbf_core.plugin.options import checked_options, checked_words
from sbf_core.runs.request import RunRequest
from sbf_core.runs.result import RunResult
from sbf_core.silver.reading import BatchFile, ParseRows, PromotionBatch, SelectRows
from sbf_core.universe.members import UniverseMember

if TYPE_CHECKING:
    from sbf_core.dataset.archive import Archive
    from sbf_core.dataset.cells import Cells
    from sbf_core.dataset.expected_by import ExpectedBy
    from sbf_core.dataset.for_each import ForEach
    from sbf_core.dataset.formats_of_statistics import JsonStat, SdmxCsv, SdmxJson, SdmxMl
    from sbf_core.dataset.formats_of_tables import Excel, FixedWidth, Sections
    from sbf_core.dataset.poll import Poll
    from sbf_core.dataset.proposed import ProposedDataset
    from sbf_core.dataset.sign_in import ClientCredentials, Login, RefreshToken
    from sbf_core.dataset.signature import Signature
    from sbf_core.dataset.singer import Singer, SingerRecipe
    from sbf_core.dataset.sql_recipe import SqlRecipe
    from sbf_core.http.rows import fetch_rows
    from sbf_core.plugin.offer import Offer, VendorSearch, offers_of_table

__all__ = [
    "HOOK_API",
    "AcceptedRange",
    "Archive",
    "BatchFile",
    "Cadence",
    "Cells",
    "Chart",
    "ClientCredentials",
    "Column",
    "Csv",
    "Cursor",
    "DataRules",
    "DatasetFailure",
    "DatasetKeymapEntry",
    "Excel",
    "ExpectedBy",
    "FailureKind",
    "FetchSession",
    "FileRecipe",
    "FixedWidth",
    "ForEach",
    "ForeignKey",
    "GoldModel",
    "GoldSource",
    "Json",
    "JsonStat",
    "Login",
    "NotNull",
    "Offer",
    "Pages",
    "Parquet",
    "ParseRows",
    "PayloadRefused",
    "Poll",
    "PromotionBatch",
    "ProposedDataset",
    "RefreshToken",
    "RequestBody",
    "RestRecipe",
    "RunRequest",
    "RunResult",
    "SbfError",
    "SdmxCsv",
    "SdmxJson",
    "SdmxMl",
    "Sections",
    "SelectRows",
    "Signature",
    "Singer",
    "SingerRecipe",
    "SqlRecipe",
    "Unique",
    "UniverseMember",
    "UsageError",
    "VendorSearch",
    "checked_options",
    "checked_words",
    "column",
    "fetch_by_recipe",
    "fetch_rows",
    "hookimpl",
    "offers_of_table",
    "sql_file",
]

#: What few datasets declare, and the modules that have it: loaded by those that do.
_LATE = {
    "Cells": "sbf_core.dataset.cells",
    **dict.fromkeys(("JsonStat", "SdmxCsv", "SdmxJson", "SdmxMl"), "sbf_core.dataset.formats_of_statistics"),
    **dict.fromkeys(("Excel", "FixedWidth", "Sections"), "sbf_core.dataset.formats_of_tables"),
    **dict.fromkeys(("ClientCredentials", "Login", "RefreshToken"), "sbf_core.dataset.sign_in"),
    "Signature": "sbf_core.dataset.signature",
    **dict.fromkeys(("Singer", "SingerRecipe"), "sbf_core.dataset.singer"),
    "SqlRecipe": "sbf_core.dataset.sql_recipe",
    **dict.fromkeys(("Offer", "VendorSearch", "offers_of_table"), "sbf_core.plugin.offer"),
    "fetch_rows": "sbf_core.http.rows",
    "ExpectedBy": "sbf_core.dataset.expected_by",
    "Archive": "sbf_core.dataset.archive",
    "ForEach": "sbf_core.dataset.for_each",
    "Poll": "sbf_core.dataset.poll",
    "ProposedDataset": "sbf_core.dataset.proposed",
}
#: Names that were here under another name, and still work.
_MOVED: dict[str, _MovedName] = {}


def __getattr__(name: str) -> _Any:
    if name in _LATE:
        globals()[name] = late = getattr(_import_module(_LATE[name]), name)
        return late
    return _moved(name, _MOVED)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
