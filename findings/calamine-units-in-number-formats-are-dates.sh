#!/usr/bin/env bash
# python-calamine 0.9.1 (ECMA-376 part 1, 18.8.31): a number whose format names a currency or a unit without quotes is taken for a moment, because letters of
# the code stand in dates, too. Spreadsheet programs show 1,234 GWh.
# Seen: a date or a time for the format `#,##0 GWh`, the number 1234.0 for `#,##0 "GWh"`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q python-calamine==0.9.1 2>/dev/null
seen=$("$folder/venv/bin/python" - "$folder" <<'PY'
import sys
import zipfile
from python_calamine import CalamineWorkbook
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
for code in ("#,##0 GWh", "#,##0 &quot;GWh&quot;"):
    path = f"{sys.argv[1]}/a.xlsx"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>')
        book.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        book.writestr("xl/workbook.xml", f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>')
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>')
        book.writestr("xl/styles.xml", f'<styleSheet {MAIN}><numFmts count="1"><numFmt numFmtId="164" formatCode="{code}"/></numFmts><cellXfs count="1"><xf numFmtId="164"/></cellXfs></styleSheet>')
        book.writestr("xl/worksheets/sheet1.xml", f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1" s="0"><v>1234</v></c></row></sheetData></worksheet>')
    (row,) = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    print(type(row[0]).__name__, row[0])
PY
)
echo "$seen"
[[ "$seen" == date* && "$seen" == *$'\nfloat 1234.0' ]] || { echo "this has changed" >&2; exit 1; }
