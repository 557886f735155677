"""Order lines by the million: a canonical orders file with a known share of bad rows, the same for the same seed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

LINES_A_BLOCK = 250_000
START = np.datetime64("2026-01-05T06:00:00", "s")
SPOILS = ("quantity", "created_at", "email", "currency", "sku")


def write_order_lines(path: Path, lines: int, *, seed: int = 1, bad_share: float = 0.01) -> int:
    """Write `lines` canonical order lines (14 columns, about 150 bytes each) to `path`; returns how many are bad."""
    random = np.random.default_rng(seed)
    bad = 0
    with pa.OSFile(str(path), "wb") as out:
        first = 0
        while first < lines:
            count = min(LINES_A_BLOCK, lines - first)
            table, spoiled = _block(random, first, count, bad_share)
            pyarrow.csv.write_csv(
                table, out, pyarrow.csv.WriteOptions(include_header=first == 0, quoting_style="needed")
            )
            bad += spoiled
            first += count
    return bad


def _block(random: np.random.Generator, first: int, count: int, bad_share: float) -> tuple[pa.Table, int]:
    # An order of every five has two or three lines, the others one: 79 % single-line orders, as real shops have.
    orders, lines = _orders(random, first, count)
    moment = START + orders.astype("timedelta64[s]") * 3
    created = np.char.add(np.datetime_as_string(moment), "+00:00")
    paid = np.char.add(np.datetime_as_string(moment + np.timedelta64(90, "s")), "+00:00")
    columns = {
        "merchant": np.full(count, "HEARTH"),
        "order_number": np.char.add("HH-", (1_000_000 + orders).astype("U")),
        "line_number": lines.astype("U"),
        "channel": random.choice(["web", "amazon", "pos"], count, p=[0.8, 0.15, 0.05]),
        "created_at": created,
        "paid_at": paid,
        "currency": np.full(count, "GBP"),
        "sku": np.char.add("SKU-", (random.zipf(1.3, count) % 20_000).astype("U")),
        "quantity": random.integers(1, 5, count).astype("U"),
        "unit_price": np.char.mod("%.2f", random.integers(199, 9_999, count) / 100),
        "service_level": random.choice(["Standard", "Express"], count, p=[0.9, 0.1]),
        "email": np.char.add(np.char.add("customer", orders.astype("U")), "@example.com"),
        "postal_code": np.char.add("N", random.integers(1, 20, count).astype("U")),
        "country": np.full(count, "GB"),
    }
    texts = {name: values.astype(object) for name, values in columns.items()}
    rows = np.flatnonzero(random.random(count) < bad_share)
    for number, field in enumerate(SPOILS):
        texts[field][rows[number :: len(SPOILS)]] = "" if field == "sku" else "??"
    return pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()}), len(rows)


def _orders(random: np.random.Generator, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    sizes = random.choice([1, 2, 3, 4], count, p=[0.79, 0.13, 0.05, 0.03])
    ends = np.cumsum(sizes)
    order = np.searchsorted(ends, np.arange(count), side="right")
    return first + order, np.arange(count) - (ends[order] - sizes[order]) + 1
