"""Banks of Asia. Each says here where its price is not of one unit of a foreign currency in its own."""

from __future__ import annotations

import datetime as dt

from sbf_core.api import Column, Pages, SdmxMl
from sbf_plugins.centralbanks.bank import DOUBLE_DIGITS, Bank, columns, day_column, number, text

_DOTTED = {"written": "%d.%m.%Y"}
_FROM_DOUBLE = "CAST(CAST(CAST(quoted AS DOUBLE) AS VARCHAR) AS DECIMAL(30,16))"
#: A price that was written with the digits of a double, as the shortest number that is the same double, where sixteen
#: decimals hold it.
_SHORTEST = f"CASE WHEN CAST({_FROM_DOUBLE} AS DOUBLE) = CAST(quoted AS DOUBLE) THEN {_FROM_DOUBLE} END"
_ARMENIAN = (
    "USD,GBP,AUD,EUR,XDR,IRR,PLN,CAD,INR,NOK,JPY,SEK,CHF,CZK,CNY,SGD,BRL,AED,KGS,KZT,RUB,UAH,UZS,BYN,TJS,GEL,HKD,NZD"
)

BANKS = (
    Bank(
        name="amcm",
        title="Middle rates of the Monetary Authority of Macao",
        home="MOP",
        columns=columns(
            date="date", rate="usdMean", units="unit", day={"written": "%Y-%m-%d %H:%M:%S"},
        ),
        url="https://www.amcm.gov.mo/api/v1.0/cms/financial_info?QueryType=1&Begin={from_date}&End={to_date}",
        ask={"date_format": "%Y%m%d", "chunk_days": 90},
        facts={"rows_at": "data"},
        terms="Autoridade Monetária de Macau, with the source named. No key.",
        about="https://www.amcm.gov.mo/en/financial-information/exchange-rates",
        units="units",
    ),
    Bank(
        name="bnm",
        title="Interbank rates of Bank Negara Malaysia at 09:00",
        home="MYR",
        columns=columns(
            Column(
                name="buying", type=DOUBLE_DIGITS, nullable=True, source="@.rate.buying_rate",
                unit="MYR for so many units", doc="with the digits of a double",
            ),
            Column(
                name="selling", type=DOUBLE_DIGITS, nullable=True, source="@.rate.selling_rate",
                unit="MYR for so many units", doc="with the digits of a double",
            ),
            text("session", "$.meta.session", key=True, doc="0900, in Kuala Lumpur"),
            currency="currency_code", date="@.rate.date", rate="@.rate.middle_rate", units="unit", type_=DOUBLE_DIGITS,
        ),
        url="https://api.bnm.gov.my/public/exchange-rate?session=0900&quote=rm",
        ask={"headers": {"accept": "application/vnd.BNM.API.v1+json"}},
        facts={"rows_at": "data"},
        rules={"none_status": (404,)},
        terms="Bank Negara Malaysia, with the source named. No key.",
        about="https://apikijangportal.bnm.gov.my/openapi",
        price=_SHORTEST,
        units="units",
        fixing="session",
    ),
    Bank(
        name="boi",
        title="Representative rates of the Bank of Israel",
        home="ILS",
        columns=columns(
            text("in_currency", "COUNTER_CURRENCY", key=True),
            Column(name="power", type="BIGINT", source="UNIT_MULT", unit="power of ten", doc="2: for 100 units"),
            text("series", "SERIES_CODE", doc="e.g. RER_USD_ILS"),
            text("release", "RELEASE_STATUS", nullable=True),
            currency="BASE_CURRENCY", date="TIME_PERIOD", rate="value",
        ),
        url=(
            "https://edge.boi.gov.il/FusionEdgeServer/sdmx/v2/data/dataflow/BOI.STATISTICS/EXR/1.0/"
            "?c%5BDATA_TYPE%5D=OF00&startperiod={from_date}&endperiod={to_date}"
        ),
        ask={"extension": "xml"},
        facts={"format": SdmxMl()},
        rules={"none_status": (404,)},
        terms="Bank of Israel, with the source named. No key.",
        about="https://www.boi.org.il/en/economic-roles/financial-markets/exchange-rates/",
        base="in_currency",
        units="CAST(10 ** power AS BIGINT)",
    ),
    Bank(
        name="bom",
        title="Official rates of the Bank of Mongolia",
        home="MNT",
        columns=columns(quoted="quoted"),
        url="https://www.mongolbank.mn/en/currency-rate-movement/data",
        ask={"json": {"startDate": "{from_date}", "endDate": "{to_date}"}},
        facts={"rows_at": "data"},
        terms="Bank of Mongolia, with the source named. No key.",
        about="https://www.mongolbank.mn/en/currency-rate-movement",
    ),
    Bank(
        name="cba",
        title="Average market rates of the Central Bank of Armenia",
        home="AMD",
        columns=columns(number("change", unit="AMD", doc="to the day before"), units="units"),
        url="https://api.cba.am/exchangerates.asmx",
        ask={
            "body": (
                '<?xml version="1.0" encoding="utf-8"?>'
                '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
                '<ExchangeRatesByDateRangeByISO xmlns="http://www.cba.am/">'
                f"<ISOCodes>{_ARMENIAN}</ISOCodes><DateFrom>{{from_date}}</DateFrom><DateTo>{{to_date}}</DateTo>"
                "</ExchangeRatesByDateRangeByISO></soap:Body></soap:Envelope>"
            ),
            "content_type": "text/xml; charset=utf-8",
            "headers": {"SOAPAction": '"http://www.cba.am/ExchangeRatesByDateRangeByISO"'},
            "extension": "xml",
            "chunk_days": 365,
        },
        terms="Central Bank of Armenia, with the source named. No key.",
        about="https://api.cba.am/",
        units="units",
    ),
    Bank(
        name="cbu",
        title="Official rates of the Central Bank of Uzbekistan",
        home="UZS",
        columns=columns(
            number("change", "Diff", unit="UZS", doc="to the rate before", missing=("",)),
            text("name", "CcyNm_EN"),
            currency="Ccy", date="Date", rate="Rate", units="Nominal", day=_DOTTED,
        ),
        url="https://cbu.uz/en/arkhiv-kursov-valyut/json/all/{from_date}/",
        is_daily=True,
        terms="Central Bank of the Republic of Uzbekistan, with the source named. No key.",
        about="https://cbu.uz/en/arkhiv-kursov-valyut/veb-masteram/",
        units="units",
    ),
    Bank(
        name="fbil",
        title="Reference rates of the rupee (FBIL)",
        home="INR",
        columns=(
            text("pair", "subProdName", key=True, doc="INR / 100 JPY: rupees for a hundred yens"),
            day_column("processRunDate", written="%Y-%m-%d %H:%M:%S"),
            Column(name="told_at", type="TIMESTAMP", source="displayTime", zone="Asia/Kolkata"),
            Column(name="rate", type="DECIMAL(24,10)", unit="INR for as many units as pair says"),
            Column(name="quoted", type="VARCHAR", source="rate", doc="the rate as it was written"),
        ),
        url=(
            "https://www.fbil.org.in/wasdm/refrates/fetchfiltered?authenticated=false"
            "&fromDate={from_date}&toDate={to_date}"
        ),
        terms="Financial Benchmarks India Pvt. Ltd.: its own terms; look at them before rates are passed on. No key.",
        about="https://www.fbil.org.in/",
        currency="regexp_extract(pair, '^INR / [0-9]+ ([A-Z]{3})$', 1)",
        units="TRY_CAST(regexp_extract(pair, '^INR / ([0-9]+) [A-Z]{3}$', 1) AS BIGINT)",
    ),
    Bank(
        name="hkma",
        title="Exchange rates of the Hong Kong Monetary Authority",
        home="HKD",
        columns=columns(type_=DOUBLE_DIGITS),
        url=(
            "https://api.hkma.gov.hk/public/market-data-and-statistics/monthly-statistical-bulletin/er-ir/"
            "er-eeri-daily?choose=end_of_day&from={from_date}&to={to_date}&sortby=end_of_day&sortorder=desc"
        ),
        ask={"pages": Pages(by="offset", parameter="offset", first=0, size=100, size_parameter="pagesize",
                            items_at="result.records", short_page_ends=True)},
        facts={"rows_at": "result.records"},
        rules={"error_fields": ()},
        terms="Hong Kong Monetary Authority, free to use with the source named. No key.",
        about="https://apidocs.hkma.gov.hk/",
        price=_SHORTEST,
        currency="CASE currency WHEN 'special_drawing_rights' THEN 'XDR' ELSE upper(currency) END",
    ),
    Bank(
        name="mma",
        title="Reference rate of the dollar (Maldives Monetary Authority)",
        home="MVR",
        columns=(
            day_column("Date", written="%d %B %Y"),
            Column(name="rate", type="DECIMAL(24,10)", source="Rate", unit="MVR for one US dollar"),
            text("quoted", "Rate", doc="the rate as the bank wrote it"),
        ),
        url="https://www.mma.gov.mv/JSON/referencerates.json",
        terms="Maldives Monetary Authority, with the source named. No key.",
        about="https://www.mma.gov.mv/#/statistics/exchangerates",
        currency="'USD'",
    ),
    Bank(
        name="nbg",
        title="Official rates of the National Bank of Georgia",
        home="GEL",
        columns=columns(
            number("change", "diffFormated", unit="GEL", doc="without its sign"),
            Column(name="set_at", type="TIMESTAMP", source="date", date_format="%Y-%m-%dT%H:%M:%S.%f%z"),
            text("name", doc="in Georgian"),
            currency="code", date="validFromDate", rate="rateFormated", units="quantity",
            day={"written": "%Y-%m-%dT%H:%M:%S.%f%z", "zone": "UTC"},
        ),
        url="https://nbg.gov.ge/gw/api/ct/monetarypolicy/currencies/?date={from_date}",
        facts={"rows_at": "$[*].currencies[*]"},
        is_daily=True,
        terms="National Bank of Georgia, with the source named. No key.",
        about="https://nbg.gov.ge/en/monetary-policy/currency",
        units="units",
    ),
    Bank(
        name="nbk",
        title="Official rates of the National Bank of Kazakhstan",
        home="KZT",
        columns=columns(text("name", doc="in Russian"), units="units", day=_DOTTED),
        url="https://nationalbank.kz/rss/get_rates.cfm?fdate={from_date}",
        ask={"extension": "xml", "date_format": "%d.%m.%Y"},
        is_daily=True,
        terms="National Bank of Kazakhstan, with the source named. No key.",
        about="https://nationalbank.kz/en/exchangerates/ezhednevnye-oficialnye-rynochnye-kursy-valyut",
        units="units",
    ),
    Bank(
        name="nbkr",
        title="Official rates of the National Bank of the Kyrgyz Republic",
        home="KGS",
        columns=columns(
            text("kind", key=True, doc="Daily Exchange Rates, or Weekly Exchange Rates"), units="units",
            quoted="quoted", day=_DOTTED,
        ),
        url="https://www.nbkr.kg/XML/{period}.xml",
        ask={"extension": "xml", "periods": ("daily", "weekly")},
        terms="National Bank of the Kyrgyz Republic, with the source named. No key.",
        about="https://www.nbkr.kg/index.jsp?lang=ENG",
        units="units",
        fixing="kind",
    ),
    Bank(
        name="nbt",
        title="Official rates of the National Bank of Tajikistan",
        home="TJS",
        columns=columns(text("code", doc="the bank's own, which says little"), text("name"), units="units"),
        url="https://www.nbt.tj/en/kurs/export_xml.php?date={from_date}&export=xmlout",
        ask={"extension": "xml"},
        is_daily=True,
        since=dt.date(2026, 2, 3),
        terms="National Bank of Tajikistan, with a reference to www.nbt.tj. No key.",
        about="https://www.nbt.tj/en/kurs/kurs.php",
        units="units",
    ),
    Bank(
        name="nrb",
        title="Buying and selling rates of Nepal Rastra Bank",
        home="NPR",
        columns=columns(
            number("selling", "sell", unit="NPR for so many units"),
            text("name", "@.currency.name"),
            Column(name="published_at", type="TIMESTAMP", source="@^.published_on", zone="Asia/Kathmandu"),
            currency="@.currency.iso3", date="@^.date", rate="buy", units="@.currency.unit",
        ),
        url="https://www.nrb.org.np/api/forex/v1/rates?from={from_date}&to={to_date}&per_page=100&page=1",
        ask={"chunk_days": 90},
        facts={"rows_at": "$.data.payload[*].rates[*]"},
        rules={"error_fields": ("errors.validation",)},
        terms="Nepal Rastra Bank, with the source named. No key.",
        about="https://www.nrb.org.np/api-docs-v1/",
        units="units",
        fixing="'buying'",
    ),
)  # fmt: skip
