"""Declarations from TOML, through cattrs: for datasets that need no Python at all."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import cattrs

from sbf_core.dataset.archive import Archive
from sbf_core.dataset.cadence import Cadence
from sbf_core.dataset.cells import Cells
from sbf_core.dataset.chart import Chart
from sbf_core.dataset.columns import Column
from sbf_core.dataset.data_rules import DataRules
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.expected_by import ExpectedBy
from sbf_core.dataset.file_recipe import FileRecipe
from sbf_core.dataset.for_each import ForEach
from sbf_core.dataset.format_list import FORMATS, Format
from sbf_core.dataset.pages import Pages
from sbf_core.dataset.poll import Poll
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.dataset.recipe_list import Recipe
from sbf_core.dataset.sign_in import SIGN_INS, SignIn
from sbf_core.dataset.singer import SingerRecipe
from sbf_core.dataset.sql_recipe import SqlRecipe
from sbf_core.errors import UsageError


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(
        dt.date, lambda value, _: value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
    )
    converter.register_structure_hook(
        Recipe | None,
        lambda value, _: None if value is None else converter.structure(value, _recipe_of(value)),
    )
    converter.register_structure_hook(
        Format | None, lambda value, _: None if value is None else _of_kind(converter, value, FORMATS, "format")
    )
    converter.register_structure_hook(
        SignIn | None, lambda value, _: None if value is None else _of_kind(converter, value, SIGN_INS, "sign_in")
    )
    converter.register_structure_hook(int | str, lambda value, _: value)  # the class says what it takes
    converter.register_structure_hook(Mapping[str, str] | None, lambda value, _: value)  # of true would come "True"
    # a text is one column y, and no list of letters: the class converts it
    converter.register_structure_hook(Chart, _by_its_own_converters(converter, Chart))
    attrs.resolve_types(
        DatasetKeymapEntry,
        localns={"ExpectedBy": ExpectedBy, "Format": Format, "ForEach": ForEach, "Recipe": Recipe},
    )  # it does not load all formats by itself
    attrs.resolve_types(RestRecipe, localns={"Cells": Cells, "SignIn": SignIn, "Poll": Poll})
    converter.register_structure_hook(Cells, _by_its_own_converters(converter, Cells))
    for kind in (
        Archive,
        Cadence,
        Column,
        DataRules,
        ExpectedBy,
        ForEach,
        Pages,
        Poll,
        RestRecipe,
        FileRecipe,
        SqlRecipe,
        SingerRecipe,
    ):
        converter.register_structure_hook(
            kind, cattrs.gen.make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)
        )
    as_given = cattrs.override(struct_hook=lambda value, _: value)  # one text or several: the class says what it takes
    made = cattrs.gen.make_dict_structure_fn(
        DatasetKeymapEntry,
        converter,
        _cattrs_forbid_extra_keys=True,
        region=as_given,
        frequency=as_given,
        cost=as_given,
    )
    converter.register_structure_hook(DatasetKeymapEntry, made)
    return converter


def _recipe_of(declared: Mapping[str, Any]) -> type[Recipe]:
    if "query" in declared:
        return SqlRecipe
    if "stream" in declared:
        return SingerRecipe
    return RestRecipe if "url" in declared else FileRecipe


def _of_kind(converter: cattrs.Converter, declared: dict[str, Any], kinds: Mapping[str, Any], what: str) -> Any:
    """``{kind = "csv", delimiter = ";"}``. Raises ``UsageError`` for a kind that is not known."""
    facts = dict(declared)
    kind = facts.pop("kind", "")
    if kind not in kinds:
        first = next(iter(kinds))
        fix = f'write kind = "{first}", or one of ' + ", ".join(kinds)
        raise UsageError(f"{what} {kind!r} is not known", fix=fix, code="FORMAT" if what == "format" else "RECIPE")
    chosen = kinds[kind]
    # texts and tuples become what the class wants by its own converters
    return _by_its_own_converters(converter, chosen)(facts, chosen)


def _by_its_own_converters(converter: cattrs.Converter, kind: Any) -> Any:
    return cattrs.gen.make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_prefer_attrib_converters=True
    )


def entry_from_mapping(declared: dict[str, Any], *, where: str = "") -> DatasetKeymapEntry:
    """One declaration from plain values. Raises ``UsageError`` naming each fault and its path."""
    try:
        return _converter().structure(declared, DatasetKeymapEntry)
    except UsageError:
        raise
    except Exception as error:  # cattrs raises groups and plain errors alike
        usage = _first_usage_error(error)
        if usage is not None:
            raise usage from error
        faults = "; ".join(cattrs.transform_error(error, path="$"))
        raise UsageError(faults, where=where, fix="see docs/reference/declaration.md", code="DATASET") from error


def _first_usage_error(error: BaseException) -> UsageError | None:
    if isinstance(error, UsageError):
        return error
    for inner in getattr(error, "exceptions", ()):
        usage_error = _first_usage_error(inner)
        if usage_error is not None:
            return usage_error
    return None


def entries_from_toml(path: Path) -> list[DatasetKeymapEntry]:
    """The declarations under ``[[dataset]]`` in a TOML file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not TOML: {error}", where=str(path), code="TOML") from error
    declared = document.get("dataset", [])
    if not isinstance(declared, list) or not declared:
        raise UsageError("holds no [[dataset]]", where=str(path), code="DATASET")
    return [
        entry_from_mapping(item, where=f"{path}: dataset {number}") for number, item in enumerate(declared, start=1)
    ]
