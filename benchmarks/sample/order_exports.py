"""Orders as the shop systems export them: Shopify, Amazon, BigCommerce."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from benchmarks.sample.orders import Line, Order

TOO_MANY = "too many cells"  # a spoilt row with a cell of its own between the others

Row = dict[str, str]


def pounds(pence: int) -> str:
    """Such as 12.50."""
    return f"{pence // 100}.{pence % 100:02}"


def table(header: Sequence[str], rows: Iterable[Row], *, delimiter: str = ",", end: str = "\n") -> str:
    """Rows as delimited text, quoted where needed."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    for row in rows:
        cells = [row.get(name, "") for name in header]
        if TOO_MANY in row:
            cells.insert(27, row[TOO_MANY])
        writer.writerow(cells)
    return text.getvalue()


# ── Shopify ──────────────────────────────────────────────────────────────────────────────────────────────────────
def shopify_rows(orders: Iterable[Order], seen: datetime) -> list[Row]:
    """The orders as the shop knew them at `seen`: a row a line, what is said of the order on its first row only."""
    rows = []
    for order in orders:
        order_rows = [_shopify_line(order, one, seen) for one in order.lines]
        order_rows[0] |= _shopify_order(order, seen)
        order_rows[-1] |= order.spoil
        rows += order_rows
    return rows


def _past(moment: datetime | None, seen: datetime) -> datetime | None:
    return moment if moment and moment <= seen else None


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} +0000" if moment else ""


def _shopify_line(order: Order, one: Line, seen: datetime) -> Row:
    return {
        "Name": order.number,
        "Email": order.buyer.email,
        "Created at": _when(order.created),
        "Lineitem quantity": str(one.quantity),
        "Lineitem name": one.name,
        "Lineitem price": pounds(one.price),
        "Lineitem sku": one.sku,
        "Lineitem requires shipping": "true",
        "Lineitem taxable": "true",
        "Lineitem fulfillment status": "fulfilled" if _past(order.fulfilled, seen) else "pending",
        "Lineitem discount": pounds(one.discount),
        "Vendor": "Hearth & Hook",
    }


def _shopify_order(order: Order, seen: datetime) -> Row:
    refunded = _past(order.refunded_at, seen)
    fulfilled, paid = _past(order.fulfilled, seen), _past(order.paid, seen)
    return {
        "Financial Status": "refunded" if refunded else "paid" if paid else "pending",
        "Paid at": _when(paid),
        "Fulfillment Status": "fulfilled" if fulfilled else "unfulfilled",
        "Fulfilled at": _when(fulfilled),
        "Cancelled at": _when(_past(order.cancelled, seen)),
        "Refunded Amount": pounds(order.total if refunded else 0),
        **_shopify_money(order, paid=paid is not None),
        **_shopify_buyer(order),
    }


def _shopify_money(order: Order, *, paid: bool) -> Row:
    tax = order.total // 6
    return {
        "Accepts Marketing": "no",
        "Currency": "GBP",
        "Subtotal": pounds(order.goods),
        "Shipping": pounds(order.shipping),
        "Taxes": pounds(tax),
        "Total": pounds(order.total),
        "Discount Amount": "0.00",
        "Shipping Method": order.service,
        "Payment Method": "Shop Payments" if paid else "Bank Deposit",
        "Outstanding Balance": pounds(0 if paid else order.total),
        "Id": f"57{order.number[1:]}0013",
        "Risk Level": "Low",
        "Source": "web",
        "Tax 1 Name": "GB VAT 20%",
        "Tax 1 Value": pounds(tax),
    }


def _shopify_buyer(order: Order) -> Row:
    one = order.buyer
    address = {"Name": one.name, "Street": one.address1, "Address1": one.address1, "City": one.city,
               "Zip": one.postal_code, "Country": "GB", "Phone": one.phone}  # fmt: skip
    return {f"{use} {name}": cell for use in ("Billing", "Shipping") for name, cell in address.items()}


# ── Amazon ───────────────────────────────────────────────────────────────────────────────────────────────────────
def amazon_rows(orders: Iterable[Order]) -> list[Row]:
    """The report of unshipped orders: a row a line, buyers behind the marketplace's own addresses."""
    return [_amazon_row(order, number, one) for order in orders for number, one in enumerate(order.lines, start=1)]


