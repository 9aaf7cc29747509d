# SPDX-License-Identifier: GPL-2.0
"""The figures of a run: read from what the guest printed, kept as JSON.

A row, a peer and x identify a figure. x is a size in bytes or a number of ranges or
threads, or 0 if none matters.
"""

import json


class Results:
    def __init__(self):
        self.about = {}  # where the figures come from: "kernel", "date", ...
        self.peers = {}  # name: label, in the order of the table
        self.values = {}  # (row, peer, x): figure
        self.skipped = {}  # (row, peer): why there is no figure
        self.complete = False

    def value(self, row, peer, x=0):
        """A figure, or None."""
        return self.values.get((row, peer, x))

    def xs(self, row, peer=None):
        """All x that a row, or one peer in it, has figures for."""
        return sorted({x for r, p, x in self.values if r == row and peer in (None, p)})

    def peers_of(self, row):
        """The peers that have figures in a row, in the table's order."""
        return [p for p in self.peers if any(k[:2] == (row, p) for k in self.values)]

    def read_line(self, line):
        words = line.split()
        match words:
            case ["value", row, peer, x, value]:
                self.values[row, peer, int(x)] = float(value)
            case ["skipped", row, peer, *reason]:
                self.skipped[row, peer] = " ".join(reason)
            case ["peer", name, *label]:
                self.peers[name] = " ".join(label)
            case ["about", name, *text]:
                self.about[name] = " ".join(text)
            case ["end"]:
                self.complete = True
            case _:
                return False
        return True

    def as_json(self, ratios):
        return json.dumps(
            {
                "about": self.about,
                "peers": self.peers,
                "values": [
                    {"row": row, "peer": peer, "x": x, "value": value}
                    for (row, peer, x), value in self.values.items()
                ],
                "skipped": [
                    {"row": row, "peer": peer, "reason": reason}
                    for (row, peer), reason in self.skipped.items()
                ],
                "ratios": ratios,
            },
            indent=1,
        )


def read(paths):
    """Read the guests' output from files. Returns lines of other kinds, too."""
    results, other = Results(), []
    for path in paths:
        results.complete = False
        with open(path, encoding="utf-8", errors="replace") as lines:
            other += [line for line in lines if not results.read_line(line)]
        if not results.complete:
            break
    return results, other
