"""Figures of the floor: record accuracy, shrinkage, picks, inspected parcels, received files (K4, K5, K12).

Frames: columns as in `tasks.store.reporting.figure_rows`, limited to the period.
"""

import pandas as pd

from tasks.domain.reporting.figures import Figure, Mistake, Period, share

_STOCK_PLACE_KEY = ["warehouse", "location", "merchant", "sku", "condition", "lot"]
CONTENT_FAULTS = ("wrong_item", "wrong_quantity", "missing_item", "extra_item", "missing", "unexpected", "quantity",
                  "short", "over")  # fmt: skip


def record_accuracy(counted: pd.DataFrame, when: Period) -> list[Figure]:
    """K4. Hit or miss per counted place, never netted: by place over all and by ABC class, and by absolute value.

    `counted`: warehouse, location, merchant, sku, condition, lot, abc_class str, counted_at, expected, counted_units,
    difference int64, within_tolerance bool, unit_cost_minor. Stock found where the record has none is a miss at
    any tolerance.
    """
    is_unrecorded = (counted["expected"] <= 0) & (counted["difference"] != 0)
    rows = counted.assign(counted=counted["within_tolerance"] & ~is_unrecorded)
    rows = rows.sort_values([*_STOCK_PLACE_KEY, "counted_at"], ignore_index=True)
    day, nothing = when.days(rows["counted_at"]), "nothing was counted"
    about = "Counted places whose record was within tolerance, of all places counted in these days; differences are "
    about += "never netted, and stock found where the record had none is a miss."
    figures = [share("record_accuracy", "Record accuracy", Mistake.RECORDS, about, rows, day=day, nothing=nothing)]
    for letter in sorted(set(rows["abc_class"].dropna()) & set("ABC")):
        of_class = rows[rows["abc_class"] == letter]
        key, name = f"record_accuracy_{letter.lower()}", f"Record accuracy, class {letter}"
        about_class = f"The same, for products of class {letter}."
        figures.append(share(key, name, Mistake.RECORDS, about_class, of_class, day=day[of_class.index]))
    return [*figures, _accuracy_by_value(rows, day)]


def _accuracy_by_value(rows: pd.DataFrame, day: pd.Series) -> Figure:
    cost = rows["unit_cost_minor"].astype("Float64")
    valued = rows.assign(
        value=(rows["expected"].clip(lower=0) * cost).astype("Float64"),
        off=(rows["difference"].abs() * cost).astype("Float64"),
    )[cost.notna()]
    kept = valued.assign(right=(valued["value"] - valued["off"]).clip(lower=0))
    return share(
        "record_accuracy_value", "Record accuracy, by value", Mistake.RECORDS,
        "The recorded value less the absolute value of every difference (never below zero), of the recorded value, "
        "at cost, in these days.",
        kept, day=day[kept.index], weight="value", counted_weight="right",
        nothing="nothing counted has a cost",
    )  # fmt: skip


def shrinkage(counted: pd.DataFrame) -> list[Figure]:
    """K5. Units missing and found by counts: absolute and net, in units and in value.

    `counted` as for `record_accuracy`, with decision, value_minor and currency; only what was posted is shrinkage.
    """
    posted = counted[(counted["difference"] != 0) & counted["posted"]].assign(counted=True)
    nothing = "" if len(counted) else "nothing was counted"
    units = posted["difference"]
    figures = [
        Figure("shrink_units_net", "Stock adjusted by counts, net", Mistake.RECORDS,
               "Units found less units missing, over all differences posted in these days.",
               float(units.sum()) if not nothing else None, unit="count", missing=nothing, drill=posted),
        Figure("shrink_units_absolute", "Stock adjusted by counts, absolute", Mistake.RECORDS,
               "Units found plus units missing.",
               float(units.abs().sum()) if not nothing else None, unit="count", missing=nothing, drill=posted),
    ]  # fmt: skip
    for currency, rows in posted[posted["value_minor"].notna()].groupby("currency", sort=True):
        value = rows["value_minor"].astype("float64")
        figures += [
            Figure(f"shrink_value_net_{currency}", f"Value adjusted, net ({currency})", Mistake.RECORDS,
                   "The same at cost: the value found less the value missing.", float(value.sum()),
                   unit=f"money {currency}", drill=rows),
            Figure(f"shrink_value_absolute_{currency}", f"Value adjusted, absolute ({currency})", Mistake.RECORDS,
                   "The same at cost: the value found plus the value missing.", float(value.abs().sum()),
                   unit=f"money {currency}", drill=rows),
        ]  # fmt: skip
    return figures


def picks(stops: pd.DataFrame, when: Period) -> Figure:
    """K12. `stops`: merchant, order_number, sku, location, warehouse, wave, state, short_reason, picked_at."""
    rows = stops.assign(counted=stops["state"] == "short")
    return share("short_pick_rate", "Short picks", Mistake.RECORDS,
                 "Stops at which fewer units than planned were found, of all stops picked in these days.", rows,
                 day=when.days(rows["picked_at"]), nothing="no pick was reported")  # fmt: skip


def inspections(inspected: pd.DataFrame, when: Period) -> list[Figure]:
    """K12. Pick accuracy as the packing bench sees it, and parcels held.

    `inspected`: merchant, order_number, parcel, inspected_at, verdict str, wrong_content, findings int64; only
    inspected parcels count toward accuracy.
    """
    looked_at = inspected[inspected["verdict"] != "not_inspected"]
    day = when.days(looked_at["inspected_at"])
    return [
        share("pick_accuracy", "Parcels with the right content", Mistake.QUALITY,
              "Inspected parcels that held exactly what was ordered, of all parcels inspected in these days.",
              looked_at.assign(counted=looked_at["wrong_content"] == 0), day=day, nothing="no parcel was inspected"),
        share("parcel_hold_rate", "Parcels held", Mistake.QUALITY,
              "Inspected parcels that were held back, of all parcels inspected in these days.",
              looked_at.assign(counted=looked_at["verdict"] == "hold"), day=day, nothing="no parcel was inspected"),
        share("inspected_share", "Parcels inspected", Mistake.QUALITY,
              "Parcels that were inspected, of all parcels judged in these days.",
              inspected.assign(counted=inspected["verdict"] != "not_inspected"),
              day=when.days(inspected["inspected_at"]), nothing="no parcel was packed"),
    ]  # fmt: skip


def imports(files: pd.DataFrame, when: Period) -> list[Figure]:
    """Import health. `files`: kind, file_name, source, layout, state, received_at, rows_in, rows_quarantined."""
    day = when.days(files["received_at"])
    loaded = files[files["state"] == "loaded"]
    return [
        share("quarantine_rate", "Rows quarantined", Mistake.QUALITY,
              "Rows refused, of all rows of the files loaded in these days.",
              loaded.assign(counted=loaded["rows_quarantined"] > 0), day=day[loaded.index], weight="rows_in",
              counted_weight="rows_quarantined", nothing="no file was loaded"),
        share("refused_files", "Files refused", Mistake.QUALITY,
              "Files refused as a whole, of all files delivered in these days.",
              files.assign(counted=files["state"] == "refused"), day=day, nothing="no file was delivered"),
    ]  # fmt: skip
