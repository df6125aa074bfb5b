"""All that a SELECT answers differently on the two ends of the supported range of DuckDB.

Found by asking both for every scalar and aggregate function over values at the edges of their types, and for casts of
some fifty spellings; docs/reference/engines.md is made from this list, and a test asks the installed engine again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sbf_core.gold import differing_errors, differing_values
from sbf_core.gold.engine_difference import EngineDifference

DIFFERENCES: Sequence[EngineDifference] = (*differing_values.DIFFERENCES, *differing_errors.DIFFERENCES)
