"""A count sheet on its way out, blind, and on its way back, filled."""

from dataclasses import dataclass

import pandas as pd

from tasks.domain.states import CountLineState

PLACE = ["count_id", "location_id", "goods", "condition", "lot"]
SHEET_COLUMNS = (
    "count_id", "merchant", "warehouse", "location", "sku", "barcode", "name", "condition", "lot",
    "expires_on", "quantity", "counter", "counted_at", "comment",
)  # fmt: skip
TO_FILL = ("expires_on", "quantity", "counter", "counted_at", "comment")
NO_TIME = "counted_at: found '', expected when the place was counted"


@dataclass(frozen=True)
class Matched:
    """Rows of a sheet by what they do: `filled` has the id of the line they fill, `new` becomes a line."""

    filled: pd.DataFrame
    new: pd.DataFrame


def match_rows(rows: pd.DataFrame, lines: pd.DataFrame, import_id: int) -> Matched:
    """Match the rows of one sheet to the lines of their count documents.

    `rows`: row_number, count_id, location_id, product_id Int64, sku, condition, lot, expires_on, quantity Int64,
    counter, counted_at, comment; `lines`: id and the same without row_number, expires_on and comment, with state.
    A row equal to a line, or an empty one of a known place, is dropped: it says nothing new. A row fills a line
    of its place that is ready, or one of the same counter refused before; every other row is a line of its own,
    so that two sheets of one place stand beside each other.
    """
    rows = _with_goods(rows).drop_duplicates("row_number").sort_values("row_number", ignore_index=True)
    lines = _with_goods(lines)
    empty = rows["quantity"].isna()
    known = _said(rows).isin(_said(lines)) | (empty & _index(rows, PLACE).isin(_index(lines, PLACE)))
    rows = _judged(rows[~known].assign(import_id=import_id))
    counted = rows[rows["quantity"].notna()]
    again = _pair(counted, lines[lines["state"] == CountLineState.REFUSED], [*PLACE, "person"])
    others = counted[~counted["row_number"].isin(again["row_number"])]
    first = _pair(others, lines[lines["state"] == CountLineState.READY], PLACE)
    filled = pd.concat([again, first], ignore_index=True)
    return Matched(filled, rows[~rows["row_number"].isin(filled["row_number"])])


def _with_goods(rows: pd.DataFrame) -> pd.DataFrame:
    goods = rows["product_id"].astype("Int64").astype("str").where(rows["product_id"].notna(), "sku " + rows["sku"])
    return rows.assign(goods=goods.astype("str"), person=rows["counter"].astype("str").fillna(""))


def _index(rows: pd.DataFrame, names: list[str]) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[names])


def _said(rows: pd.DataFrame) -> pd.MultiIndex:
    """Everything a row says, with a stand-in for what it leaves out."""
    quantity = rows["quantity"].astype("Int64").fillna(-1)
    moment = rows["counted_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype("str").fillna("")
    return _index(rows.assign(units=quantity, moment=moment), [*PLACE, "person", "units", "moment"])


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """State and reason: ready where nothing was counted, refused where the time is missing."""
    untimed = rows["quantity"].notna() & rows["counted_at"].isna()
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


def blind_sheet(lines: pd.DataFrame) -> pd.DataFrame:
    """The rows of a blind count sheet, in the order given: the canonical layout of `counts`, nothing of the book.

    `lines`: count code, round, merchant, warehouse, location, sku, barcode (GTIN, may be missing), name, condition,
    lot, counter (whom the sheet is addressed to, may be missing). What else the counter fills in is empty. Neither the
    book nor the rules that chose a place are on it: an empty bin to confirm would be told before it is seen.
    """
    said = lines["code"] + ("-R" + lines["round"].astype("str")).where(lines["round"] > 1, "")
    empty = pd.Series("", index=lines.index, dtype="str")
    unknown = dict.fromkeys(("expires_on", "quantity", "counted_at", "comment"), empty)
    known = {name: lines[name].astype("str").fillna("") for name in ("barcode", "counter")}
    sheet = lines.assign(count_id=said, **unknown, **known)
    return sheet[list(SHEET_COLUMNS)].reset_index(drop=True)
