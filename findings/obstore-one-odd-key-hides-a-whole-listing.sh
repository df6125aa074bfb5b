#!/usr/bin/env bash
# obstore 0.12.1 (object_store in Rust): one key with an empty step, as `drops//b.csv`, which S3 allows, makes the listing
# of its whole prefix fail: none of the other keys is given, with `list` and with `list_with_delimiter`.
# Seen: both give a.csv; once the second key is there, both raise InvalidPathError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q obstore==0.12.1 2>/dev/null
cat > "$folder/look.py" <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from obstore.store import from_url

KEYS = ["drops/a.csv"]


class S3(BaseHTTPRequestHandler):
    """Answers ListObjectsV2 as S3 does, and nothing else."""

    def do_GET(self):
        prefix = parse_qs(urlsplit(self.path).query).get("prefix", [""])[0]
        listed = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
            f'<ETag>"0123456789abcdef0123456789abcdef"</ETag><Size>1</Size></Contents>'
            for key in KEYS
            if key.startswith(prefix)
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>prices</Name><Prefix>{prefix}</Prefix><KeyCount>{len(KEYS)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), S3)
threading.Thread(target=server.serve_forever, daemon=True).start()
store = from_url(
    "s3://prices/drops", endpoint=f"http://127.0.0.1:{server.server_port}", region="us-east-1", access_key_id="k",
    secret_access_key="s", virtual_hosted_style_request=False, client_options={"allow_http": True},
    retry_config={"max_retries": 0},
)


def listed():
    ways = {"list": lambda: [one["path"] for batch in store.list() for one in batch],
            "list_with_delimiter": lambda: [one["path"] for one in store.list_with_delimiter()["objects"]]}
    for name, way in ways.items():
        try:
            print(name, way())
        except Exception as error:
            print(name, "->", type(error).__name__)


listed()
KEYS.append("drops//b.csv")
listed()
PYTHON
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
wanted="list ['a.csv']
list_with_delimiter ['a.csv']
list -> InvalidPathError
list_with_delimiter -> InvalidPathError"
[ "$seen" = "$wanted" ] || { echo "this has changed" >&2; exit 1; }
