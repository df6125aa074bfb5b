"""Statistical offices that answer in JSON-stat: where they are, and how a selection is put."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Office:
    """One office.

    Attributes:
        title: what it is called.
        url: address of a table, with ``{table}``.
        kind: ``px``: a query of PX-Web in the body; ``statbank``: that of Statistics Denmark; ``get``: codes as
            parameters of the address.
        cells_max: a query for more cells is refused by the office; 0: it does not say.
        terms, about: for readers.
    """

    title: str
    url: str
    kind: str = "px"
    cells_max: int = 0
    terms: str
    about: str


OFFICES = {
    "SSB": Office(
        title="Statistics Norway", url="https://data.ssb.no/api/v0/en/table/{table}", cells_max=800_000,
        terms="Statistics Norway, CC BY 4.0. No key.", about="https://www.ssb.no/en/api",
    ),
    "SCB": Office(
        title="Statistics Sweden", url="https://api.scb.se/OV0104/v1/doris/en/ssd/{table}", cells_max=150_000,
        terms="Statistics Sweden, CC0. No key.", about="https://www.scb.se/en/services/open-data-api/",
    ),
    "STATFIN": Office(
        title="Statistics Finland", url="https://statfin.stat.fi/PXWeb/api/v1/en/{table}", cells_max=120_000,
        terms="Statistics Finland, CC BY 4.0. No key.", about="https://stat.fi/en/statistics/statfin",
    ),
    "DST": Office(
        title="Statistics Denmark", url="https://api.statbank.dk/v1/data", kind="statbank",
        terms="Statistics Denmark, CC BY 4.0. No key.", about="https://www.dst.dk/en/Statistik/hjaelp-til-statistikbanken/api",
    ),
    "HAGSTOFA": Office(
        title="Statistics Iceland", url="https://px.hagstofa.is/pxen/api/v1/en/{table}",
        terms="Statistics Iceland, CC BY 4.0. No key.", about="https://statice.is/",
    ),
    "STATGL": Office(
        title="Statistics Greenland", url="https://bank.stat.gl/api/v1/en/{table}",
        terms="Statistics Greenland, with the source named. No key.", about="https://bank.stat.gl/",
    ),
    "EUROSTAT": Office(
        title="Eurostat", kind="get",
        url="https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data/{table}?format=JSON&lang=EN",
        terms="Eurostat, reuse with the source named. No key.",
        about="https://ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access/api-introduction",
    ),
}  # fmt: skip
