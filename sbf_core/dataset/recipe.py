"""How a dataset is fetched when no plugin code is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from sbf_core.dataset.body_checks import BodyFacts, check_body
from sbf_core.dataset.body_names import DIMENSION, SECRET, named_in, typed_names
from sbf_core.dataset.cursor import Cursor, CursorBy
from sbf_core.dataset.pages import Pages
from sbf_core.dataset.recipe_keys import accounts, check_further_keys
from sbf_core.dataset.secret_fields import fields_path
from sbf_core.dataset.series_name import EACH
from sbf_core.dataset.templates import check_extension, check_template, placeholders
from sbf_core.errors import UsageError
from sbf_core.value import Value
from sbf_core.vocabulary import texts

if TYPE_CHECKING:
    from sbf_core.dataset.cells import Cells
    from sbf_core.dataset.poll import Poll
    from sbf_core.dataset.sign_in import SignIn

#: A wrong length cuts a body, in silence; each of them leaves a vendor waiting for more.
_FRAMING = frozenset({"content-length", "transfer-encoding"})
#: Periods of a vendor's limits, and their seconds; a month has 30 days.
PERIOD_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "month": 30 * 86400}
_LIMIT = re.compile(r"(\d{1,9})/(?:(\d{1,4}) (?=[a-z]+s$))?([a-z]+)", re.ASCII)


def limit_parts(limit: str) -> tuple[int, int]:
    """Number of requests and seconds of a limit such as ``250/day`` or ``30/10 seconds``. Raises ``UsageError`` for
    anything else.
    """
    match = _LIMIT.fullmatch(limit)
    allowed, number = (0, 0) if match is None else (int(match[1]), int(match[2] or 1))
    period = "" if match is None else match[3].removesuffix("s" if match[2] else "")
    if not allowed or not number or period not in PERIOD_SECONDS:
        raise UsageError(
            f"limit {limit!r} is not known",
            fix="write e.g. 5/second, 250/day or 30/10 seconds; periods are " + ", ".join(PERIOD_SECONDS),
            code="RECIPE",
        )
    return allowed, number * PERIOD_SECONDS[period]


@attrs.frozen(kw_only=True)
class RestRecipe(Value):
    """How a REST endpoint is asked: once for each request, or for each page, year and period of it; by GET, or, where
    it has a body, by POST.

    Attributes:
        url: address with ``{ticker}``, ``{from_date}``, ``{to_date}``, ``{year}``, ``{period}``, ``{discriminator}``;
            values are URL-quoted.
        method: ``GET`` or ``POST``; empty: POST where there is a body, else GET.
        json: the body as JSON, with placeholders in its texts, e.g. ``{"series": ["{ticker}"], "year": "{year}"}``.
            Where one request may name several tickers, an element of a list that holds ``{ticker}`` stands once for
            each; of lists within lists, an element of the innermost. A text that is ``{year:number}`` and nothing else
            becomes a number, digit by digit; ``{ticker:boolean}`` true or false, and ``{cursor:json}`` what was given
            as JSON, such as a list.
        form: the body as fields of a form, with placeholders.
        body: the body as any other text, with placeholders, and ``{secret.NAME}`` where a key goes; needs
            ``content_type``. A brace of its own has a blank behind it.
        content_type: what ``body`` is, e.g. ``text/xml``; values are escaped for XML, JSON and forms. Bodies are
            sent in UTF-8.
        extension: what the answer is stored and read as.
        headers: sent with each request; never written to the journal.
        secrets: names of query parameters and headers whose value comes from the named environment
            variable, e.g. ``{"apikey": "FMP_API_KEY"}``. They are added when the request is sent and are
            no part of the recorded address.
        secret_headers: the same for headers.
        secret_body: the same for fields of ``json`` (names with dots between) or ``form``; of ``body`` for
            ``{secret.NAME}`` in it.
        sign_in: how one signs in, where a key that is sent as it is does not do: ``ClientCredentials``,
            ``RefreshToken``, ``Login`` or ``Signature``. Tokens go to the scheme, host and port of ``url`` only.
        further_keys: keys of further accounts with the vendor: which name stands in the place of which, e.g.
            ``({"EXAMPLE_API_KEY": "EXAMPLE_API_KEY_2"},)``. All that are set are used in turn; ``limits`` hold for each
            account alone, and one that is used up or refused is left out, by its name.
        secret_fields: where a JSON answer repeats a key, e.g. ``("request.params.apikey",)``: names with dots between,
            or a path as in ``rows_at``, with wildcards. The values are taken out before the answer is kept, for good;
            every other byte stays, and the journal says which fields were masked. An answer that is no JSON is refused.
        mirrors: other addresses that hold the same data; a replay answers from them too.
        date_format: ``strftime`` format of the dates in the address; or ``s``, ``ms``, ``us`` or ``ns`` since 1970:
            ``{from_date}`` is then the first moment of its day in UTC, and ``{to_date}`` the last of its own.
        periods: the values of ``{period}``, e.g. ``("annual", "quarter")``; each is asked for.
        class_mark: what the vendor writes between a ticker and its share class: ``-`` for ``BRK-B``, ``.`` for
            ``BRK.B``; empty: tickers are sent as the universe has them.
        ticker_names: tickers that the vendor writes in another way altogether, e.g. ``{"^SPX": "^GSPC"}``; a user adds
            to them in ``[tickers.SOURCE]`` of ``sbf.toml``.
        tickers_per_request: how many tickers one request may name, for vendors who take a list; ``{ticker}`` becomes
            the list. What a vendor does not know is then missing in its answer, without an error.
        ticker_separator: what the vendor wants between them.
        pages: how an answer goes on; all pages count, or none.
        poll: how an answer is waited for that the vendor makes ready first.
        cells: how many cells one request may ask for, over the values of its dimensions; see ``Cells``.
        chunk_days: a longer stretch of days is asked for in pieces of so many, oldest first; ``{year}`` cuts at years.
            0: at once.
        cursor: what ``{cursor}`` is, for vendors who are asked for what changed, e.g.
            ``Cursor(by="moment", column="updated")``.
        rows_max: the vendor's row cap. An answer as long is asked for again in two halves of its days, or refused.
        plan: the vendor's plan that covers it, for readers.
        limits: how often the vendor may be asked, e.g. ``("30/10 seconds", "250/day")``, in all its datasets together;
            the limits of its datasets add up to one list. Kept over runs.
        connections: requests to the vendor at once, in all its datasets together; the least that any of them declares.
        redirect_hosts: hosts to which the vendor may send us on, besides its own; keys are not sent there.
        deadline_seconds: the time for one request with all its attempts and waits.
        mebibytes_max: the largest answer that is taken.
    """

    url: str
    method: str = ""
    json: Any = None
    form: Mapping[str, str] | None = None
    body: str = ""
    content_type: str = ""
    extension: str = "json"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    secrets: Mapping[str, str] = attrs.field(factory=dict)
    secret_headers: Mapping[str, str] = attrs.field(factory=dict)
    secret_body: Mapping[str, str] = attrs.field(factory=dict)
    sign_in: SignIn | None = None
    further_keys: tuple[Mapping[str, str], ...] = attrs.field(default=(), converter=accounts)
    secret_fields: tuple[str, ...] = attrs.field(default=(), converter=texts)
    mirrors: tuple[str, ...] = attrs.field(default=(), converter=texts)
    date_format: str = "%Y-%m-%d"
    periods: tuple[str, ...] = attrs.field(default=(), converter=texts)
    class_mark: str = ""
    ticker_names: Mapping[str, str] = attrs.field(factory=dict)
    tickers_per_request: int = 1
    ticker_separator: str = ","
    pages: Pages | None = None
    poll: Poll | None = None
    cells: Cells | None = None
    chunk_days: int = 0
    cursor: Cursor | None = None
    rows_max: int = 0
    plan: str = ""
    limits: tuple[str, ...] = attrs.field(default=(), converter=texts)
    connections: int = 8
    redirect_hosts: tuple[str, ...] = attrs.field(default=(), converter=texts)
    deadline_seconds: float = 120.0
    mebibytes_max: int = 512

    def __attrs_post_init__(self) -> None:
        for limit in self.limits:
            limit_parts(limit)
        if self.connections < 1 or self.deadline_seconds <= 0 or self.mebibytes_max < 1:
            raise UsageError(
                "connections, deadline_seconds and mebibytes_max must be above zero", where=self.url, code="RECIPE"
            )
        for template in (self.url, *self.mirrors):
            check_template(template, what="address", dimensions=self.dimensions)
        framing = [name for name in (*self.headers, *self.secret_headers) if name.lower() in _FRAMING]
        if framing:
            what = f"the header {framing[0]} says how a request is sent, which is for sbf to say"
            raise UsageError(what, where=self.url, fix="leave it out", code="RECIPE")
        self._check_body()
        named = self.named
        names_one = "ticker" in named or any(name.startswith(EACH) for name in named)
        if self.tickers_per_request < 1 or (self.tickers_per_request > 1 and not names_one):
            raise UsageError(
                "tickers_per_request wants {ticker} in the address or the body, and 1 at least",
                where=self.url,
                fix='json={"series": ["{ticker}"]}, also where for_each has a key of one column; or leave it out',
                code="RECIPE",
            )
        if self.poll is not None and self.pages is not None:
            what = "poll waits for one answer, and pages ask for several"
            raise UsageError(what, where=self.url, fix="leave out one of them", code="RECIPE")
        if self.cells is not None:
            self._check_cells(self.cells, named)
        if self.chunk_days < 0 or self.rows_max < 0:
            raise UsageError("chunk_days and rows_max cannot be negative", where=self.url, code="RECIPE")
        if ("period" in named) != bool(self.periods):
            raise UsageError(
                "{period} in the address or the body and periods belong together",
                where=self.url,
                fix='periods=("annual", "quarter")',
                code="RECIPE",
            )
        has_cursor = self.cursor is not None
        if ("cursor" in named) != has_cursor or (has_cursor and self._asks_otherwise(named)):
            what = (
                "{cursor} in the address or the body and cursor= belong together, without days, rows_max, and several "
                "tickers or periods"
            )
            raise UsageError(what, where=self.url, fix='cursor=Cursor(by="moment", column="updated")', code="RECIPE")
        if self.class_mark not in ("", ".", "-", "/"):
            raise UsageError(f"class_mark {self.class_mark!r} is not known", fix="use '.', '-' or '/'", code="RECIPE")
        if not self.url.startswith(("http://", "https://")):
            raise UsageError(f"address {self.url!r} is not http(s)", code="RECIPE")
        check_extension(self.extension)
        self._check_secret_fields()
        if self.sign_in is not None:
            from sbf_core.dataset.sign_in import check_sign_in  # few recipes sign in

            has_fields = self.form is not None or isinstance(self.json, Mapping)
            check_sign_in(self.sign_in, self.url, has_fields=has_fields)
        if self.further_keys:
            check_further_keys(self._first_keys, self.further_keys, where=self.url)

    def _check_body(self) -> None:
        check_body(
            BodyFacts(
                where=self.url,
                method=self.method,
                json=self.json,
                form=self.form,
                body=self.body,
                content_type=self.content_type,
                secret_body=self.secret_body,
                pages=self.pages,
                dimensions=self.dimensions,
            )
        )

    def _check_cells(self, cells: Cells, named: frozenset[str]) -> None:
        what = fix = ""
        stray = next((name for name in cells.lists if name not in named), "")
        if stray:
            what, fix = f"the dimension {stray.removeprefix(DIMENSION)!r} is not asked for", f"write {{{stray}}}"
        elif cells.per and not ({"from_date", "to_date"} <= named or "year" in named):
            what, fix = f"per {cells.per!r} counts days, and the recipe asks for none", "{from_date} and {to_date}"
        elif self.poll is not None or (self.cursor is not None and self.cursor.by is CursorBy.TOKEN):
            what, fix = "they cut a request, and neither a token nor poll goes with several", "leave one of them out"
        if what:
            raise UsageError(f"cells: {what}", where=self.url, fix=fix, code="RECIPE")

    def _check_secret_fields(self) -> None:
        if self.secret_fields and self.extension != "json":
            raise UsageError(
                "secret_fields are fields of JSON",
                where=self.url,
                fix='extension="json", or no secret_fields',
                code="RECIPE",
            )
        for field in self.secret_fields:
            fields_path(field)

    def _asks_otherwise(self, named: frozenset[str]) -> bool:
        has_several = bool(self.periods) and self.cursor is not None and self.cursor.by is CursorBy.TOKEN
        is_cut = self.rows_max > 0 or self.tickers_per_request > 1 or has_several
        return is_cut or bool(named & {"from_date", "to_date", "year"})

    @property
    def key_sets(self) -> tuple[tuple[str, ...], ...]:
        """Names of the keys that it sends: for each account with the vendor those that belong together."""
        first = self._first_keys
        return (first, *(tuple(one.get(name, name) for name in first) for one in self.further_keys))

    @property
    def _first_keys(self) -> tuple[str, ...]:
        signs_in = () if self.sign_in is None else self.sign_in.key_names
        return (*self.secrets.values(), *self.secret_headers.values(), *self.secret_body.values(), *signs_in)

    @property
    def hidden_parameters(self) -> frozenset[str]:
        """Parameters of the query that are sent and not recorded; a vendor may put them into the address of a page."""
        token = getattr(self.sign_in, "parameter", "")
        return frozenset((*self.secrets, *getattr(self.sign_in, "parameters", ()), *([token] if token else ())))

    @property
    def is_post(self) -> bool:
        """Whether it is asked by POST."""
        return self.method == "POST" or self.json is not None or self.form is not None or bool(self.body)

    @property
    def named(self) -> frozenset[str]:
        """The placeholders in its address and its body."""
        in_body = named_in([self.json, self.form, self.body]) if self.is_post else ()
        return placeholders(self.url) | {name for name in in_body if not name.startswith(SECRET)}

    @property
    def dimensions(self) -> frozenset[str]:
        """Placeholders of dimensions, which stand for their values."""
        return frozenset() if self.cells is None else frozenset(self.cells.lists)

    @property
    def keeps_json(self) -> bool:
        """Whether where it goes on is kept as JSON, and no text or number."""
        return ("cursor", "json") in typed_names(self.json)

    @property
    def makes_sets(self) -> bool:
        """Whether one request may have several answers that belong together."""
        is_cut = self.cells is not None and self.cells.makes_sets
        return self.pages is not None or bool(self.periods) or self.rows_max > 0 or is_cut

    @property
    def counts_rows(self) -> bool:
        """Whether it must be known how many rows an answer has."""
        return self.rows_max > 0 or (self.pages is not None and self.pages.counts_rows)
