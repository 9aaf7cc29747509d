# SPDX-License-Identifier: GPL-2.0
"""The titles of the rows, what their x is, and what their figures count."""

from typing import NamedTuple

INSTRUCTIONS = "guest instructions"
PER_PAGE = "guest instructions per 4 KiB page"
IDLE = "nanoseconds for others to run, at one an instruction"
BYTES = "bytes of Linux's memory per donated page"
PER_PAGE_TIME = "nanoseconds per 4 KiB page, all threads together"
PER_PAIR_TIME = "nanoseconds per allocation and free, all threads together"
NANOSECONDS = "nanoseconds"
WAITS = "waits for a lock per 1,000 faults"

NOTHING, SIZE, RANGES, THREADS = range(4)


class Row(NamedTuple):
    name: str
    title: str
    x: int  # what x is
    unit: str


class Section(NamedTuple):
    title: str
    rows: list


SECTIONS = [
    Section(
        "First touch",
        [
            Row("touch-one", "one page", NOTHING, INSTRUCTIONS),
            Row("touch-new-table", "one page, new table", NOTHING, INSTRUCTIONS),
            Row("touch", "allocate and touch", SIZE, PER_PAGE),
            Row("release", "free what was touched", SIZE, PER_PAGE),
        ],
    ),
    Section(
        "Allocation without a touch",
        [Row("alloc-free", "allocate and free", SIZE, INSTRUCTIONS)],
    ),
    Section(
        "Beside many ranges of 4 KiB",
        [
            Row("ranges-alloc", "allocate 4 KiB", RANGES, INSTRUCTIONS),
            Row("ranges-free", "free 4 KiB", RANGES, INSTRUCTIONS),
            Row("ranges-touch", "first touch", RANGES, INSTRUCTIONS),
            Row("pool-empty", "all, in an empty pool", NOTHING, INSTRUCTIONS),
            Row("pool-full", "all, in a full pool", NOTHING, INSTRUCTIONS),
        ],
    ),
    Section(
        "fork",
        [
            Row("fork", "fork", SIZE, INSTRUCTIONS),
            Row("fork-ranges", "fork, ranges of 4 KiB", RANGES, INSTRUCTIONS),
            Row("fork-exit", "exit of the child", SIZE, INSTRUCTIONS),
            Row("fork-exit-wait", "waiting in exit", SIZE, IDLE),
            Row("write-first-child", "first write, child", SIZE, INSTRUCTIONS),
            Row("write-first-parent", "first write, parent", SIZE, INSTRUCTIONS),
            Row("write-all", "write everything", SIZE, PER_PAGE),
        ],
    ),
    Section("Memory", [Row("metadata", "metadata", NOTHING, BYTES)]),
    Section(
        "Threads that work at once",
        [
            Row("threads-own", "touch areas of their own", THREADS, PER_PAGE_TIME),
            Row("threads-turns", "touch one area in turns", THREADS, PER_PAGE_TIME),
            Row("threads-alloc", "allocate and free 4 KiB", THREADS, PER_PAIR_TIME),
            Row("free-wait", "touch beside a free", SIZE, NANOSECONDS),
            Row("contention-own", "areas of their own", THREADS, WAITS),
            Row("contention-turns", "one area in turns", THREADS, WAITS),
        ],
    ),
]


def size_text(size):
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return str(size)


def x_text(row, x):
    if row.x == SIZE:
        return size_text(x)
    return f"{x:,}" if row.x != NOTHING else ""
