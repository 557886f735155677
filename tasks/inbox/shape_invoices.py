"""Shapes of the Online Retail invoices: one file that holds orders, credit notes and stock adjustments.

An invoice whose number begins with C is a credit note. An invoice of which every line is free and names no customer,
or a line of fewer than no units that is no credit note, adjusts the stock. All other rows are orders. Charges and
vouchers (`charges`, patterns of product codes) are not goods; an order's total counts them.
"""

import pandas as pd

from tasks.inbox.shape_cells import Options, amount, cents_text, many, positions, whole, whole_text

INVOICE, CODE, QUANTITY, PRICE, CUSTOMER = "InvoiceNo", "StockCode", "Quantity", "UnitPrice", "CustomerID"


def invoices(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The rows that are orders of goods; adds `position` in the invoice and the invoice's `total`."""
    rows = _read(cells, options)
    value = (whole(cells[QUANTITY]) * (amount(cells[PRICE]) * 10_000).round()).astype("Int64")
    total = value.groupby(rows["invoice"]).transform("sum")
    known = value.notna().groupby(rows["invoice"]).transform("all") & (total % 100 == 0)
    rows["total"] = cents_text((total // 100).where(known))
    return rows[~rows["credit"] & ~rows["adjusts"] & rows["goods"]]


def credit_notes(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The rows that take goods back, with positive units; the same goods twice in a note are added up."""
    rows = _read(cells, options)
    rows = rows[rows["credit"] & rows["goods"]]
    units = -whole(rows[QUANTITY])
    told = rows.assign(units=whole_text(units).where(units.notna(), rows[QUANTITY]))
    key = [told["invoice"], told[CODE].fillna("")]
    repeated = told.duplicated(["invoice", CODE]) & units.notna()
    whole_note = units.notna().groupby(key).transform("all")
    summed = units.groupby(key).transform("sum")
    told["units"] = whole_text(summed).where(whole_note, told["units"])
    return told[~(repeated & whole_note)]


def adjustments(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The rows that correct the stock; adds `movement`: the invoice and the line's position in it."""
    rows = _read(cells, options)
    rows["movement"] = rows["invoice"] + "-" + rows["position"]
    return rows[rows["adjusts"] & rows["goods"]]


def _read(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Every row with what it is: credit, adjusts, goods (bool), and its invoice, position and customer."""
    invoice = cells[INVOICE].str.strip().str.upper().fillna("")
    free = (amount(cells[PRICE]) == 0) & cells[CUSTOMER].isna()
    credit = invoice.str.startswith("C")
    fewer = (whole(cells[QUANTITY]) < 0).fillna(value=False).astype(bool)
    charges = "|".join(pattern.replace("*", ".*") for pattern in many(options, "charges"))
    return cells.assign(
        invoice=invoice,
        credit=credit,
        adjusts=~credit & (fewer | (free.groupby(invoice).transform("all") & (invoice != ""))),
        goods=~cells[CODE].str.strip().str.fullmatch(charges, case=False).fillna(value=False).astype(bool),
        position=positions(invoice)[1],
        customer=cells[CUSTOMER].str.strip().str.replace(r"\.0+$", "", regex=True),
    )
