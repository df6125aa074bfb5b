"""From a flow that a user chose to the declaration of its dataset: one table, a column a dimension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sbf_core.api import (
    Column,
    Csv,
    Cursor,
    DataRules,
    DatasetKeymapEntry,
    RestRecipe,
)
from sbf_plugins.sdmx.flows import Flow
from sbf_plugins.sdmx.offices import NO_HOSTS, at_host

#: What offices write where there is no value: Eurostat's CSV a colon, SDMX-ML NaN, SDMX-CSV either of the last two.
NO_VALUE = (":", "NaN", "#N/A")
#: Actions that say no more than that the row is so. What else stands there deletes.
IS_SO = ("Append", "Replace", "Information", "Merge", "append", "replace", "information", "merge", "I", "A", "M", "R")
_PERIOD_FORMATS = {"days": "", "months": "%Y-%m", "years": "%Y"}
#: Periods that are texts may be of several kinds.
_FREQUENCIES = {"days": "day", "months": "month", "years": "year"}
_VALUE_TYPES = {"decimal": "DECIMAL(38,18)", "double": "DOUBLE", "text": "VARCHAR"}
#: Attributes that most flows have, by the column: without the unit, and the power of ten, a value says nothing.
_USUAL = {
    "status": ("OBS_STATUS", "OBS_FLAG"),
    "unit": ("UNIT_MEASURE", "UNIT"),
    "unit_mult": ("UNIT_MULT",),
    "decimals": ("DECIMALS",),
}
_FLOWS = "[options.sdmx] flows"
_TAKEN = frozenset({"period", "value", "deleted", "known_from", "known_to", "recorded_at"})
_RESERVED = frozenset({"all", "at", "from", "group", "order", "select", "table", "union", "where"})


def entry_of(flow: Flow, hosts: Mapping[str, str] = NO_HOSTS) -> DatasetKeymapEntry:
    """The dataset of a flow; ``hosts``: which address stands in the place of an office's host."""
    service = flow.service
    how: dict[str, Any] = {"semantics": "snapshot"}  # the whole of it: what it lacks is no more
    if flow.is_series:  # one for each key
        how = {"scope": "per_ticker", "members": (flow.key,), "lookback_days": flow.lookback_days or 0}
        how["is_data"] = DataRules(none_status=(404,), may_be_empty=True)
    return DatasetKeymapEntry(
        domain="statistics",
        source=flow.office.lower(),
        dataset=flow.name,
        silver_table=flow.table,
        columns=_columns(flow),
        format=flow.asked.form,
        recipe=_recipe(flow, hosts),
        first_date=flow.first_date,
        horizon="any",
        tags=("sdmx", flow.office.lower()),
        title=f"{service.title}: {flow.flow}",
        region=service.region,
        frequency=_FREQUENCIES.get(flow.periods, ()),
        cost="free",
        terms=service.terms,
        source_url=service.source_url,
        **how,
    )


def _recipe(flow: Flow, hosts: Mapping[str, str]) -> RestRecipe:
    asked, service = flow.asked, flow.service
    query = [asked.query] if asked.query else []
    if flow.lookback_days is not None:
        query.append("startPeriod={from_date}")
    elif flow.since:
        query.append(f"startPeriod={flow.since}")
    if flow.ask_changes:
        query.append("updatedAfter={cursor}")
    url = service.data.format(flow=flow.flow, key="{ticker}" if flow.is_series else flow.key)
    return RestRecipe(
        url=at_host(url, hosts) + ("?" + "&".join(query) if query else ""),
        extension=flow.format,
        headers={"accept": asked.accept} if asked.accept else {},
        date_format=_PERIOD_FORMATS.get(flow.periods, "") or "%Y-%m-%d",
        cursor=Cursor(by="moment", overlap_seconds=3600) if flow.ask_changes else None,
        limits=service.limits,
        connections=1,
        deadline_seconds=600,
        mebibytes_max=4096,
    )


def _columns(flow: Flow) -> tuple[Column, ...]:
    names = {one: _column_name(one) for one in (*flow.dimensions, *flow.attributes)}
    columns = [Column(name=names[one], type="VARCHAR", key=True, source=one, fix=_fix(one)) for one in flow.dimensions]
    columns.append(_period(flow))
    columns.append(
        Column(
            name="value",
            type=_VALUE_TYPES[flow.value],
            nullable=True,
            source="OBS_VALUE",
            also=("value",),
            missing=() if flow.value == "text" else NO_VALUE,
            fix="name it in a plugin of the flow: `sbf plugins new NAME --from-sdmx OFFICE/FLOW/KEY`",
            doc="to be multiplied by ten to the power of unit_mult, where there is one",
        )
    )
    if flow.labels:
        columns += [
            Column(
                name=f"{names[one]}_name",
                type="VARCHAR",
                nullable=True,
                source=f"{one}.name",
                fix=f"in {_FLOWS} leave out labels=yes",
            )
            for one in flow.dimensions
        ]
    for name, sources in _USUAL.items():
        if not {name, *(_column_name(one) for one in sources)} & set(names.values()):
            columns.append(
                Column(name=name, type="VARCHAR", nullable=True, source=sources[0], also=sources[1:], optional=True)
            )
    columns += [
        # an XML message tells of attributes only where an observation has one
        Column(
            name=names[one],
            type="VARCHAR",
            nullable=True,
            source=one,
            optional=flow.format == "xml",
            fix=_fix(one),
        )
        for one in flow.attributes
    ]
    if flow.asked.shows_deletions or not isinstance(flow.asked.form, Csv):
        columns.append(_deleted(flow))
    return tuple(columns)


def _fix(one: str) -> str:
    """What to write where payloads have no such field: the user has one line of TOML, and no column."""
    return f"in {_FLOWS} write the id that the payload has, in the place of {one}"


def _period(flow: Flow) -> Column:
    is_date = bool(flow.periods)
    return Column(
        name="period",
        type="DATE" if is_date else "VARCHAR",
        key=True,
        row_date=is_date,
        source=flow.time,
        date_format=_PERIOD_FORMATS.get(flow.periods, ""),
        fix=f"in {_FLOWS} add time= and the id of the dimension that is the period",
        doc="its first day" if is_date else "as the office writes it, e.g. 2024, 2024-Q1, 2024-01 or 2024-01-31",
    )


def _deleted(flow: Flow) -> Column:
    return Column(
        name="deleted",
        type="VARCHAR",
        nullable=True,
        source="ACTION" if flow.format == "csv" else "action",
        optional=True,
        missing=IS_SO,
        doc="D or Delete where the office has deleted the observation; else NULL",
    )


def _column_name(component: str) -> str:
    """The column of a dimension or an attribute: its id in small letters; ``dim_`` before one that is taken."""
    name = component.lower().replace("-", "_")
    return f"dim_{name}" if name in _TAKEN | _RESERVED else name
