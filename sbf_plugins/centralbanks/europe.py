"""Banks of Europe. Each says here where its price is not of one unit of a foreign currency in its own."""

from __future__ import annotations

import datetime as dt

from sbf_core.api import Column, Csv, Json, JsonStat
from sbf_plugins.centralbanks.bank import Bank, columns, day_column, number, text

_DOTTED = {"written": "%d.%m.%Y"}
_MOMENT = {"written": "%Y-%m-%dT%H:%M:%S"}
#: What Banco de Portugal calls the currencies: its number of a category, and the code of ISO 4217.
_OF_PORTUGAL = {
    "710": "AUD", "711": "ATS", "714": "BEF", "719": "CAD", "720": "CVE", "731": "DKK", "737": "FIM", "738": "FRF",
    "739": "DEM", "741": "GRD", "754": "IEP", "756": "ITL", "758": "JPY", "771": "MOP", "783": "NLG", "788": "NOK",
    "807": "ZAR", "809": "ESP", "814": "SEK", "815": "CHF", "824": "GBP", "826": "USD", "846": "BRL", "2777": "XEU",
}  # fmt: skip
_CODES_OF_PORTUGAL = "MAP {" + ", ".join(f"'{number}': '{code}'" for number, code in _OF_PORTUGAL.items()) + "}"

