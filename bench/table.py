# SPDX-License-Identifier: GPL-2.0
"""The figures as a table for the terminal and the README."""

from rows import SECTIONS, x_text

TITLE_WIDTH = 33
COLUMN_WIDTH = 9


def number(value):
    """A figure in at most seven characters."""
    if value is None:
        return "-"
    for limit, divisor, suffix in ((1e8, 1e6, "M"), (1e6, 1e6, "M"), (1e5, 1e3, "k")):
        if value >= limit:
            digits = 1 if divisor == 1e6 and value < 1e8 else 0
            return f"{value / divisor:,.{digits}f} {suffix}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def heading(labels):
    """Column labels in two lines: the first word of each, and the rest."""
    words = [(label.split(" ", 1) + [""])[:2] for label in labels]
    for line in range(2):
        columns = "".join(f"{word[line]:>{COLUMN_WIDTH}}" for word in words)
        yield " " * TITLE_WIDTH + columns


def row_lines(results, row, peers):
    for x in results.xs(row.name):
        title = ", ".join(filter(None, (row.title, x_text(row, x))))
        figures = (number(results.value(row.name, peer, x)) for peer in peers)
        yield f"{title:<{TITLE_WIDTH}}" + "".join(f"{f:>{COLUMN_WIDTH}}" for f in figures)


def section_lines(results, section):
    rows = [row for row in section.rows if results.xs(row.name)]
    if not rows:
        return
    having = {peer for row in rows for peer in results.peers_of(row.name)}
    peers = [peer for peer in results.peers if peer in having]
    unit = None
    yield section.title
    yield from heading([results.peers[peer] for peer in peers])
    for row in rows:
        if row.unit != unit:
            unit = row.unit
            yield f"  [{unit}]"
        yield from row_lines(results, row, peers)
    yield ""


def ratio_lines(ratios):
    width = max((len(ratio["title"]) for ratio in ratios), default=0)
    yield f"{'Ratios':<{width}}  {'ratio':>8}  {'wanted':<14}"
    for ratio in ratios:
        verdict = "reached" if ratio["reached"] else "NOT reached"
        yield f"{ratio['title']:<{width}}  {ratio['ratio']:>8.4g}  {ratio['wanted']:<14}  {verdict}"


def text(results, ratios):
    lines = [f"{name}: {value}" for name, value in results.about.items()] + [""]
    for section in SECTIONS:
        lines += section_lines(results, section)
    lines += ratio_lines(ratios)
    return "\n".join(lines) + "\n"
