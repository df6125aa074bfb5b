"""Answers with an item for each ticker that was asked for: which have rows, which have none, and which are wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs

from sbf_core.counted import counted
from sbf_core.dataset.entry import DatasetKeymapEntry
from sbf_core.dataset.json_path import rows_path
from sbf_core.dataset.json_steps import Wildcard
from sbf_core.errors import PayloadRefused, printable
from sbf_core.failures import FailureKind
from sbf_core.http.content import EVIDENCE_BYTES_MAX
from sbf_core.payload.json_walk import nodes, value_at
from sbf_core.payload.listing import is_listing
from sbf_core.runs.result import NOTHING, RunResult

_SHOWN = 200


def judged_items(entry: DatasetKeymapEntry, results: Sequence[RunResult]) -> list[RunResult]:
    """The answers to a request, each as it is judged."""
    return [_judged(entry, one) if one.ok and one.has_payload else one for one in results]


def _judged(entry: DatasetKeymapEntry, result: RunResult) -> RunResult:
    """An answer as it is; without its payload where it says that there is nothing for any ticker, or where an item is
    wrong: then its tickers are asked for again, apart.
    """
    if result.extension != "json":
        what = f"its items cannot be counted: it is {result.extension}, and no json"
        return attrs.evolve(result, payload=b"", payload_file=None, kind=FailureKind.NOT_DATA, error=what)
    path = rows_path(entry.rows_at).segments
    first, *more = (number for number, segment in enumerate(path) if isinstance(segment, Wildcard))
    tickers = result.request.tickers
    try:
        payload = result.whole_payload()
        document = json.loads(payload)
        if is_listing(document, entry.is_data.listing_fields):
            return result
        items = [value for _, value in nodes(document, path[: first + 1])]
        below = path[first + 1 : more[0]] if more else path[first + 1 :]  # an item may be the row itself
        has_rows = [next(nodes(item, below), None) is not None for item in items]
    except (OSError, ValueError, RecursionError, PayloadRefused):
        return result  # whoever promotes it says what is wrong
    if len(items) != len(tickers):
        what = f"the answer has {counted(len(items), 'item')} for {counted(len(tickers), 'ticker')}"
        return attrs.evolve(result, payload=b"", payload_file=None, kind=FailureKind.INCOMPLETE, error=what)
    rules = entry.is_data
    is_none = [_said(item, rules.item_none_fields) is not None for item in items]
    for number, item in enumerate(items):
        error = _said(item, rules.item_error_fields)
        if error is None and not has_rows[number] and not is_none[number]:
            error = f"neither rows nor why there are none: {_shown(item)}"
        if error is not None:
            what = f"of {tickers[number]} the vendor says {error}"
            failed = attrs.evolve(result, payload=b"", payload_file=None, kind=FailureKind.ERROR_NOTE, error=what)
            return attrs.evolve(failed, evidence=payload[:EVIDENCE_BYTES_MAX])
    if all(is_none) and not any(has_rows):
        return attrs.evolve(result, payload=b"", payload_file=None, kind=NOTHING)
    return result


def _said(item: Any, paths: Sequence[str]) -> str | None:
    """What an item holds at one of some paths; None where it holds nothing there."""
    for path in paths:
        value = value_at(item, path) if isinstance(item, dict) else None
        if value not in (None, "", False, [], {}):
            return _shown(value)
    return None


def _shown(value: Any) -> str:
    text = printable(value if isinstance(value, str) else json.dumps(value))
    return repr(text[:_SHOWN] + ("..." if len(text) > _SHOWN else ""))
