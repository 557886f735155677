"""The values of states and kinds that are stored.

Each of them is also a CHECK of the schema, so that no other value can be stored.
"""

from enum import StrEnum


class ImportState(StrEnum):
    """The result of one received file."""

    LOADED = "loaded"
    REFUSED = "refused"  # as a whole; it is in the quarantine folder with its reason


class QuarantineState(StrEnum):
    """One refused row."""

    OPEN = "open"  # it waits to be corrected
    CORRECTED = "corrected"  # a later file brought the row again


class Condition(StrEnum):
    """The condition of a unit of stock; only `available` stock can be promised."""

    AVAILABLE = "available"
    DAMAGED = "damaged"
    QUARANTINE = "quarantine"  # for quality control to decide
    RETURNED = "returned"  # came back and was not graded


class Purpose(StrEnum):
    """The purpose of a location."""

    PICK = "pick"  # orders are picked from it
    RESERVE = "reserve"  # replenishes pick locations
    RECEIVING = "receiving"
    PACKING = "packing"
    QUARANTINE = "quarantine"
    RETURNS = "returns"


class MoveKind(StrEnum):
    """Why stock changed."""

    OPENING = "opening"  # the stock before the first move that is known
    RECEIPT = "receipt"
    SHIP = "ship"
    ADJUST = "adjust"  # a correction a person made
    COUNT = "count"  # a correction after a count
    TRANSFER = "transfer"  # from one location or condition to another
    RETURN = "return"
    SCRAP = "scrap"


class HoldReason(StrEnum):
    """Why an order is on hold."""

    PAYMENT = "payment"  # the payment is pending or disputed
    FRAUD = "fraud"
    ADDRESS = "address"
    STOCK = "stock"  # there is no stock for it
    INCOMPLETE = "incomplete"  # a line of the order is in quarantine
    QUALITY = "quality"
    MANUAL = "manual"  # a person set it
    DUPLICATE = "duplicate"  # the same customer ordered the same goods shortly before


SETTABLE = (HoldReason.PAYMENT, HoldReason.FRAUD, HoldReason.ADDRESS, HoldReason.STOCK, HoldReason.MANUAL)


class HoldAction(StrEnum):
    """What a sheet of holds may request."""

    HOLD = "hold"
    RELEASE = "release"


class AllocationState(StrEnum):
    """A promise of stock to an order line."""

    OPEN = "open"
    CONSUMED = "consumed"  # the goods were shipped
    RELEASED = "released"  # given up: the units can be promised again


class CountState(StrEnum):
    """One count document."""

    PLANNED = "planned"  # its sheet is written
    COUNTED = "counted"  # received, not yet reconciled
    RECOUNT = "recount"  # at least one place is to be counted again
    REVIEW = "review"  # at least one place waits for approval
    COMPLETED = "completed"  # every place is settled
    CANCELLED = "cancelled"


class CountLineState(StrEnum):
    """One place of a count."""

    READY = "ready"  # to be counted
    COUNTED = "counted"  # received, not yet reconciled
    MATCHED = "matched"  # the count equals the book
    POSTED = "posted"  # the book was adjusted to the count
    RECOUNT = "recount"  # another person counts it again
    REVIEW = "review"  # waits for approval
    APPROVED = "approved"  # to be posted
    REJECTED = "rejected"  # the book stays as it is
    REFUSED = "refused"  # cannot be reconciled, such as an unknown place
    CANCELLED = "cancelled"


COUNT_SETTLED = (CountLineState.MATCHED, CountLineState.POSTED)  # the book agrees with the count


class WaveState(StrEnum):
    """One release of orders to the floor."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class WaveKind(StrEnum):
    """Which orders a wave holds."""

    MIXED = "mixed"  # orders of any size
    SINGLE_LINE = "single_line"  # orders of one line
    MULTI_LINE = "multi_line"  # orders of several lines
    ZONE = "zone"  # each zone of the floor is picked on its own carts


class PickState(StrEnum):
    """One stop of a cart."""

    OPEN = "open"
    PICKED = "picked"
    SHORT = "short"  # fewer units than planned were found
    CANCELLED = "cancelled"


class ParcelState(StrEnum):
    """One parcel, from the packing bench to the door."""

    PACKED = "packed"  # not inspected yet
    HELD = "held"  # an inspection found something
    RELEASED = "released"  # it may leave
    SHIPPED = "shipped"  # the carrier has it
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    EXCEPTION = "exception"  # the carrier reports a problem
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"


class Verdict(StrEnum):
    """The result of an inspection."""

    NOT_INSPECTED = "not_inspected"  # nothing in the parcel was scanned
    RELEASE = "release"
    HOLD = "hold"


class Severity(StrEnum):
    """The ISO 2859-1 classes of a nonconformity."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"  # alone it does not hold a parcel


class ReturnState(StrEnum):
    """One return merchandise authorisation (RMA)."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    MANUAL = "manual"  # a person decides
    RECEIVED = "received"  # goods arrived, and some are still to come
    CLOSED = "closed"


class Disposition(StrEnum):
    """Where a returned unit goes."""

    RESTOCK = "restock"  # back to available stock
    QUARANTINE = "quarantine"  # to quality control
    SCRAP = "scrap"
    NOT_RECEIVED = "not_received"  # the box held none


class RefundState(StrEnum):
    """One refund; the shop's payment system pays it."""

    PROPOSED = "proposed"
    PAID = "paid"


class MessageState(StrEnum):
    """One message of the outbox."""

    QUEUED = "queued"  # to be sent
    SENDING = "sending"  # claimed by a sender
    SENT = "sent"  # accepted by the provider, or written on paper
    DELIVERED = "delivered"
    BOUNCED = "bounced"  # the address cannot be reached
    SUPPRESSED = "suppressed"  # it must not be sent; the reason says why
    FAILED = "failed"  # refused for good
    IN_DOUBT = "in_doubt"  # it may or may not have been sent; a person must look


class AlertKind(StrEnum):
    """What an alert warns of."""

    LOW_STOCK = "low_stock"
    OVERSELL = "oversell"  # more was sold or promised than there is
    LATE = "late"
    DRIFT = "drift"  # a stock export and the ledger disagree
    CANCELLED_AFTER_PICK = "cancelled_after_pick"  # its goods must go back to their location
    UNKNOWN_SKU = "unknown_sku"  # an ordered SKU is no product
    PARCEL = "parcel"  # a parcel needs attention
    VOLUME = "volume"
    PAID_AFTER_EXPIRY = "paid_after_expiry"  # an order was paid after it had expired
    REFUSED_FILE = "refused_file"
    QUARANTINED_ROWS = "quarantined_rows"


class FeedState(StrEnum):
    """One line of a stock feed."""

    DUE = "due"  # to be published
    PUBLISHED = "published"  # its file is known to be written


class AlertState(StrEnum):
    """The life of an alert; `tasks.domain.stock.stock_alerts` holds the transitions."""

    OPEN = "open"
    SNOOZED = "snoozed"  # silent until a day that a person set
    COVERED = "covered"  # goods that resolve it are on their way
    RESOLVED = "resolved"  # its cause is gone
