"""The list of what was planted in the sample, and how each trouble must be found."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HEAD = """\
# The troubles planted in this week's files, each with the one way in which it must be found. The generator
# (python -m benchmarks.sample) writes this list together with the files; tests/scenarios/test_sample.py runs the
# whole day and finds every one of them and nothing else.
#
# found_as says where to look:
#   import     a delivered file, or one row of it: refused, seen, quarantined, ignored
#   order      the units promised to an order, why it is held, or how a cell of it was read
#   alert      an alert, by kind and subject          drift    where a later stock export and the ledger disagree
#   variance   a counted place, and what follows      count_line   a place of a sheet that was not compared
#   pick       a pick, by order and SKU               finding  a parcel's finding, by code
#   parcel     the state a parcel ends in             tracking     an event of a parcel nobody knows
#   return     a request that is not simply granted   receipt  what came back otherwise than agreed
#   message    a message that is not sent, and why
"""


FoundAs = Mapping[str, object]  # one way of being found


@dataclass
class TroubleList:
    """Troubles, in the order in which the day meets them."""

    entries: list[dict[str, object]] = field(default_factory=list)

    def add(self, name: str, what: str, file: str, found_as: FoundAs | Sequence[FoundAs]) -> None:
        """Plant one; `found_as` is one way of being found, or a list of all subjects it is found at."""
        if any(entry["id"] == name for entry in self.entries):
            raise ValueError(f"{name} is planted twice")
        self.entries.append({"id": name, "what": what, "file": file, "found_as": found_as})

    def write(self, path: Path) -> None:
        """Write the list as YAML, whose flow style is JSON."""
        lines = [HEAD, "troubles:"]
        for entry in self.entries:
            lines += [f"  - id: {entry['id']}", f"    what: {json.dumps(entry['what'])}", f"    file: {entry['file']}"]
            entry_findings = entry["found_as"]
            each = (
                [entry_findings]
                if isinstance(entry_findings, Mapping)
                else list(entry_findings)
                if isinstance(entry_findings, Sequence)
                else []
            )
            lines += ["    found_as:", *(f"      - {json.dumps(one, ensure_ascii=False)}" for one in each)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
