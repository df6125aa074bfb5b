"""The Bank of Canada on what it really sent."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded import NOW, Recording, entries, payload

from sbf_core.api import UsageError
from sbf_core.http.content import why_no_data
from sbf_core.testing.suite import conformance
from sbf_plugins.boc import plugin

OPTIONS = '[options.boc]\ngroups = ["FX_RATES_DAILY"]\nsince = 2026-01-01\n'
FIRST = dt.date(2026, 3, 12)


def recorded() -> bytes:
    return payload(entries(vendor="cb-boc")[0])


def made(*days: dict[str, object]) -> bytes:
    return json.dumps({"terms": {}, "seriesDetail": {}, "observations": list(days)}).encode()


def test_each_value_with_the_digits_of_the_bank(tmp_path: Path) -> None:
    """23 currencies of 26 that the answer describes have rates: the others have no row, and none is made up."""
    recording = Recording(tmp_path, options=OPTIONS)
    recording.add("rates/boc/groups", recorded(), ticker="FX_RATES_DAILY", first=FIRST)
    context = recording.run()
    assert context.errors == []
    document = json.loads(recorded())
    told = {
        (name, day["d"]): Decimal(value["v"])
        for day in document["observations"]
        for name, value in day.items()
        if name != "d"
    }
    assert (context.rows_seen, context.rows_inserted, context.rows_rejected) == (len(told), len(told), 0)
    found = recording.ask("SELECT series, CAST(date AS VARCHAR), value FROM silver.boc_group")
    assert {(name, day): value for name, day, value in found} == told
    assert len(document["seriesDetail"]) > len({name for name, _ in told})


def test_a_series_of_one_is_read_in_the_same_way(tmp_path: Path) -> None:
    """As it is documented: the name of the series stands beside the day. Two series in one answer stay apart."""
    recording = Recording(tmp_path, options='[options.boc]\nseries = ["V39079"]\n')
    content = made({"d": "2026-03-12", "V39079": {"v": "2.25"}}, {"d": "2026-03-13", "V39079": {"v": None}})
    recording.add("rates/boc/series", content, ticker="V39079", first=FIRST)
    assert recording.run().errors == []
    assert recording.ask("SELECT series, CAST(date AS VARCHAR), value FROM silver.boc_series ORDER BY 2") == [
        ("V39079", "2026-03-12", Decimal("2.25")),
        ("V39079", "2026-03-13", None),
    ]


def test_a_corrected_rate_is_a_revision(tmp_path: Path) -> None:
    recording = Recording(tmp_path, options=OPTIONS)
    for hour, rate in enumerate(("1.3617", "1.3618")):
        content = made({"d": "2026-03-12", "FXUSDCAD": {"v": rate}})
        moment = NOW + dt.timedelta(hours=hour)
        recording.add("rates/boc/groups", content, ticker="FX_RATES_DAILY", first=FIRST, moment=moment)
    assert recording.run().errors == []
    assert recording.ask("SELECT value FROM silver.boc_group") == [(Decimal("1.3618"),)]
    assert recording.ask("SELECT value FROM silver.boc_group_history") == [(Decimal("1.3617"),)]


def test_days_without_rates_are_an_answer_and_a_note_is_none() -> None:
    (entry,) = plugin.datasets({"groups": ["FX_RATES_DAILY"]})
    assert why_no_data(entry, made(), "json") is None
    note = b'{"message":"Group FX_RATES not found.","docs":"https://www.bankofcanada.ca/valet/docs"}'
    told = why_no_data(entry, note, "json")
    assert told is not None
    assert "not found" in told[1]


def test_nothing_is_declared_before_something_is_named() -> None:
    assert not plugin.datasets({})
    both = plugin.datasets({"groups": ["FX_RATES_DAILY"], "series": ["V39079", "V39079"]})
    assert [(entry.id, entry.members) for entry in both] == [
        ("rates/boc/groups", ("FX_RATES_DAILY",)),
        ("rates/boc/series", ("V39079",)),
    ]
    with pytest.raises(UsageError, match="'group/X' is no name"):
        plugin.datasets({"groups": ["group/X"]})


def _recording(folder: Path) -> Path:
    recording = Recording(folder, options=OPTIONS)
    recording.add("rates/boc/groups", recorded(), ticker="FX_RATES_DAILY", first=FIRST)
    return recording.folder


test_boc_conforms = conformance(
    "boc", recording=_recording, options={"groups": ["FX_RATES_DAILY"], "since": dt.date(2026, 1, 1)}
)
