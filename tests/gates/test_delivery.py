"""The gate on real frames: the verdict, and documents that open anywhere and name nobody."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tasks.domain.receiving.delivery_limits import GateRules, Limit
from tasks.domain.receiving.export_kinds import KINDS
from tasks.domain.receiving.row_checks import Context, check_rows
from tasks.gates.delivery import delivery_gate

AS_OF = datetime(2026, 9, 7, 18, tzinfo=UTC)
RULES = GateRules(
    10, 5, {"rows_min": Limit(warn=1), "quarantined_share_max": Limit(warn=0.02, refuse=0.5),
            "bad_share_max": Limit(warn=0.05)},
)  # fmt: skip
TALLY = pd.DataFrame(
    [
        ("orders.quantity is at least 1 & <below> 5", "quantity", "range", 40, 4),
        ("orders.sku is there", "sku", "required", 40, 0),
    ],
    columns=["rule", "field", "check", "rows", "bad"],
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents of one refused, one warned and one faultless file."""
    folder = tmp_path_factory.mktemp("expectations")
    with delivery_gate(folder, RULES, AS_OF) as gate:
        bad = gate.judge("orders", TALLY, {"rows": 40, "quarantined_share": 0.78}, "orders <script>.csv")
        warned = gate.judge("orders", TALLY, {"rows": 40, "quarantined_share": 0.0}, "../orders.csv")
        good = gate.judge("stock", TALLY[1:], {"rows": 40, "quarantined_share": 0.0}, "stock.csv")
    assert bad.refused
    assert bad.reasons == ("31 of 40 rows (78 %) are bad; expected at most 50 %",)
    assert len(bad.warnings) == 1
    assert not warned.refused
    assert warned.warnings == bad.warnings
    assert not good.refused
    assert good.warnings == ()
    return folder / "2026-09-07"


def test_the_list_puts_the_refused_file_first(docs: Path) -> None:
    """What needs a person comes before what does not, and every link leads to a page."""
    index = (docs / "index.html").read_text(encoding="utf-8")
    assert re.findall(r">(refused|warned|met)<", index) == ["refused", "warned", "met"]
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == 3
    assert all((docs / link).is_file() for link in links)


def test_the_pages_fetch_and_run_nothing(docs: Path) -> None:
    """A page opens without a network, and neither a file's nor a rule's name can act in it."""
    pages = list(docs.glob("**/*.html"))
    assert len(pages) == 4
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script|<link [^>]*http|<img|src=|url\(", text)
        assert "<below>" not in text
        assert "Data asset" not in text
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)


def test_every_document_lies_below_the_day(docs: Path) -> None:
    """A file name that climbs the folders is only a name."""
    assert [path.name for path in docs.parent.iterdir()] == ["2026-09-07"]


def test_a_file_judged_before_needs_no_second_look(docs: Path, tmp_path: Path) -> None:
    """The same figures within the same limits: the same verdict and documents, without Great Expectations."""
    shutil.copytree(docs, tmp_path / docs.name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with delivery_gate(tmp_path, RULES, AS_OF) as gate:
        bad = gate.judge("orders", TALLY, {"rows": 40, "quarantined_share": 0.78}, "orders <script>.csv")
    assert bad.reasons == ("31 of 40 rows (78 %) are bad; expected at most 50 %",)
    assert len(bad.warnings) == 1
    assert gate.kept == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("changed", ["figures", "limits", "moment", "page"])
def test_a_file_is_judged_again_where_anything_changed(docs: Path, tmp_path: Path, changed: str) -> None:
    """Other rows, another limit, another time, or a document that is not there: Great Expectations looks again."""
    shutil.copytree(docs, tmp_path / docs.name)
    rules = replace(RULES, default=RULES.default | {"rows_min": Limit(warn=2)}) if changed == "limits" else RULES
    as_of = AS_OF + timedelta(minutes=changed == "moment")
    if changed == "page":
        next((tmp_path / docs.name / "validations").rglob("stock.html")).unlink()
    with delivery_gate(tmp_path, rules, as_of) as gate:
        rows = 41 if changed == "figures" else 40
        gate.judge("stock", TALLY[1:], {"rows": rows, "quarantined_share": 0.0}, "stock.csv")
        assert len(gate.kept) == 1
    assert next((tmp_path / docs.name / "validations").rglob("stock.html")).is_file()


def test_the_same_file_gives_the_same_documents(docs: Path, tmp_path: Path) -> None:
    """Byte for byte, whenever it is judged."""
    with delivery_gate(tmp_path, RULES, AS_OF) as gate:
        gate.judge("stock", TALLY[1:], {"rows": 40, "quarantined_share": 0.0}, "stock.csv")
    for path in (tmp_path / "2026-09-07").glob("*/stock/**/*.*"):
        if path.is_file():
            again = docs / path.relative_to(tmp_path / "2026-09-07")
            assert path.read_bytes() == again.read_bytes()


def test_each_rule_of_a_field_has_a_figure_of_its_own(tmp_path: Path) -> None:
    """Two of six quantities on hand are no numbers, and none is out of range: the page shows a third and nothing."""
    cells = {"merchant": "HEARTH", "warehouse": "MAIN", "sku": "MUG-1"}
    rows = pd.DataFrame([cells | {"on_hand": text} for text in ("1", "2", "3", "4", "six", "n/a")], dtype="str")
    tally = check_rows(KINDS["stock"], rows.assign(row_number=range(2, 8)), Context()).tally
    with delivery_gate(tmp_path, RULES, AS_OF) as gate:
        verdict = gate.judge("stock", tally, {"rows": 6}, "london-1300.csv")
    assert verdict.warnings == (
        "stock.on_hand is a whole number: broken in 2 of 6 rows (33.3 %); expected at most 5 %",
    )
    (result,) = tmp_path.rglob("results/**/stock.json")
    figures = {
        found["expectation_config"]["kwargs"]["column"]: found["result"]["observed_value"]
        for found in json.loads(result.read_text(encoding="utf-8"))["results"]
    }
    assert figures["stock.on_hand is a whole number: share of bad rows"] == pytest.approx(1 / 3)
    assert figures["stock.on_hand is at least -1,000,000, at most 1,000,000: share of bad rows"] == 0


def test_nothing_judged_leaves_nothing(tmp_path: Path) -> None:
    """A run without new files writes no document."""
    with delivery_gate(tmp_path, RULES, AS_OF):
        pass
    assert list(tmp_path.iterdir()) == []
