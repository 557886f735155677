"""A count sheet on its way out, blind, and on its way back, filled."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.states import CountLineState

PLACE = ["count_id", "where", "goods", "condition", "lot"]
SHEET_COLUMNS = (
    "count_id", "merchant", "warehouse", "location", "sku", "barcode", "name", "condition", "lot",
    "expires_on", "quantity", "counter", "counted_at", "comment",
)  # fmt: skip
TO_FILL = ("expires_on", "quantity", "counter", "counted_at", "comment")
MOVED = "counted_on: found a day, expected the time of day too: goods of the place moved that day"
NOT_OVER = "counted_on: found a day that is not over, expected the time of day too"
NO_TIME = "counted_at: found '', expected when the place was counted"


@dataclass(frozen=True)
class Matched:
    """Rows of a sheet by what they do: `filled` has the id of the line they fill, `new` becomes a line."""

    filled: pd.DataFrame
    new: pd.DataFrame


def match_rows(rows: pd.DataFrame, lines: pd.DataFrame, import_id: int) -> Matched:
    """Match the rows of one sheet to the lines of their count documents.

    `rows`: row_number, count_id, location_id and product_id Int64, location_code, sku, condition, lot, expires_on,
    quantity Int64, counter, counted_at, counted_on, comment; `lines`: id and the same without row_number, expires_on
    and comment, with state.
    A row equal to a line, or an empty one of a known place, is dropped: it says nothing new. A row fills a line
    of its place that is ready, or one of the same counter refused before; every other row is a line of its own,
    so that two sheets of one place stand beside each other.
    """
    rows = _with_goods(rows).drop_duplicates("row_number").sort_values("row_number", ignore_index=True)
    lines = _with_goods(lines)
    empty = rows["quantity"].isna()
    is_known = _content_key(rows).isin(_content_key(lines)) | (empty & _index(rows, PLACE).isin(_index(lines, PLACE)))
    rows = _judged(rows[~is_known].assign(import_id=import_id))
    counted = rows[rows["quantity"].notna()]
    again = _pair(counted, lines[lines["state"] == CountLineState.REFUSED], [*PLACE, "person"])
    others = counted[~counted["row_number"].isin(again["row_number"])]
    first = _pair(others, lines[lines["state"] == CountLineState.READY], PLACE)
    filled = pd.concat([again, first], ignore_index=True)
    return Matched(filled, rows[~rows["row_number"].isin(filled["row_number"])])


def _with_goods(rows: pd.DataFrame) -> pd.DataFrame:
    goods = rows["product_id"].astype("Int64").astype("str").where(rows["product_id"].notna(), "sku " + rows["sku"])
    where = rows["location_id"].astype("Int64").astype("str")
    where = where.where(rows["location_id"].notna(), "code " + rows["location_code"].astype("str"))
    person = rows["counter"].astype("str").fillna("")
    return rows.assign(goods=goods.astype("str"), where=where.astype("str"), person=person)


def _index(rows: pd.DataFrame, names: list[str]) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[names])


def _content_key(rows: pd.DataFrame) -> pd.MultiIndex:
    """Everything a row says, with a stand-in for what it leaves out."""
    quantity = rows["quantity"].astype("Int64").fillna(-1)
    moment = rows["counted_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype("str")
    moment = moment.fillna(rows["counted_on"].astype("str")).fillna("")
    return _index(rows.assign(units=quantity, moment=moment), [*PLACE, "person", "units", "moment"])


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """State and reason: ready where nothing was counted, refused where the time is missing."""
    untimed = rows["quantity"].notna() & rows["counted_at"].isna() & rows["counted_on"].isna()
    state = pd.Series(CountLineState.COUNTED.value, index=rows.index, dtype="str")
    state = state.mask(untimed, CountLineState.REFUSED.value).mask(rows["quantity"].isna(), CountLineState.READY.value)
    reason = pd.Series(NO_TIME, index=rows.index, dtype="str").where(untimed)
    return rows.assign(state=state, reason=reason)


def _pair(rows: pd.DataFrame, lines: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The first row of each key with its first line, the second with the second …; rows get the line's id."""
    numbered = rows.assign(number=rows.groupby(key).cumcount())
    lines = lines.sort_values("id")
    waiting = lines[["id", *key]].assign(number=lines.groupby(key).cumcount())
    return numbered.merge(waiting, on=[*key, "number"]).drop(columns="number")


def dated(lines: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Give counts of which only the day is known a moment, or say why they have none.

    `lines`: line_id, starts_at and ends_at (of the day, in the warehouse) and moved bool (goods of the place moved
    that day). If nothing moved, any moment of the day is as good: the last one is taken. Gives line_id, counted_at,
    state and reason.
    """
    over = lines["ends_at"] <= pd.Timestamp(as_of)
    fine = over & ~lines["moved"]
    reason = pd.Series(MOVED, index=lines.index, dtype="str").where(over, NOT_OVER).mask(fine)
    state = reason.isna().map({True: CountLineState.COUNTED.value, False: CountLineState.REFUSED.value})
    moment = (lines["ends_at"] - pd.Timedelta(seconds=1)).where(fine)
    return lines[["line_id"]].assign(counted_at=moment, state=state.astype("str"), reason=reason)


def day_bounds(days: pd.Series, zones: pd.Series) -> tuple[pd.Series, pd.Series]:
    """When each day (text) starts and ends on the clock of its zone, in UTC; a day of 23 or 25 hours included."""
    midnight = pd.to_datetime(days, format="ISO8601").dt.as_unit("s")
    starts, ends = (_on_clock(midnight + pd.Timedelta(days=more), zones) for more in (0, 1))
    return starts, ends


def _on_clock(local: pd.Series, zones: pd.Series) -> pd.Series:
    moments = pd.Series(pd.NaT, index=local.index, dtype="datetime64[s, UTC]")
    for zone in zones.unique():
        in_zone = zones == zone
        first = np.ones(int(in_zone.sum()), dtype=bool)
        moments[in_zone] = (
            local[in_zone].dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").dt.tz_convert("UTC")
        )
    return moments


def blind_sheet(lines: pd.DataFrame) -> pd.DataFrame:
    """The rows of a blind count sheet, in the order given: the canonical layout of `counts`, nothing of the book.

    `lines`: count code, round, merchant, warehouse, location, sku, barcode (GTIN, may be missing), name, condition,
    lot, counter (whom the sheet is addressed to, may be missing). What else the counter fills in is empty. Neither the
    book nor the rules that chose a place are on it: an empty bin to confirm would be told before it is seen.
    """
    count_id = lines["code"] + ("-R" + lines["round"].astype("str")).where(lines["round"] > 1, "")
    empty = pd.Series("", index=lines.index, dtype="str")
    blank = dict.fromkeys(("expires_on", "quantity", "counted_at", "comment"), empty)
    texts = {name: lines[name].astype("str").fillna("") for name in ("barcode", "counter")}
    sheet = lines.assign(count_id=count_id, **blank, **texts)
    return sheet[list(SHEET_COLUMNS)].reset_index(drop=True)
