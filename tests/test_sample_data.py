"""The committed sample: what the generator writes, shaped like a shop, and nobody in it exists."""

import csv
import gzip
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from project import ROOT

from benchmarks.sample.__main__ import write

SAMPLE = ROOT / "data" / "sample"
WEB = ("shopify-orders-1-monday.csv", "shopify-orders-2-wednesday.csv.gz", "shopify-orders-3-friday.csv")


def _content(path: Path) -> object:
    """A file's bytes; unpacked where the machine's compression library decides about the bytes."""
    data = path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    if path.suffix == ".gz" and "again" not in path.name:
        return gzip.decompress(data)
    return data


def _text(path: Path) -> str:
    """Everything a file says."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            return archive.read("xl/worksheets/sheet1.xml").decode()
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-16" if data[:1] in {b"\xff", b"\xfe"} else "cp1252")


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def web_lines() -> list[dict[str, str]]:
    """Every row of the web shop's three exports."""
    return [row for name in WEB for row in _rows(SAMPLE / "inbox" / "orders" / name)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    return csv.DictReader(io.StringIO(text))


def test_the_generator_writes_what_is_committed(tmp_path: Path) -> None:
    """The same seed gives the same bytes: every file of the sample, none missing and none left over."""
    write(tmp_path)
    made, committed = _files(tmp_path), _files(SAMPLE)
    assert sorted(made) == sorted(committed)
    assert [name for name, path in made.items() if _content(path) != _content(committed[name])] == []


def test_the_sample_is_small() -> None:
    """A newcomer fetches less than three megabytes."""
    assert sum(path.stat().st_size for path in _files(SAMPLE).values()) < 3_000_000


def test_the_week_is_shaped_like_a_shops(web_lines: list[dict[str, str]]) -> None:
    """About 2,000 orders, four in five of one line; a fifth of the SKUs makes up most of what is ordered."""
    last = {(row["Name"], row["Lineitem sku"]): row for row in web_lines}
    lines = Counter(name for name, _ in last)
    demand = sorted(Counter(sku for _, sku in last).values(), reverse=True)
    assert 1_850 < len(lines) < 2_000
    assert 0.76 < sum(count == 1 for count in lines.values()) / len(lines) < 0.82
    assert sum(demand[:120]) > 0.5 * sum(demand)


def test_one_order_in_fourteen_is_refunded_before_it_is_shipped(web_lines: list[dict[str, str]]) -> None:
    """Refunded, and never fulfilled."""
    last = {row["Name"]: row for row in web_lines if row["Financial Status"]}
    refunded = [row for row in last.values() if row["Financial Status"] == "refunded" and not row["Fulfilled at"]]
    assert 0.05 < len(refunded) / len(last) < 0.09


def test_a_later_export_says_more_of_the_same_orders(web_lines: list[dict[str, str]]) -> None:
    """An order that was open on Monday is there again on Wednesday, fulfilled."""
    seen: dict[str, set[str]] = {}
    for row in web_lines:
        if row["Fulfillment Status"]:
            seen.setdefault(row["Name"], set()).add(row["Fulfillment Status"])
    assert sum(states == {"unfulfilled", "fulfilled"} for states in seen.values()) > 500


def test_the_floor_has_its_places() -> None:
    """1,500 places in two warehouses, each once and with its metres; one more that cannot be read."""
    rows = list(_rows(SAMPLE / "inbox" / "locations" / "locations.csv"))
    placed = [row for row in rows if re.fullmatch(r"-?[\d.]+", row["x_m"])]
    assert len(placed) == len({(row["warehouse"], row["location"]) for row in placed}) == 1_500
    assert len(rows) == 1_501
    assert {row["warehouse"] for row in rows} == {"MAIN", "NORTH"}


def test_files_come_as_systems_write_them() -> None:
    """With and without a byte-order mark, CRLF, tabs, Windows-1252, UTF-16, packed, as workbooks."""
    inbox = SAMPLE / "inbox"
    assert (inbox / "stock/shopify-inventory-leeds.csv").read_bytes().startswith(b"\xef\xbb\xbfHandle,")
    assert b"\r\n" in (inbox / "stock/shopify-inventory-leeds.csv").read_bytes()
    assert (inbox / "picks/handhelds.txt").read_bytes()[:2] in {b"\xff\xfe", b"\xfe\xff"}
    assert b"Zo\xeb" in (inbox / "orders/amazon-unshipped.txt").read_bytes()
    assert (inbox / "orders/shopify-orders-2-wednesday.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert zipfile.is_zipfile(inbox / "counts/ldn-0306-dilys.xlsx")
    with pytest.raises(EOFError):
        gzip.decompress((inbox / "shipments/shipstation-again.csv.gz").read_bytes())


def test_nobody_in_the_sample_exists() -> None:
    """Addresses of .example domains, and telephone numbers that Ofcom keeps for drama."""
    text = "\n".join(_text(path) for path in _files(SAMPLE / "inbox").values() if "again" not in path.name)
    assert {one for one in re.findall(r"[\w.]+@[\w.-]+", text) if not one.endswith(".example")} == set()
    phones = re.findall(r"\b0[1-9][\d ]{8,12}\d\b", text)
    drama = re.compile(r"07700 900\d{3}|020 7946 0\d{3}|0113 496 0\d{3}")
    assert {one for one in phones if not drama.fullmatch(one)} == set()


def test_every_trouble_says_how_it_is_found() -> None:
    """At least forty, each of a file that is there, each in one sentence, each found in some way."""
    troubles = yaml.safe_load((SAMPLE / "manifest.yaml").read_text(encoding="utf-8"))["troubles"]
    assert len(troubles) >= 40
    assert len({one["id"] for one in troubles}) == len(troubles)
    for one in troubles:
        assert (SAMPLE / "inbox" / one["file"]).is_file(), one["id"]
        assert one["what"].endswith("."), one["id"]
        assert one["found_as"], one["id"]
