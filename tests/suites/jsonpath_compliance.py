"""The public compliance suite of RFC 9535 against our part of it; run by hand.

    python tests/suites/jsonpath_compliance.py path/to/cts.json

``cts.json`` is that of https://github.com/jsonpath-standard/jsonpath-compliance-test-suite. A case in the supported
part must give the suite's nodes, in the suite's order; every other must be refused with a ``UsageError`` that names
what is not supported.
"""

from __future__ import annotations

import collections
import json
import re
import sys
from pathlib import Path
from typing import Any

from sbf_core.dataset.json_path import rows_path
from sbf_core.errors import UsageError
from sbf_core.payload.json_walk import nodes

NAMED = re.compile(r"(\w+) \([^()]+\) are not supported at letter \d+$")


def outcome(case: dict[str, Any]) -> str:
    """``right``, ``refused: what`` or ``WRONG: what`` for one case."""
    try:
        path = rows_path(case["selector"]) if case["selector"].startswith("$") else None
        if path is None:
            return "refused: no $" if case.get("invalid_selector") else "WRONG: a valid path without $"
    except UsageError as error:
        if error.code != "PATH" or not error.fix:
            return f"WRONG: refused without a word on how to mend it: {error}"
        named = NAMED.search(error.what)
        if case.get("invalid_selector"):
            return "refused: an invalid path"
        return f"refused: {named[1]}" if named else f"WRONG: refused, but not by name: {error}"
    if case.get("invalid_selector"):
        return "WRONG: an invalid path was taken"
    found = [node for _, node in nodes(case["document"], path.segments)]
    answers = case.get("results", [case.get("result")])
    return (
        "right"
        if any(json.dumps(found) == json.dumps(answer) for answer in answers)
        else f"WRONG: {found} is not {answers}"
    )


def main(cases_path: str) -> int:
    """Print the counts; 1 where one case is wrong."""
    cases = json.loads(Path(cases_path).read_text(encoding="utf-8"))["tests"]
    outcomes = [(case["name"], outcome(case)) for case in cases]
    for what, count in sorted(
        collections.Counter(found for _, found in outcomes if not found.startswith("WRONG")).items()
    ):
        print(f"{count:5} {what}")
    wrong = [(name, found) for name, found in outcomes if found.startswith("WRONG")]
    print(f"{len(cases):5} cases, {len(wrong)} wrong")
    for name, found in wrong:
        print(f"      {name}: {found}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
