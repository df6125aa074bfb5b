"""Banco Central do Brasil on what it really sent."""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recorded import Recording, entries, payload, second_entries

from sbf_core.api import RunRequest, UsageError
from sbf_core.dataset.recipe import RestRecipe
from sbf_core.http.content import why_no_data
from sbf_core.http.questions import filled
from sbf_core.testing.suite import conformance
from sbf_plugins.bcb import plugin

CURRENCIES = ["AUD", "CAD", "CHF", "DKK"]
CHOSEN = {"series": ["1"], "currencies": CURRENCIES}
OPTIONS = f'[options.bcb]\nseries = ["1"]\ncurrencies = {json.dumps(CURRENCIES)}\n'
DAYS = {"first": dt.date(2026, 3, 1), "moment": dt.datetime(2026, 3, 7, tzinfo=dt.UTC)}
SGS_DAYS = {"first": dt.date(2024, 1, 1), "moment": dt.datetime(2024, 1, 10, 22, tzinfo=dt.UTC)}


def recorded() -> dict[str, bytes]:
    """By currency what came."""
    return {row["url"].rpartition("%27")[0][-3:]: payload(row) for row in entries(vendor="cb-bcb")}


def filled_recording(folder: Path) -> Recording:
    recording = Recording(folder, options=OPTIONS)
    for currency, content in recorded().items():
        recording.add("fx/bcb/ptax", content, ticker=currency, **DAYS)
    recording.add("macro/bcb/series", payload(second_entries(endpoint="bcb.sgs")[0]), ticker="1", **SGS_DAYS)
    return recording


def test_closing_rates_and_their_moments(tmp_path: Path) -> None:
    """Moments of São Paulo without a zone; the day is that of the bulletin there; trailing zeros mean nothing."""
    recording = filled_recording(tmp_path)
    context = recording.run()
    assert context.errors == []
    assert context.rows_rejected == 0
    told = sorted(
        (
            currency, row["dataHoraCotacao"][:10],
            dt.datetime.fromisoformat(row["dataHoraCotacao"]) + dt.timedelta(hours=3),
            row["cotacaoCompra"], row["cotacaoVenda"], row["paridadeCompra"], row["paridadeVenda"],
        )
        for currency, content in recorded().items()
        for row in json.loads(content, parse_float=Decimal)["value"]
    )  # fmt: skip
    found = recording.ask(
        "SELECT currency, CAST(date AS VARCHAR), told_at, buying, selling, parity_buying, parity_selling "
        "FROM silver.bcb_ptax ORDER BY ALL"
    )
    assert found == told
    assert len(told) == 20


def test_series_are_days_first(tmp_path: Path) -> None:
    """02/01/2024 is the second of January."""
    recording = filled_recording(tmp_path)
    assert recording.run().errors == []
    told = json.loads(payload(second_entries(endpoint="bcb.sgs")[0]))
    found = recording.ask("SELECT series, strftime(date, '%d/%m/%Y'), value FROM silver.bcb_series ORDER BY date")
    assert found == [("1", row["data"], Decimal(row["valor"])) for row in told]
    assert recording.ask("SELECT min(date), max(date) FROM silver.bcb_series") == [
        (dt.date(2024, 1, 2), dt.date(2024, 1, 10))
    ]


def test_each_service_is_asked_in_its_own_writing_of_days() -> None:
    request = RunRequest(
        run_id="r", domain="x", source="bcb", dataset="x", ticker="1",
        from_date=dt.date(2024, 3, 1), to_date=dt.date(2024, 3, 7),
    )  # fmt: skip
    asked = []
    for entry in plugin.datasets(CHOSEN):
        assert isinstance(entry.recipe, RestRecipe)
        asked.append(filled(entry.recipe.url, request, quoting=True, recipe=entry.recipe))
    assert asked[0].endswith("bcdata.sgs.1/dados?formato=json&dataInicial=01%2F03%2F2024&dataFinal=07%2F03%2F2024")
    assert "&@dataInicial=%2703-01-2024%27&@dataFinalCotacao=%2703-07-2024%27&" in asked[1]


@pytest.mark.parametrize(
    "note", [b'{"codigo":400,"mensagem":"moeda"}', b'{"error":"x","message":"y"}', b'{"erro":{"detail":"x"}}']
)
def test_notes_are_no_data(note: bytes) -> None:
    assert all(why_no_data(entry, note, "json") is not None for entry in plugin.datasets(CHOSEN))


def test_nothing_is_declared_before_something_is_named() -> None:
    assert not plugin.datasets({})
    assert [entry.id for entry in plugin.datasets({"series": ["432"]})] == ["macro/bcb/series"]
    for wrong in ({"series": ["Selic"]}, {"series": ["0"]}, {"currencies": ["usd"]}, {"currencies": ["USD'"]}):
        with pytest.raises(UsageError, match="is no code"):
            plugin.datasets(wrong)


def _recording(folder: Path) -> Path:
    return filled_recording(folder).folder


test_bcb_conforms = conformance("bcb", recording=_recording, options=CHOSEN)
