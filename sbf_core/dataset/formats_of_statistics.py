"""What statistical offices send, as declared on a dataset: JSON-stat, and SDMX as JSON, CSV or XML.

``DatasetKeymapEntry(format=SdmxCsv())``. How each is read is told in ``sbf_core/payload``, one module a format.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from sbf_core.dataset.formats import check_marks
from sbf_core.errors import UsageError
from sbf_core.value import Value


@attrs.frozen(kw_only=True)
class JsonStat(Value):
    """JSON-stat 2.0 (https://json-stat.org/full): a cube of values, of which each cell is a row.

    Fields: each dimension's id gives the id of the category, ``<id>.label`` its label; ``value``, ``status`` and
    ``updated``.

    Attributes:
        dataset: of a collection, the label or address of the wanted dataset; empty: the only one.
        decimal, thousands: marks of numbers that stand as texts; numbers of JSON always have a point.
    """

    kind: ClassVar[str] = "json_stat"
    dataset: str = ""
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class SdmxJson(Value):
    """SDMX-JSON data messages 1.0 and 2.0 (https://github.com/sdmx-twg/sdmx-json): each observation is a row.

    Fields: the id of each dimension, measure and attribute gives a code or a value, ``<id>.name`` the name of a code;
    ``value`` is the only measure; ``action``,
    ``validFrom`` and ``validTo`` are those of the data set, ``prepared`` that of the message.

    Attributes:
        decimal, thousands: marks of numbers that stand as texts; numbers of JSON always have a point.
    """

    kind: ClassVar[str] = "sdmx_json"
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class SdmxCsv(Value):
    """SDMX-CSV data messages 1.0 and 2.0 (https://github.com/sdmx-twg/sdmx-csv): each line is an observation, each
    column a text by its exact name.

    Attributes:
        delimiter: between fields; a semicolon in some locales.
        labels: the message was asked for with ``labels=both``: ``A: Annual`` gives the code ``A`` as the field and
            ``Annual`` as the field with ``.name`` behind its id,
            and what stands there as that with ``.text``.
        decimal, thousands: marks in numbers.
    """

    kind: ClassVar[str] = "sdmx_csv"
    delimiter: str = ","
    labels: bool = False
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            raise UsageError(
                f"delimiter {self.delimiter!r} is no single character", fix="SdmxCsv(delimiter=';')", code="FORMAT"
            )
        check_marks(self.decimal, self.thousands)


@attrs.frozen(kw_only=True)
class SdmxMl(Value):
    """SDMX-ML data messages 2.0, 2.1 and 3.0 (https://github.com/sdmx-twg/sdmx-ml): each observation is a row.

    Fields: the id of each dimension and attribute; ``value``, which is also ``OBS_VALUE``; ``action``, ``prepared``,
    and the XML attributes of the data set.

    Attributes:
        decimal, thousands: marks of numbers; the standard's always have a point.
    """

    kind: ClassVar[str] = "sdmx_ml"
    decimal: str = "."
    thousands: str = ""

    def __attrs_post_init__(self) -> None:
        check_marks(self.decimal, self.thousands)