def _amazon_row(order: Order, number: int, one: Line) -> Row:
    return {
        "order-id": order.number,
        "order-item-id": f"{order.number.replace('-', '')[-12:]}{number:02}",
        "purchase-date": f"{order.created:%Y-%m-%dT%H:%M:%S}+00:00",
        "payments-date": f"{order.paid or order.created:%Y-%m-%dT%H:%M:%S}+00:00",
        "reporting-date": "2026-03-06T13:55:00+00:00",
        "promise-date": "2026-03-09T23:59:59+00:00",
        "days-past-promise": "-3",
        "buyer-email": order.buyer.email,
        "buyer-name": order.buyer.name,
        "buyer-phone-number": order.buyer.phone,
        "sku": one.sku,
        "product-name": one.name,
        "quantity-purchased": str(one.quantity),
        "quantity-shipped": "0",
        "quantity-to-ship": str(one.quantity),
        "ship-service-level": order.service,
        "recipient-name": order.buyer.name,
        "ship-address-1": order.buyer.address1,
        "ship-city": order.buyer.city,
        "ship-postal-code": order.buyer.postal_code,
        "ship-country": "GB",
        "is-business-order": "false",
        "is-iba": "false",
        "verge-of-cancellation": "false",
        "verge-of-lateShipment": "false",
    }


def amazon_all_rows(orders: Iterable[Order]) -> list[Row]:
    """The report of all orders, here the shipped ones; every fifth was sent by the marketplace's own warehouse."""
    rows = []
    for number, order in enumerate(orders):
        theirs = number % 5 == 4
        rows += [
            {
                "amazon-order-id": order.number, "purchase-date": f"{order.created:%Y-%m-%dT%H:%M:%S}+00:00",
                "last-updated-date": f"{order.fulfilled or order.created:%Y-%m-%dT%H:%M:%S}+00:00",
                "order-status": "Shipped", "fulfillment-channel": "Amazon" if theirs else "Merchant",
                "sales-channel": "Marketplace", "ship-service-level": "Standard", "product-name": one.name,
                "sku": one.sku, "item-status": "Shipped", "quantity": str(one.quantity), "currency": "GBP",
                "item-price": pounds(one.price * one.quantity), "item-tax": "0.00", "shipping-price": "0.00",
                "ship-city": order.buyer.city, "ship-postal-code": order.buyer.postal_code, "ship-country": "GB",
                "is-business-order": "false",
            }
            for one in order.lines
        ]  # fmt: skip
    return rows


# ── BigCommerce ──────────────────────────────────────────────────────────────────────────────────────────────────
def bigcommerce_rows(orders: Iterable[Order]) -> list[Row]:
    """The trade shop's orders: a row an order, its lines packed in one cell."""
    return [_bigcommerce_row(number, order) for number, order in enumerate(orders, start=1)]


def _bigcommerce_row(number: int, order: Order) -> Row:
    one = order.buyer
    first, _, last = one.name.partition(" ")
    address = {"First Name": first, "Last Name": last, "Street 1": one.address1, "Suburb": one.city,
               "Zip": one.postal_code, "Country": "United Kingdom", "Phone": one.phone, "Email": one.email}  # fmt: skip
    return {
        "Order ID": order.number,
        "Customer ID": str(300 + number),
        "Customer Name": one.name,
        "Customer Email": one.email,
        "Customer Phone": one.phone,
        "Order Date": f"{order.created:%d/%m/%Y}",
        "Order Status": "Awaiting Fulfillment",
        **_bigcommerce_money(order),
        "Ship Method": order.service,
        "Payment Method": "Bank card",
        "Total Quantity": str(sum(each.quantity for each in order.lines)),
        "Total Shipped": "0",
        **{f"{use} {name}": cell for use in ("Billing", "Shipping") for name, cell in address.items()},
        "Product Details": "|".join(_bigcommerce_line(count, each) for count, each in enumerate(order.lines, start=1)),
        "Channel ID": "1",
        "Channel Name": "Hearth & Hook Trade",
    }


def _bigcommerce_money(order: Order) -> Row:
    gross = {"Subtotal": order.goods, "Shipping Cost": order.shipping, "Handling Cost": 0, "Order Total": order.total}
    return {
        **{f"{name} (inc tax)": pounds(pence) for name, pence in gross.items()},
        **{f"{name} (ex tax)": pounds(pence - pence // 6) for name, pence in gross.items()},
        "Tax Total": pounds(order.total // 6),
        "Order Currency Code": "GBP",
        "Exchange Rate": "1.0000000000",
        "Refund Amount": "0.00",
    }


def _bigcommerce_line(number: int, one: Line) -> str:
    return (
        f"Product ID: {900 + number}, Product Qty: {one.quantity}, Product SKU: {one.sku}, Product Name: {one.name}, "
        f"Product Weight: 0.5, Product Variation Details: , Product Unit Price: {pounds(one.price)}, "
        f"Product Total Price: {pounds(one.price * one.quantity)}"
    )
