"""All formats that a dataset can declare, and their kinds."""

from __future__ import annotations

from sbf_core.dataset.formats import Csv, Json, Parquet
from sbf_core.dataset.formats_of_statistics import JsonStat, SdmxCsv, SdmxJson, SdmxMl
from sbf_core.dataset.formats_of_tables import Excel, FixedWidth, Sections
from sbf_core.dataset.singer import Singer

Format = Csv | Excel | FixedWidth | Json | JsonStat | Parquet | SdmxCsv | SdmxJson | SdmxMl | Sections | Singer
#: By their kind, as TOML names them: ``format = {kind = "csv", delimiter = ";"}``.
FORMATS: dict[str, type[Format]] = {
    declared.kind: declared
    for declared in (Csv, Excel, FixedWidth, Json, JsonStat, Parquet, SdmxCsv, SdmxJson, SdmxMl, Sections, Singer)
}
