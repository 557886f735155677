"""The components of kits."""

import pandas as pd

EXPECTED = "expected SKU:quantity pairs with | between them, such as CUP-1:2|TRAY-1:1"


def parse_components(kits: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parse the components cell of each kit, one row per component.

    `kits`: row_number int64, components str. Returns components (row_number int64, component str, quantity int64)
    and refused rows (row_number int64, reason str); a refused kit has no components.
    """
    pairs = kits.assign(pair=kits["components"].str.split("|")).explode("pair", ignore_index=True)
    parts = pairs["pair"].str.strip().str.extract(r"^(?P<component>[^|]+?)\s*:\s*(?P<quantity>[1-9]\d{0,5})$")
    bad = parts["component"].isna() | pd.concat([pairs["row_number"], parts["component"]], axis=1).duplicated()
    refused = kits[kits["row_number"].isin(pairs.loc[bad, "row_number"])]
    reason = "components: found '" + refused["components"] + f"', {EXPECTED}, each SKU once"
    good = ~pairs["row_number"].isin(refused["row_number"])
    components = pd.concat([pairs["row_number"], parts], axis=1)[good].astype({"quantity": "int64"})
    return components, pd.DataFrame({"row_number": refused["row_number"], "reason": reason.astype("str")})
