"""Banks of Africa and the Americas. Where a price is not of one unit of a foreign currency in that of the bank, the
bank says so here.
"""

from __future__ import annotations

from sbf_core.api import Column, Csv, Json
from sbf_plugins.centralbanks.bank import Bank, columns, day_column, number, text

_MIDNIGHT = {"written": "%Y-%m-%dT%H:%M:%S.%f"}
#: Series of Banco de México, each pesos for one unit.
_OF_MEXICO = {"SF43718": "USD", "SF46410": "EUR", "SF46407": "GBP", "SF46406": "JPY", "SF60632": "CAD"}
#: Series of Banco Central de Chile, each pesos for one unit; the dollar is the observed one.
_OF_CHILE = {
    "F073.TCO.PRE.Z.D": "USD", "F072.CLP.EUR.N.O.D": "EUR", "F072.CLP.GBP.N.O.D": "GBP", "F072.CLP.JPY.N.O.D": "JPY",
    "F072.CLP.CAD.N.O.D": "CAD", "F072.CLP.AUD.N.O.D": "AUD", "F072.CLP.CNY.N.O.D": "CNY",
}  # fmt: skip


def _code_of(series: dict[str, str]) -> str:
    return "MAP {" + ", ".join(f"'{name}': '{code}'" for name, code in series.items()) + "}[currency]"


