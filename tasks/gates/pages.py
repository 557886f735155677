"""Makes Data Docs open offline: pages fetch nothing from the network, and the list of files is a plain table."""

import html
import json
import re
from pathlib import Path

_MARK = "<!-- closed off -->"
_STYLE = """<style>
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:68rem;padding:1rem 1.5rem;color:#1b1f24}
h1{font-size:1.5rem}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
td,th{border:1px solid #d5d9de;padding:.35rem .6rem;text-align:left;vertical-align:top}
.text-success,.ok{color:#1a7f37}.text-danger,.bad{color:#b3261e}.text-warning{color:#8a5a00}
.fa-check-circle:before{content:"\\2714"}.fa-times:before{content:"\\2718"}
.fa-exclamation-triangle:before{content:"\\26A0"}
.cooltip .top{display:none}footer,.ge-action-card,.modal,.navbar-brand,button{display:none!important}
.col-lg-2{display:none}.sticky{position:static}ul.nav{list-style:none}
</style>"""
_TAKEN_OUT = (  # downloads, scripts, links to pages that are not built, random ids
    r"<script\b[^>]*>.*?</script>",
    r"<link\b[^>]*https?://[^>]*>",
    r"<img\b[^>]*https?://[^>]*>",
    r"<footer\b.*?</footer>",
    r"url\(['\"]?https?:[^)]*\)",
    r"<br> Data asset: None",
    r"<p class=\"m-0\">\s*<a data-toggle=\"collapse\".*?</p>",
    r"<a href=\"[./]*/expectations/[^>]*>",
    r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
)


def close_off(page: Path) -> None:
    """Remove everything that a page would download or run, and give it its own style."""
    text = page.read_text(encoding="utf-8")
    if _MARK in text:
        return
    for pattern in _TAKEN_OUT:
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    page.write_text(text.replace("</head>", f"{_STYLE}{_MARK}</head>", 1), encoding="utf-8")


def is_closed_off(page: Path) -> bool:
    """Whether the page exists and is closed off."""
    return page.is_file() and _MARK in page.read_text(encoding="utf-8")


def index_page(docs: Path) -> Path:
    """Write the list of all judged files, the refused ones first, each with a link to its document."""
    rows = sorted(_row(docs, result) for result in docs.glob("results/**/*.json"))
    page = docs / "index.html"
    page.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Files against their expectations</title>'
        f"{_STYLE}</head><body><h1>Files against their expectations</h1><table>"
        "<tr><th>Result</th><th>Kind</th><th>File</th><th>Received (UTC)</th><th>Expectations met</th></tr>"
        + "".join(row for *_, row in rows)
        + "</table></body></html>\n",
        encoding="utf-8",
    )
    return page


def _row(docs: Path, result: Path) -> tuple[int, str, str]:
    results = json.loads(result.read_text(encoding="utf-8"))
    kind, name, moment = result.relative_to(docs / "results").parts[:3]
    broken = [outcome["expectation_config"]["severity"] for outcome in results["results"] if not outcome["success"]]
    order, state, style = (0, "refused", "bad") if "critical" in broken else _loaded(broken)
    link = Path("validations") / result.relative_to(docs / "results").with_suffix(".html")
    cells = (kind, name, f"{moment[:4]}-{moment[4:6]}-{moment[6:8]} {moment[9:11]}:{moment[11:13]}")
    columns = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    met = f"{len(results['results']) - len(broken)} of {len(results['results'])}"
    row = f'<tr><td class="{style}"><a href="{html.escape(str(link))}">{state}</a></td>{columns}<td>{met}</td></tr>\n'
    return order, f"{moment}/{kind}/{name}", row


def _loaded(broken: list[str]) -> tuple[int, str, str]:
    return (1, "warned", "text-warning") if broken else (2, "met", "ok")
