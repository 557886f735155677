"""Rules that several queries ask, written once in SQL.

Where the domain has the same rule, tests/store/test_sql_rules.py holds the two equal.
"""

from sqlalchemy import ColumnElement, and_, func, or_

from tasks.store.schema import orders, products

IS_REFUNDED: ColumnElement[bool] = func.coalesce(  # order_states.is_refunded
    and_(orders.c.refunded_minor > 0, orders.c.refunded_minor >= orders.c.total_minor), False
)
IS_CLOSED: ColumnElement[bool] = or_(orders.c.cancelled_at.is_not(None), orders.c.fulfilled_at.is_not(None))
NEEDS_NOTHING: ColumnElement[bool] = or_(IS_CLOSED, IS_REFUNDED)  # nothing is to be sent for such an order any more
UNIT_VALUE_MINOR: ColumnElement[int] = func.coalesce(products.c.unit_cost_minor, products.c.unit_price_minor)