BANKS = (
    Bank(
        name="bam",
        title="Transfer rates of Bank Al-Maghrib at 12:30",
        home="MAD",
        columns=columns(
            currency="libDevise", rate="moyen", units="uniteDevise", day={"written": "%Y-%m-%dT%H:%M:%S"}
        ),
        url="https://api.centralbankofmorocco.ma/cours/Version1/api/CoursVirement?date={from_date}",
        ask={
            "date_format": "%Y-%m-%dT12:30:00", "secret_headers": {"Ocp-Apim-Subscription-Key": "BAM_API_KEY"},
        },
        rules={"error_fields": ("message",)},
        is_daily=True,
        terms="Bank Al-Maghrib, with the source named. A free key: BAM_API_KEY.",
        about="https://apihelpdesk.centralbankofmorocco.ma/",
        units="units",
    ),
    Bank(
        name="banguat",
        title="Reference rate of the dollar (Banco de Guatemala)",
        home="GTQ",
        columns=(
            day_column("fecha", written="%d/%m/%Y"),
            Column(name="rate", type="DECIMAL(24,10)", source="venta", unit="GTQ for one US dollar", doc="selling"),
            text("quoted", "venta", doc="the rate as the bank wrote it"),
            number("buying", "compra", unit="GTQ for one US dollar"),
        ),
        url="https://www.banguat.gob.gt/variables/ws/TipoCambio.asmx",
        ask={
            "body": (
                '<?xml version="1.0" encoding="utf-8"?>'
                '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
                '<TipoCambioRango xmlns="http://www.banguat.gob.gt/variables/ws/">'
                "<fechainit>{from_date}</fechainit><fechafin>{to_date}</fechafin>"
                "</TipoCambioRango></soap:Body></soap:Envelope>"
            ),
            "content_type": "text/xml; charset=utf-8",
            "date_format": "%d/%m/%Y",
            "extension": "xml",
        },
        terms="Banco de Guatemala, with the source named. No key.",
        about="https://www.banguat.gob.gt/tipo_cambio/",
        currency="'USD'",
    ),
    Bank(
        name="banrep",
        title="Representative market rate of the dollar (Colombia)",
        home="COP",
        columns=(
            day_column("vigenciadesde", doc="first day of the rate", **_MIDNIGHT),
            day_column("vigenciahasta", name="last_day", doc="last day of the rate", **_MIDNIGHT),
            Column(name="rate", type="DECIMAL(24,10)", source="valor", unit="COP for one US dollar"),
            text("quoted", "valor", doc="the rate as it was written"),
            text("unit", "unidad", doc="COP"),
        ),
        url=(
            "https://www.datos.gov.co/resource/32sa-8pi3.json?$limit=50000&$order=vigenciadesde%20ASC"
            "&$where=vigenciadesde%3E=%27{from_date}T00:00:00.000%27%20AND%20"
            "vigenciadesde%3C=%27{to_date}T00:00:00.000%27"
        ),
        rules={"error_fields": ("message",)},
        terms="Superintendencia Financiera de Colombia, datos.gov.co, CC BY-SA 4.0, with the source named. No key.",
        about="https://www.datos.gov.co/d/32sa-8pi3",
        currency="'USD'",
        only="unit = 'COP'",
    ),
    Bank(
        name="banxico",
        title="Rates of Banco de México: the FIX of the dollar, and further currencies",
        home="MXN",
        columns=columns(
            text("title", "@^.titulo", doc="in Spanish, with blanks of its own"),
            currency="@^.idSerie", date="fecha", rate="dato", day={"written": "%d/%m/%Y"}, missing=("N/E",),
        ),
        url=(
            f"https://www.banxico.org.mx/SieAPIRest/service/v1/series/{','.join(_OF_MEXICO)}/datos/"
            "{from_date}/{to_date}"
        ),
        ask={"secret_headers": {"Bmx-Token": "BANXICO_TOKEN"}},
        facts={"rows_at": "$.bmx.series[*].datos[*]", "format": Json(thousands=",")},
        rules={"error_fields": ("error",)},
        terms="Banco de México, with the source named. A free key: BANXICO_TOKEN.",
        about="https://www.banxico.org.mx/SieAPIRest/service/v1/?locale=en",
        currency=_code_of(_OF_MEXICO),
    ),
    Bank(
        name="bcch",
        title="Rates of Banco Central de Chile: the observed dollar, and further currencies",
        home="CLP",
        columns=columns(
            text("status", "statusCode", doc="OK, or ND: there is none"), text("title", "$.Series.descripIng"),
            currency="$.Series.seriesId", date="indexDateString", rate="value", day={"written": "%d-%m-%Y"},
            missing=("NaN",),
        ),
        url=(
            "https://si3.bcentral.cl/SieteRestWS/SieteRestWS.ashx?function=GetSeries&timeseries={ticker}"
            "&firstdate={from_date}&lastdate={to_date}"
        ),
        ask={"secrets": {"user": "BCCH_USER", "pass": "BCCH_PASSWORD"}},
        facts={"rows_at": "$.Series.Obs[*]", "scope": "per_ticker", "members": tuple(_OF_CHILE)},
        rules={"error_texts": ("invalid username", "error")},
        terms="Banco Central de Chile, with the source named. A free account: BCCH_USER, BCCH_PASSWORD.",
        about="https://si3.bcentral.cl/estadisticas/Principal1/web_services/index_EN.htm",
        currency=_code_of(_OF_CHILE),
    ),
    Bank(
        name="bcra",
        title="Exchange rates of Banco Central de la República Argentina",
        home="ARS",
        columns=columns(
            text("description", "descripcion", doc="in Spanish; says where the rate is for 1,000 units"),
            number("in_dollars", "tipoPase", unit="USD for one unit", doc="0: none; of metals for the ounce"),
            currency="codigoMoneda", date="$.results.fecha", rate="tipoCotizacion",
        ),
        url="https://api.bcra.gob.ar/estadisticascambiarias/v1.0/Cotizaciones?fecha={from_date}",
        facts={"rows_at": "$.results.detalle[*]"},
        rules={"error_fields": ("errorMessages",)},
        is_daily=True,
        terms="Banco Central de la República Argentina, with the source named. No key.",
        about="https://www.bcra.gob.ar/BCRAyVos/catalogo-de-APIs-banco-central.asp",
        units="CASE WHEN description LIKE '%(C/1.000 UNIDADES)%' THEN 1000 ELSE 1 END",
        only="rate > 0 AND currency NOT IN ('REF', 'MXP', 'VEB')",
    ),
    Bank(
        name="bnrrw",
        title="Reference rates of the National Bank of Rwanda",
        home="RWF",
        columns=columns(
            number("buying", "buying_rate", unit="RWF for one unit"),
            number("selling", "selling_rate", unit="RWF for one unit"),
            currency="currency_name", date="post_date", rate="average_rate", day={"written": "%d-%b-%y"},
        ),
        url=(
            "https://fxrates.bnr.rw/currency_history/"
            "?currency_name={ticker}&start_date={from_date}&end_date={to_date}"
        ),
        facts={"scope": "per_ticker", "members": ("USD", "EUR", "GBP", "KES", "UGX"), "format": Json(thousands=",")},
        terms="National Bank of Rwanda, with the source named. No key.",
        about="https://www.bnr.rw/",
    ),
    Bank(
        name="bob",
        title="Foreign currencies for one pula (Bank of Botswana)",
        home="BWP",
        columns=columns(date="Date", day={"written": "%d %b %Y"}, missing=("", "0.0000")),
        url="https://www.bankofbotswana.bw/export/exchange-rates.csv?_format=csv&page",
        ask={"extension": "csv"},
        facts={"format": Csv()},
        terms="Bank of Botswana, with the source named. No key.",
        about="https://www.bankofbotswana.bw/exchange-rates",
        currency="'BWP'",
        base="CASE currency WHEN 'CHN' THEN 'CNY' WHEN 'YEN' THEN 'JPY' ELSE currency END",
    ),
    Bank(
        name="nbe",
        title="Rates of the National Bank of Ethiopia",
        home="ETB",
        columns=columns(
            number("buying", unit="ETB for one unit"),
            number("selling", unit="ETB for one unit"),
            text("name", "@.currency.name"),
            currency="@.currency.code", rate="weighted_average",
        ),
        url="https://api.nbe.gov.et/api/filter-exchange-rates?date={from_date}",
        facts={"rows_at": "data"},
        is_daily=True,
        terms="National Bank of Ethiopia, with the source named. No key.",
        about="https://nbe.gov.et/exchange/",
    ),
    Bank(
        name="sarb",
        title="Rates of the South African Reserve Bank",
        home="ZAR",
        columns=columns(
            text("title", "Timeseries", doc="Rand per US Dollar, or Chinese Yuan per Rand"),
            text("description", "Description"),
            currency="request.ticker", date="Period", rate="Value", day={"written": "%Y-%m-%dT%H:%M:%S"},
        ),
        url=(
            "https://custom.resbank.co.za/SarbWebApi/WebIndicators/Shared/GetTimeseriesObservations/"
            "{ticker}/{from_date}/{to_date}"
        ),
        ask={"date_format": "%Y-%m-%dT00:00:00"},
        facts={"scope": "per_ticker", "members": ("EXCX135D", "EXCZ001D", "EXCZ002D")},
        terms="South African Reserve Bank, with the source named. No key.",
        about="https://www.resbank.co.za/en/home/what-we-do/statistics/key-statistics/current-market-rates",
        currency="MAP {'Rand per US Dollar': 'USD', 'Rand per British Pound': 'GBP', 'Rand per Euro': 'EUR'}[title]",
    ),
)  # fmt: skip
