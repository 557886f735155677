"""Shapes of the Online Retail invoices: one file with orders, credit notes and stock adjustments.

An invoice whose number begins with C is a credit note. An invoice whose lines are all free and name no customer is a
stock adjustment, and so is a line of negative units that is not on a credit note. All other rows are orders. Charges
and vouchers (`charges`, patterns of product codes) are not goods, but count in the total of an order.
"""

import pandas as pd

from tasks.inbox.shape_cells import Options, amount, cents_text, list_option, positions, whole, whole_text

INVOICE, CODE, QUANTITY, PRICE, CUSTOMER = "InvoiceNo", "StockCode", "Quantity", "UnitPrice", "CustomerID"


def invoices(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The rows that are orders of goods; adds `position` (in the invoice) and `total` (of the invoice)."""
    rows = _read(cells, options)
    value = (whole(cells[QUANTITY]) * (amount(cells[PRICE]) * 10_000).round()).astype("Int64")
    total = value.groupby(rows["invoice"]).transform("sum")
    is_exact = value.notna().groupby(rows["invoice"]).transform("all") & (total % 100 == 0)
    rows["total"] = cents_text((total // 100).where(is_exact))
    return rows[~rows["credit"] & ~rows["adjusts"] & rows["goods"]]


def credit_notes(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The rows that take goods back, with positive units; repeated goods in a note are added up."""
    rows = _read(cells, options)
    rows = rows[rows["credit"] & rows["goods"]]
    units = -whole(rows[QUANTITY])
    notes = rows.assign(units=whole_text(units).where(units.notna(), rows[QUANTITY]))
    key = [notes["invoice"], notes[CODE].fillna("")]
    repeated = notes.duplicated(["invoice", CODE]) & units.notna()
    whole_note = units.notna().groupby(key).transform("all")
    summed = units.groupby(key).transform("sum")
    notes["units"] = whole_text(summed).where(whole_note, notes["units"])
    return notes[~(repeated & whole_note)]


def adjustments(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The rows that adjust the stock; adds `movement`: the invoice and the line's position in it."""
    rows = _read(cells, options)
    rows["movement"] = rows["invoice"] + "-" + rows["position"]
    return rows[rows["adjusts"] & rows["goods"]]


def _read(cells: pd.DataFrame, options: Options) -> pd.DataFrame:
    """Every row with credit, adjusts and goods (bool), and its invoice, position and customer."""
    invoice = cells[INVOICE].str.strip().str.upper().fillna("")
    is_free = (amount(cells[PRICE]) == 0) & cells[CUSTOMER].isna()
    is_credit = invoice.str.startswith("C")
    is_negative = (whole(cells[QUANTITY]) < 0).fillna(value=False).astype(bool)
    charges = "|".join(pattern.replace("*", ".*") for pattern in list_option(options, "charges"))
    return cells.assign(
        invoice=invoice,
        credit=is_credit,
        adjusts=~is_credit & (is_negative | (is_free.groupby(invoice).transform("all") & (invoice != ""))),
        goods=~cells[CODE].str.strip().str.fullmatch(charges, case=False).fillna(value=False).astype(bool),
        position=positions(invoice)[1],
        customer=cells[CUSTOMER].str.strip().str.replace(r"\.0+$", "", regex=True),
    )
