"""A Singer tap in one file: ``python tap_of_tests.py --config FILE [--discover] [--catalog FILE] [--state FILE]``.

Its configuration says what it does: ``rows`` are its users, ``then`` what goes wrong.
"""

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    given = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
    config = json.loads(Path(given["--config"]).read_text())
    then = config.get("then", "")
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    if sys.argv[-1] == "--discover":
        streams = [{"tap_stream_id": name, "stream": name, "schema": dict(schema)} for name in ("users", "logs")]
        print(json.dumps({"streams": streams}))
        return
    catalog = json.loads(Path(given["--catalog"]).read_text())
    chosen = [one["stream"] for one in catalog["streams"] if one["selected"] and one["schema"]["selected"]]
    state = json.loads(Path(given["--state"]).read_text()) if "--state" in given else {"last": 0}
    if then == "fail":
        print(f"cannot log in with {config['token']}", file=sys.stderr)
        sys.exit(3)
    if then == "where":
        print(f"the configuration is {os.path.realpath(given['--config'])}", file=sys.stderr)
        sys.exit(4)
    if then == "hang":
        time.sleep(60)
    if then == "leave" and os.fork() == 0:
        time.sleep(60)
    if then == "large":
        for _ in range(2_000_000):
            print("x" * 1000)
    if then == "memory":
        bytearray(8 * 1024**3)
    if then == "chat":
        print("Hello, I am a tap.")
    for stream in chosen:
        print(json.dumps({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]}))
        for row in Path(config["rows"]).read_text().splitlines():
            number = json.loads(row)["id"]
            if number > state["last"]:
                seen = '"time_extracted": "2024-01-01T00:00:00Z"'
                print(f'{{"type": "RECORD", "stream": "{stream}", "record": {row}, {seen}}}')
                state["last"] = number
        print(json.dumps({"type": "STATE", "value": state}))


main()
