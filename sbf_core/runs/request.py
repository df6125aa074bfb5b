"""``RunRequest``: one thing to fetch."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import attrs

#: Between the tickers of a request for several; no ticker holds it.
TICKER_SEPARATOR = ","
_SHOWN = 60


@lru_cache(maxsize=4096)  # a warehouse has few datasets and many payloads
def dataset_id_of(domain: str, source: str, dataset: str, discriminator: str) -> str:
    """An identity as text, as ``DatasetKeymapEntry.id``."""
    return f"{domain}/{source}/{dataset}{f'@{discriminator}' if discriminator else ''}"


@attrs.frozen(kw_only=True)
class RunRequest:
    """One thing to fetch, as the planner decided it.

    Attributes:
        run_id: the run that asks.
        domain, source, dataset, discriminator: the dataset's identity.
        ticker: the ticker, or None for a global dataset; where one request asks for several, all of them with ``,``
            between them.
        from_date, to_date: the days asked for, both included; None where the dataset knows no dates.
        cursor: where the last answer ended, for a dataset with a cursor: a token, or a moment as ISO 8601 in UTC; empty
            where there is none yet.
    """

    run_id: str
    domain: str
    source: str
    dataset: str
    discriminator: str = ""
    ticker: str | None = None
    from_date: dt.date | None = None
    to_date: dt.date | None = None
    cursor: str = ""

    @property
    def dataset_id(self) -> str:
        """The identity as text, as ``DatasetKeymapEntry.id``."""
        return dataset_id_of(self.domain, self.source, self.dataset, self.discriminator)

    @property
    def key(self) -> str:
        """The name of the series of fetches it belongs to, as ``DatasetKeymapEntry.key``."""
        return self.dataset_id if self.ticker is None else f"{self.dataset_id}/{self.ticker}"

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers that are asked for; none for a global dataset."""
        return () if self.ticker is None else tuple(self.ticker.split(TICKER_SEPARATOR))

    @property
    def shown_ticker(self) -> str | None:
        """``ticker`` for readers: of many the first and their number."""
        tickers = self.tickers
        return (
            self.ticker
            if self.ticker is None or len(self.ticker) <= _SHOWN
            else f"{tickers[0]} and {len(tickers) - 1} more"
        )
