"""The words of counting, and which state of a count may follow which.

Every list is also a CHECK of the schema, like those of `tasks.domain.states`.
"""

from collections.abc import Mapping
from enum import StrEnum

from tasks.domain.states import CountLineState, CountState


class CountFinding(StrEnum):
    """What a counted place turned out to be."""

    MATCHED = "matched"
    DIFFERENCE = "difference"
    FOUND_AT_ZERO = "found_at_zero"
    UNKNOWN_SKU = "unknown_sku"
    UNKNOWN_LOCATION = "unknown_location"
    WRONG_BIN = "wrong_bin"


class CountDecision(StrEnum):
    """What becomes of a finding."""

    MATCHED = "matched"
    POSTED = "posted"
    RECOUNT = "recount"
    REVIEW = "review"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


NO_EVIDENCE = (CountDecision.SUPERSEDED, CountDecision.REJECTED)  # such a count says nothing of the record


class CountAnswer(StrEnum):
    """What a person answered to a finding in review."""

    APPROVED = "approved"
    REJECTED = "rejected"
    RECOUNT = "recount"


class ReasonCode(StrEnum):
    """Why the book is adjusted: the list of OpenBoxes' cycle counts."""

    CONSUMED = "CONSUMED"
    CORRECTION = "CORRECTION"
    DAMAGED = "DAMAGED"
    DATA_ENTRY_ERROR = "DATA_ENTRY_ERROR"
    EXPIRED = "EXPIRED"
    FOUND = "FOUND"
    MISSING = "MISSING"
    RECOUNTED = "RECOUNTED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    SCRAPPED = "SCRAPPED"
    STOLEN = "STOLEN"
    BIN_CORRECTION = "BIN_CORRECTION"
    LOT_CORRECTION = "LOT_CORRECTION"
    INCORRECT_LOT_PICKED = "INCORRECT_LOT_PICKED"
    FIX_NEGATIVE_INVENTORY = "FIX_NEGATIVE_INVENTORY"
    INBOUND_NOT_RECORDED = "INBOUND_NOT_RECORDED"
    OUTBOUND_NOT_RECORDED = "OUTBOUND_NOT_RECORDED"
    RETURN_NOT_RECORDED = "RETURN_NOT_RECORDED"
    ERROR_IN_INBOUND = "ERROR_IN_INBOUND"
    ERROR_IN_OUTBOUND = "ERROR_IN_OUTBOUND"
    BIN_LOCATION_MISSING = "BIN_LOCATION_MISSING"
    MISPLACED = "MISPLACED"
    OTHER = "OTHER"


_LINE, _COUNT = CountLineState, CountState
LINE_MAY_BECOME: Mapping[CountLineState, frozenset[CountLineState]] = {
    _LINE.READY: frozenset({_LINE.COUNTED, _LINE.REFUSED, _LINE.CANCELLED}),
    _LINE.REFUSED: frozenset({_LINE.COUNTED}),
    _LINE.COUNTED: frozenset({_LINE.MATCHED, _LINE.POSTED, _LINE.RECOUNT, _LINE.REVIEW, _LINE.APPROVED,
                              _LINE.REJECTED, _LINE.REFUSED}),
    _LINE.RECOUNT: frozenset({_LINE.MATCHED, _LINE.POSTED, _LINE.REVIEW, _LINE.APPROVED, _LINE.REJECTED}),
    _LINE.REVIEW: frozenset({_LINE.POSTED, _LINE.MATCHED, _LINE.RECOUNT, _LINE.REJECTED, _LINE.COUNTED}),
    _LINE.MATCHED: frozenset(), _LINE.POSTED: frozenset(), _LINE.APPROVED: frozenset(), _LINE.REJECTED: frozenset(),
    _LINE.CANCELLED: frozenset(),
}  # fmt: skip
COUNT_MAY_BECOME: Mapping[CountState, frozenset[CountState]] = {
    _COUNT.PLANNED: frozenset({_COUNT.COUNTED, _COUNT.RECOUNT, _COUNT.REVIEW, _COUNT.COMPLETED, _COUNT.CANCELLED}),
    _COUNT.COUNTED: frozenset({_COUNT.RECOUNT, _COUNT.REVIEW, _COUNT.COMPLETED, _COUNT.CANCELLED}),
    _COUNT.RECOUNT: frozenset({_COUNT.COUNTED, _COUNT.REVIEW, _COUNT.COMPLETED, _COUNT.CANCELLED}),
    _COUNT.REVIEW: frozenset({_COUNT.COUNTED, _COUNT.RECOUNT, _COUNT.COMPLETED, _COUNT.CANCELLED}),
    _COUNT.COMPLETED: frozenset({_COUNT.COUNTED, _COUNT.RECOUNT, _COUNT.REVIEW}),  # another sheet of it comes back
    _COUNT.CANCELLED: frozenset(),
}
