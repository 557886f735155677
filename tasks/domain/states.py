"""The words a row's state may take, and which state may follow which.

Every list is also a CHECK of the schema, so a state that is not written here cannot be stored.
"""

from enum import StrEnum


class ImportState(StrEnum):
    """One file taken in."""

    LOADED = "loaded"
    REFUSED = "refused"


class QuarantineState(StrEnum):
    """One refused row."""

    OPEN = "open"
    CORRECTED = "corrected"


class Condition(StrEnum):
    """What a unit of stock may be used for; only `available` can be allocated."""

    AVAILABLE = "available"
    DAMAGED = "damaged"
    QUARANTINE = "quarantine"
    RETURNED = "returned"


class Purpose(StrEnum):
    """What a location is for."""

    PICK = "pick"
    RESERVE = "reserve"
    RECEIVING = "receiving"
    PACKING = "packing"
    QUARANTINE = "quarantine"
    RETURNS = "returns"


class MoveKind(StrEnum):
    """Why stock changed."""

    OPENING = "opening"
    RECEIPT = "receipt"
    SHIP = "ship"
    ADJUST = "adjust"
    COUNT = "count"
    TRANSFER = "transfer"
    RETURN = "return"
    SCRAP = "scrap"


class HoldReason(StrEnum):
    """Why an order waits."""

    PAYMENT = "payment"
    FRAUD = "fraud"
    ADDRESS = "address"
    STOCK = "stock"
    INCOMPLETE = "incomplete"  # a line of the order is in quarantine
    QUALITY = "quality"
    MANUAL = "manual"
    DUPLICATE = "duplicate"  # the same customer ordered the same goods shortly before


SETTABLE = (HoldReason.PAYMENT, HoldReason.FRAUD, HoldReason.ADDRESS, HoldReason.STOCK, HoldReason.MANUAL)


class HoldAction(StrEnum):
    """What a sheet of holds may ask for."""

    HOLD = "hold"
    RELEASE = "release"


class AllocationState(StrEnum):
    """One promise of stock to one line: consumed when shipped, released when given up."""

    OPEN = "open"
    CONSUMED = "consumed"
    RELEASED = "released"


class CountState(StrEnum):
    """One count document."""

    PLANNED = "planned"
    COUNTED = "counted"
    RECOUNT = "recount"
    REVIEW = "review"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class CountLineState(StrEnum):
    """One place of a count."""

    READY = "ready"
    COUNTED = "counted"
    MATCHED = "matched"
    POSTED = "posted"
    RECOUNT = "recount"
    REVIEW = "review"
    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "refused"
    CANCELLED = "cancelled"


COUNT_SETTLED = (CountLineState.MATCHED, CountLineState.POSTED)  # the book of the place is as it was counted


class WaveState(StrEnum):
    """One release of work to the floor."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class WaveKind(StrEnum):
    """Which orders a wave holds; on carts of a zone wave each zone is picked for itself."""

    MIXED = "mixed"
    SINGLE_LINE = "single_line"
    MULTI_LINE = "multi_line"
    ZONE = "zone"


class PickState(StrEnum):
    """One stop of a cart."""

    OPEN = "open"
    PICKED = "picked"
    SHORT = "short"
    CANCELLED = "cancelled"


class ParcelState(StrEnum):
    """One parcel, from the packing bench to the door."""

    PACKED = "packed"
    HELD = "held"
    RELEASED = "released"
    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"


class Verdict(StrEnum):
    """What an inspection decided; a parcel that was not looked at says so."""

    NOT_INSPECTED = "not_inspected"
    RELEASE = "release"
    HOLD = "hold"


class Severity(StrEnum):
    """ISO 2859-1 classes of a nonconformity."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class ReturnState(StrEnum):
    """One return merchandise authorisation."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    MANUAL = "manual"
    RECEIVED = "received"
    CLOSED = "closed"


class Disposition(StrEnum):
    """Where a returned unit goes."""

    RESTOCK = "restock"
    QUARANTINE = "quarantine"
    SCRAP = "scrap"
    NOT_RECEIVED = "not_received"


class RefundState(StrEnum):
    """One repayment; the shop's payment system pays it."""

    PROPOSED = "proposed"
    PAID = "paid"


class MessageState(StrEnum):
    """One message of the outbox."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


class AlertKind(StrEnum):
    """What an alert warns of."""

    LOW_STOCK = "low_stock"
    OVERSELL = "oversell"
    LATE = "late"
    DRIFT = "drift"
    CANCELLED_AFTER_PICK = "cancelled_after_pick"
    UNKNOWN_SKU = "unknown_sku"
    PARCEL = "parcel"
    VOLUME = "volume"
    PAID_AFTER_EXPIRY = "paid_after_expiry"
    REFUSED_FILE = "refused_file"
    QUARANTINED_ROWS = "quarantined_rows"


class FeedState(StrEnum):
    """One line of a feed: to be published, until its file is known to lie there."""

    DUE = "due"
    PUBLISHED = "published"


class AlertState(StrEnum):
    """The life of an alert; how one follows another is in `tasks.domain.stock.stock_alerts`."""

    OPEN = "open"
    SNOOZED = "snoozed"
    COVERED = "covered"
    RESOLVED = "resolved"