BANKS = (
    Bank(
        name="bdi",
        title="Reference rates of Banca d'Italia for one euro",
        home="EUR",
        columns=columns(
            text("convention", "Rate convention", doc="Foreign currency amount for 1 Euro., where it is as usual"),
            text("country", "Country", key=True),
            currency="ISO Code", date="Reference date (CET)", rate="Rate", missing=("N.A.",),
        ),
        url=(
            "https://tassidicambio.bancaditalia.it/terzevalute-wf-web/rest/v1.0/dailyRates"
            "?referenceDate={from_date}&currencyIsoCode=EUR&lang=en"
        ),
        ask={"extension": "csv", "headers": {"accept": "text/csv"}},
        is_daily=True,
        terms="Banca d'Italia, with the source named. No key.",
        about="https://www.bancaditalia.it/compiti/operazioni-cambi/portale-tassi/",
        currency="'EUR'",
        base="currency",
        fixing="country",
        only="convention = 'Foreign currency amount for 1 Euro.'",
    ),
    Bank(
        name="bdp",
        title="Escudos for foreign currencies, until 1998 (Banco de Portugal)",
        home="PTE",
        columns=columns(
            text("currency_name", "12.label"), text("in_currency", "13.label", doc="Portuguese Escudo"),
            currency="12", date="reference_date", rate="value",
        ),
        url=(
            "https://bpstat.bportugal.pt/data/v1/domains/29/datasets/23e0cdd56bddb4ad3016a9c3ad63a539/"
            "?lang=EN&dim_cats=40:4263&obs_since={from_date}&obs_to={to_date}"
        ),
        facts={"format": JsonStat(), "refresh_after_hours": 24 * 30},
        since=dt.date(1990, 1, 1),
        terms="Banco de Portugal, BPstat, with the source named. No key.",
        about="https://bpstat.bportugal.pt/data/docs",
        currency=f"{_CODES_OF_PORTUGAL}[currency]",
    ),
    Bank(
        name="bnr",
        title="Reference rates of the National Bank of Romania",
        home="RON",
        columns=columns(units="units"),
        url="https://curs.bnr.ro/files/xml/years/nbrfxrates{year}.xml",
        ask={"extension": "xml"},
        terms="National Bank of Romania, with the source named. No key.",
        about="https://www.bnr.ro/Exchange-rates-15192-Mobile.aspx",
        units="units",
    ),
    Bank(
        name="cbr",
        title="Official rates of the Bank of Russia",
        home="RUB",
        columns=columns(
            text("code", doc="the bank's own, which tells currencies of one code apart"), text("name"), units="units",
            quoted="quoted", day=_DOTTED,
        ),
        url="https://www.cbr.ru/scripts/XML_daily.asp?date_req={from_date}",
        ask={"extension": "xml", "date_format": "%d/%m/%Y"},
        is_daily=True,
        terms="Bank of Russia, with the source named. No key.",
        about="https://www.cbr.ru/development/SXML/",
        units="units",
    ),
    Bank(
        name="cnb",
        title="Exchange rates of the Czech National Bank",
        home="CZK",
        columns=columns(currency="currencyCode", date="validFor", units="amount"),
        url="https://api.cnb.cz/cnbapi/exrates/daily-year?year={year}&lang=EN",
        facts={"rows_at": "rates"},
        terms="Czech National Bank, with the source named. No key.",
        about="https://api.cnb.cz/cnbapi/swagger-ui.html",
        units="units",
    ),
    Bank(
        name="dnb",
        title="Exchange rates of Danmarks Nationalbank",
        home="DKK",
        columns=columns(
            text("kind", "KURTYP", key=True, doc="KBH: fixed in Copenhagen"),
            currency="VALUTA", date="TID", rate="INDHOLD", day={"written": "%YM%mD%d"}, missing=("..",),
        ),
        url="https://api.statbank.dk/v1/data",
        ask={
            "json": {
                "table": "DNVALD", "format": "BULK", "lang": "en", "valuePresentation": "Code",
                "variables": [
                    {"code": "VALUTA", "values": ["*"]},
                    {"code": "KURTYP", "values": ["KBH"]},
                    {"code": "Tid", "values": [">={from_date}"]},
                ],
            },
            "extension": "csv", "date_format": "%YM%mD%d",
        },
        facts={"format": Csv(delimiter=";")},
        terms="Danmarks Nationalbank by Statistics Denmark, CC BY 4.0, with the source named. No key.",
        about="https://www.statbank.dk/DNVALD",
        units="100",
        only="kind = 'KBH'",
    ),
    Bank(
        name="hnb",
        title="Exchange rate list of the Croatian National Bank, for one euro",
        home="EUR",
        columns=columns(
            number("buying", "kupovni_tecaj", unit="for one euro"),
            number("selling", "prodajni_tecaj", unit="for one euro"),
            text("list_number", "broj_tecajnice"), text("country", "drzava", doc="in Croatian"),
            currency="valuta", date="datum_primjene", rate="srednji_tecaj",
        ),
        url="https://api.hnb.hr/tecajn-eur/v3?datum-primjene-od={from_date}&datum-primjene-do={to_date}",
        facts={"format": Json(decimal=",")},
        terms="Croatian National Bank, with the source named. No key.",
        about="https://api.hnb.hr/",
        currency="'EUR'",
        base="currency",
    ),
    Bank(
        name="hnb",
        dataset="kuna",
        title="Exchange rate list of the Croatian National Bank, in kunas, until 2022",
        home="HRK",
        columns=columns(
            number("buying", "kupovni_tecaj", unit="kunas for so many units"),
            number("selling", "prodajni_tecaj", unit="kunas for so many units"),
            text("list_number", "broj_tecajnice"), text("country", "drzava", doc="in Croatian"),
            currency="valuta", date="datum", rate="srednji_tecaj", units="jedinica",
        ),
        url="https://api.hnb.hr/tecajn/v2?datum-od={from_date}&datum-do={to_date}",
        ask={"chunk_days": 365},
        facts={"format": Json(decimal=","), "refresh_after_hours": 24 * 30},
        since=dt.date(2020, 1, 1),
        terms="Croatian National Bank, with the source named. No key.",
        about="https://api.hnb.hr/",
        units="units",
    ),
    Bank(
        name="lb",
        title="Euro reference rates as the Bank of Lithuania tells them",
        home="EUR",
        columns=(
            text("kind", key=True, doc="EU: euro reference rates; LT: in litas, until 2014"),
            day_column(),
            text("first_currency", key=True),
            number("first_amount", unit="first_currency", doc="so much of it is second_amount of second_currency"),
            text("currency", "second_currency", key=True),
            number("second_amount", unit="currency"),
            text("quoted", doc="both amounts as the bank wrote them, with = between"),
        ),
        url="https://www.lb.lt/webservices/FxRates/FxRates.asmx/getFxRates?tp=EU&dt={from_date}",
        ask={"extension": "xml"},
        is_daily=True,
        terms="Bank of Lithuania, with the source named. No key.",
        about="https://www.lb.lt/webservices/FxRates/",
        currency="CASE kind WHEN 'EU' THEN first_currency ELSE currency END",
        base="CASE kind WHEN 'EU' THEN currency ELSE first_currency END",
        price="CASE kind WHEN 'EU' THEN second_amount ELSE first_amount END",
        units="CASE kind WHEN 'EU' THEN first_amount ELSE second_amount END",
        only="kind IN ('EU', 'LT')",
    ),
    Bank(
        name="mnb",
        title="Official rates of Magyar Nemzeti Bank",
        home="HUF",
        columns=columns(units="units", quoted="quoted"),
        url="http://www.mnb.hu/arfolyamok.asmx",
        ask={
            "body": (
                '<?xml version="1.0" encoding="utf-8"?>'
                '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
                'xmlns:web="http://www.mnb.hu/webservices/"><soap:Body><web:GetExchangeRates>'
                "<web:startDate>{from_date}</web:startDate><web:endDate>{to_date}</web:endDate>"
                "<web:currencyNames>AUD,BRL,CAD,CHF,CNY,CZK,DKK,EUR,GBP,HKD,IDR,ILS,INR,ISK,JPY,KRW,MXN,MYR,NOK,NZD,"
                "PHP,PLN,RON,RSD,RUB,SEK,SGD,THB,TRY,UAH,USD,ZAR</web:currencyNames>"
                "</web:GetExchangeRates></soap:Body></soap:Envelope>"
            ),
            "content_type": "text/xml; charset=utf-8",
            "headers": {"SOAPAction": "http://www.mnb.hu/webservices/MNBArfolyamServiceSoap/GetExchangeRates"},
            "extension": "xml",
        },
        terms="Magyar Nemzeti Bank, with the source named. No key.",
        about="https://www.mnb.hu/en/arfolyamok",
        units="units",
    ),
    Bank(
        name="nb",
        title="Exchange rates of Norges Bank",
        home="NOK",
        columns=columns(
            Column(name="power", type="BIGINT", source="UNIT_MULT", unit="power of ten", doc="2: for 100 units"),
            text("tenor", "TENOR", key=True, doc="SP: spot"),
            text("calculated", "CALCULATED", doc="true: an index, or by way of another rate"),
            currency="BASE_CUR", date="TIME_PERIOD", rate="OBS_VALUE",
        ),
        url="https://data.norges-bank.no/api/data/EXR/B..NOK.SP?format=csvdata&startPeriod={from_date}&endPeriod={to_date}",
        ask={"extension": "csv"},
        facts={"format": Csv()},
        rules={"none_status": (404,)},
        terms="Norwegian Licence for Open Government Data (NLOD), source: Norges Bank. No key.",
        about="https://app.norges-bank.no/query/",
        units="CAST(10 ** power AS BIGINT)",
        only="currency NOT IN ('I44', 'TWI')",
    ),
    Bank(
        name="nbm",
        title="Official rates of the National Bank of Moldova",
        home="MDL",
        columns=columns(text("code", doc="the bank's own"), text("name"), units="units", day=_DOTTED),
        url="https://www.bnm.md/en/official_exchange_rates?get_xml=1&date={from_date}",
        ask={"extension": "xml", "date_format": "%d.%m.%Y"},
        is_daily=True,
        terms="National Bank of Moldova, with the source named. No key.",
        about="https://www.bnm.md/en/content/official-exchange-rates",
        units="units",
    ),
    Bank(
        name="nbrb",
        title="Official rates of the National Bank of the Republic of Belarus",
        home="BYN",
        columns=columns(
            Column(name="currency_id", type="BIGINT", source="Cur_ID", unit="number", doc="changes where units do"),
            text("name", "Cur_Name", doc="in Russian"),
            currency="Cur_Abbreviation", date="Date", rate="Cur_OfficialRate", units="Cur_Scale", day=_MOMENT,
        ),
        url="https://api.nbrb.by/exrates/rates?periodicity=0&ondate={from_date}",
        is_daily=True,
        terms="National Bank of the Republic of Belarus, with the source named. No key.",
        about="https://www.nbrb.by/apihelp/exrates",
        units="units",
    ),
    Bank(
        name="nbrm",
        title="Exchange rate list of the National Bank of North Macedonia",
        home="MKD",
        columns=columns(
            day_column("datum_f", name="set_on", doc="day on which it was set", **_MOMENT),
            text("name", "nazivAng"),
            currency="oznaka", date="datum", rate="sreden", units="nomin", day=_MOMENT,
        ),
        url="https://www.nbrm.mk/KLServiceNOV/GetExchangeRate?StartDate={from_date}&EndDate={to_date}&format=json",
        ask={"date_format": "%d.%m.%Y", "chunk_days": 90},
        terms="National Bank of the Republic of North Macedonia, with the source named. No key.",
        about="https://www.nbrm.mk/web-servis-novo-en.nspx",
        units="units",
    ),
    Bank(
        name="nbu",
        title="Official rates of the National Bank of Ukraine",
        home="UAH",
        columns=columns(
            number("for_one", "rate_per_unit", unit="UAH for one unit"),
            day_column("calcdate", name="set_on", doc="day on which it was set", **_DOTTED),
            text("name", "enname"),
            text("kind", "group", doc="1: currencies; 3: metals, by the troy ounce"),
            currency="cc", date="exchangedate", units="units", day=_DOTTED,
        ),
        url=(
            "https://bank.gov.ua/NBU_Exchange/exchange_site?start={from_date}&end={to_date}"
            "&sort=exchangedate&order=asc&json"
        ),
        ask={"date_format": "%Y%m%d", "chunk_days": 90},
        terms="National Bank of Ukraine, with the source named. No key.",
        about="https://bank.gov.ua/en/open-data/api-dev",
        units="units",
        only="kind = '1'",
    ),
    Bank(
        name="rb",
        title="Exchange rates of Sveriges Riksbank",
        home="SEK",
        columns=columns(currency="seriesId", rate="value"),
        url="https://api.riksbank.se/swea/v1/Observations/ByGroup/130/{from_date}/{to_date}",
        rules={"none_status": (204,)},
        terms="Sveriges Riksbank, with the source named. No key.",
        about="https://developer.api.riksbank.se/",
        currency="currency[4:6]",
        only="regexp_full_match(currency, 'SEK[A-Z]{3}PMI')",
    ),
)  # fmt: skip
