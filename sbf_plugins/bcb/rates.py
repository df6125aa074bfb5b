"""How Banco Central do Brasil is asked, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs

from sbf_core.api import Cadence, Chart, DataRules, DatasetKeymapEntry, RestRecipe, column

TERMS = "Banco Central do Brasil, Open Data Commons Open Database License (ODbL). No key."

_SGS = "https://api.bcb.gov.br/dados/serie/bcdata.sgs.{ticker}/dados?formato=json&dataInicial={from_date}&dataFinal={to_date}"
_PTAX = (
    "https://olinda.bcb.gov.br/olinda/servico/PTAX/versao/v1/odata/"
    "CotacaoMoedaPeriodo(moeda=@moeda,dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"
    "?@moeda=%27{ticker}%27&@dataInicial=%27{from_date}%27&@dataFinalCotacao=%27{to_date}%27"
    "&$filter=tipoBoletim%20eq%20%27Fechamento%27&$format=json"
)


@attrs.frozen
class Observation:
    """One value of one series of the bank's time series management system (SGS)."""

    series: str = column(
        key=True, source="request.ticker", doc="number of the series: 1 is the dollar, 432 the Selic target"
    )
    date: dt.date = column(key=True, row_date=True, source="data", date_format="%d/%m/%Y")
    value: Decimal | None = column(precision=32, scale=12, source="valor", unit="that of the series", missing=("",))


@attrs.frozen
class ClosingRate:
    """The closing PTAX of one currency: the mean of what dealers told the bank."""

    currency: str = column(key=True, source="request.ticker", doc="ISO 4217")
    date: dt.date = column(
        key=True,
        row_date=True,
        source="dataHoraCotacao",
        date_format="%Y-%m-%d %H:%M:%S.%f",
        doc="day of the bulletin in Brasília",
    )
    told_at: dt.datetime = column(source="dataHoraCotacao", zone="America/Sao_Paulo", doc="moment of the bulletin")
    buying: Decimal = column(precision=18, scale=8, source="cotacaoCompra", unit="BRL for one unit")
    selling: Decimal = column(precision=18, scale=8, source="cotacaoVenda", unit="BRL for one unit")
    parity_buying: Decimal | None = column(
        precision=18, scale=8, source="paridadeCompra", unit="rate to the dollar",
        doc="units for one dollar, or, of currencies that are quoted so (type B), dollars for one unit",
    )  # fmt: skip
    parity_selling: Decimal | None = column(
        precision=18, scale=8, source="paridadeVenda", unit="rate to the dollar", doc="as parity_buying"
    )


def entries(series: Sequence[str], currencies: Sequence[str], since: dt.date) -> list[DatasetKeymapEntry]:
    """The datasets that have members."""
    shared: dict[str, Any] = {
        "source": "bcb",
        "scope": "per_ticker",
        "first_date": since,
        "lookback_days": 7,
        "refresh_after_hours": 12,
        "cadence": Cadence(calendar="weekdays"),
        "terms": TERMS,
        "region": "BR",
        "cost": "free",
    }
    made = []
    if series:
        made.append(
            DatasetKeymapEntry(
                **shared,
                domain="macro",
                dataset="series",
                silver_table="bcb_series",
                columns=Observation,
                members=tuple(dict.fromkeys(series)),
                # Of a daily series more than ten years are refused; days without a value are answered by 404.
                recipe=RestRecipe(url=_SGS, date_format="%d/%m/%Y", chunk_days=3650, limits=("2/second",)),
                is_data=DataRules(error_fields=("error", "erro"), none_status=(404,)),
                tags=("macro",),
                charts=(Chart(name="values", title="Values", x="date", y="value", series="series"),),
                title="Time series (SGS)",
                frequency=("day", "week", "month", "quarter", "year"),
                source_url="https://dadosabertos.bcb.gov.br/",
            )
        )
    if currencies:
        made.append(
            DatasetKeymapEntry(
                **shared,
                domain="fx",
                dataset="ptax",
                silver_table="bcb_ptax",
                columns=ClosingRate,
                members=tuple(dict.fromkeys(currencies)),
                rows_at="value",
                recipe=RestRecipe(url=_PTAX, date_format="%m-%d-%Y", chunk_days=3650, limits=("2/second",)),
                is_data=DataRules(error_fields=("codigo", "mensagem"), may_be_empty=True),
                tags=("daily", "fx"),
                charts=(
                    Chart(
                        name="selling", title="Closing PTAX", x="date", y="selling", series="currency", sessions=True
                    ),
                ),
                title="Closing exchange rates (PTAX)",
                frequency="day",
                source_url="https://dadosabertos.bcb.gov.br/dataset/taxas-de-cambio-todos-os-boletins-diarios",
            )
        )
    return made
