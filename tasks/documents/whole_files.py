"""Files of a wave for machines: JSON for handhelds, SVG maps; whole or not at all, the same bytes every time."""

import json
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> Path:
    """Write a text as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path


def write_json(path: Path, values: dict[str, Any]) -> Path:
    """Write values that JSON knows, a key a line."""
    return write_text(path, json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
