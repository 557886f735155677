"""The state of a parcel, from what its carrier reported."""

import pandas as pd

from tasks.domain.states import ParcelState

STATE_AFTER_EVENT: dict[str, ParcelState] = {  # of two events in the same second the later one in this list counts
    "info_received": ParcelState.SHIPPED,
    "in_transit": ParcelState.IN_TRANSIT,
    "out_for_delivery": ParcelState.IN_TRANSIT,
    "available_for_pickup": ParcelState.IN_TRANSIT,
    "attempt_failed": ParcelState.EXCEPTION,
    "exception": ParcelState.EXCEPTION,
    "lost": ParcelState.LOST,
    "delivered": ParcelState.DELIVERED,
    "returned_to_sender": ParcelState.RETURNED_TO_SENDER,
}


def parcel_states(events: pd.DataFrame) -> pd.DataFrame:
    """The state of each parcel, from all its events, in whatever order they arrived.

    `events`: shipment_id, code (a key of STATE_AFTER_EVENT), occurred_at. Returns shipment_id, state, event and
    happened_at (the event that decided the state, and its moment), delivered_at (missing where it was not delivered).

    Events count in the order in which they happened. Delivered stays delivered, except for a return to the sender,
    which is final: a delivery after it is the delivery to the sender. A lost parcel that is scanned again is found.
    The announcement of a parcel does not move it.
    """
    rank = {code: number for number, code in enumerate(STATE_AFTER_EVENT)}
    events = events.assign(rank=events["code"].map(rank)).sort_values(["shipment_id", "occurred_at", "rank"])
    is_return = events["code"] == "returned_to_sender"
    is_delivery = events["code"].eq("delivered") & ~is_return.groupby(events["shipment_id"]).cummax()
    events["moving"] = events["code"] != "info_received"
    last = events.sort_values(["moving"], kind="stable").groupby("shipment_id")[["code", "occurred_at"]].last()
    states = last.rename(columns={"code": "event", "occurred_at": "happened_at"})
    states["state"] = states["event"].map(STATE_AFTER_EVENT).map(str).astype("str")
    states["delivered_at"] = events[is_delivery].groupby("shipment_id")["occurred_at"].min()
    returned_at = events[is_return].groupby("shipment_id")["occurred_at"].min()
    for code, moment in (("delivered", states["delivered_at"]), ("returned_to_sender", returned_at)):
        is_final = moment.reindex(states.index).notna()
        states.loc[is_final, ["state", "event"]] = str(STATE_AFTER_EVENT[code]), code
        states.loc[is_final, "happened_at"] = moment
    return states.reset_index()[["shipment_id", "state", "event", "happened_at", "delivered_at"]]
