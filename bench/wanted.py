# SPDX-License-Identifier: GPL-2.0
"""The ratios that petmem is to reach, computed from the figures of one run."""

from typing import NamedTuple

from rows import SIZE, x_text, Row

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

# Two threads need not gain more than this, even if Linux's do.
ENOUGH = 1.75


class Wanted(NamedTuple):
    """One ratio between two figures: the first has to be at most `limit` times the second,
    or at least that with `at_least`."""

    title: str
    ratio: object  # called with the results: the ratio, or None
    limit: float
    at_least: bool = False


def of(numerator, denominator):
    """The ratio of two figures, each as (row, peer, x)."""

    def ratio(results):
        top, bottom = results.value(*numerator), results.value(*denominator)
        return top / bottom if top is not None and bottom else None

    return ratio


def against(row, peer, other, x=0):
    return of((row, peer, x), (row, other, x))


def worst_growth(row, peer, first, last):
    """The largest figure of a row for x up to last, divided by that for x = first."""

    def ratio(results):
        base = results.value(row, peer, first)
        others = [results.value(row, peer, x) for x in results.xs(row, peer) if first < x <= last]
        return max(others) / base if base and results.value(row, peer, last) else None

    return ratio


def fork_lead(peer, size):
    """What Linux's fork costs for this much memory, divided by what petmem's costs. What a
    fork costs without memory is subtracted from both."""

    def ratio(results):
        costs = [results.value("fork", p, x) for p in ("linux", peer) for x in (size, 0)]
        if None in costs:
            return None
        linux, own = costs[0] - costs[1], costs[2] - costs[3]
        return linux / max(own, 1)

    return ratio


def gain(results, row, peer, threads):
    """The throughput of some threads, divided by that of one."""
    one, some = results.value(row, peer, 1), results.value(row, peer, threads)
    return one / some if one and some else None


def gain_against(row, peer, other, threads, enough=None):
    """What a peer gains by threads, divided by what the other one gains, or by `enough` if that
    is less."""

    def ratio(results):
        own, its = gain(results, row, peer, threads), gain(results, row, other, threads)
        if own is None or its is None:
            return None
        return own / (min(its, enough) if enough else its)

    return ratio


def figure(row, peer, x=0):
    return lambda results: results.value(row, peer, x)


def metadata(results):
    page = 4 * KIB
    used = results.value("metadata", "module")
    return used / page if used is not None else None


def size(x):
    return x_text(Row("", "", SIZE, ""), x)


ALL = [
    Wanted("one first touch, native / Linux 4 KiB", against("touch-one", "native", "linux"), 0.7),
    Wanted("one first touch, signal / Linux 4 KiB", against("touch-one", "signal", "linux"), 1.6),
]
for mode in ("native", "signal"):
    ALL += [
        Wanted(
            f"one first touch, {mode} / {label}", against("touch-one", mode, pager), 0.25
        )
        for pager, label in (("uffd", "userfaultfd"), ("mprotect", "SIGSEGV + mprotect"))
    ]
ALL += [
    Wanted(
        "walking 16 MiB, fault-around / Linux 4 KiB",
        against("touch", "around", "linux", 16 * MIB),
        0.35,
    ),
    Wanted("256 MiB in 2 MiB pages / hugetlbfs", against("touch", "large", "hugetlb", 256 * MIB), 1.0),
    Wanted("256 MiB in 2 MiB pages / THP", against("touch", "large", "thp", 256 * MIB), 0.5),
    Wanted("256 MiB cleared ahead / hugetlbfs", against("touch", "zeroed", "hugetlb", 256 * MIB), 0.05),
]
ALL += [
    Wanted(
        f"alloc + free of {size(x)}, petmem / mmap + munmap",
        against("alloc-free", "signal", "linux", x),
        0.2,
    )
    for x in (4 * KIB, 64 * KIB, 2 * MIB)
]
ALL += [
    Wanted(f"{what} at 100,000 ranges / at 100", worst_growth(row, "signal", 100, 100000), 2.0)
    for what, row in (
        ("alloc", "ranges-alloc"),
        ("free", "ranges-free"),
        ("first touch", "ranges-touch"),
    )
]
ALL += [
    Wanted(
        "alloc, touch, free in a full pool / an empty one",
        of(("pool-full", "signal", 0), ("pool-empty", "signal", 0)),
        2.0,
    ),
    Wanted("fork at up to 1 GiB, signal / at 0", worst_growth("fork", "signal", 0, GIB), 1.02),
    Wanted(
        "fork at up to 10,000 allocations, signal / at 1",
        worst_growth("fork-ranges", "signal", 1, 10000),
        1.02,
    ),
    Wanted("fork of 1 GiB, Linux / native, without a fork of 0", fork_lead("native", GIB), 65, True),
    Wanted("metadata / donated memory", metadata, 0.005),
]
for peer, other, label in (
    ("native", "linux", "native / Linux 4 KiB"),
    ("large", "thp", "native 2 MiB / THP"),
):
    for row, where in (("threads-own", "own areas"), ("threads-turns", "in turns")):
        ALL += [
            Wanted(
                f"gain by {threads} threads, {where}, {label}",
                gain_against(row, peer, other, threads, ENOUGH if threads == 2 else None),
                1.0,
                True,
            )
            for threads in (2, 4, 8)
        ]
    ALL += [
        Wanted(f"touch beside a free of 1 GiB, {label}", against("free-wait", peer, other, GIB), 1.0),
        Wanted(
            f"waits for a lock per 1,000 faults, own areas, {label.split(' /')[0]}",
            figure("contention-own", peer, 8),
            10,
        ),
    ]


def ratios(results):
    """The ratios for which the run has the figures, as dictionaries for JSON."""
    found = []
    for wanted in ALL:
        ratio = wanted.ratio(results)
        if ratio is None:
            continue
        reached = ratio >= wanted.limit if wanted.at_least else ratio <= wanted.limit
        found.append(
            {
                "title": wanted.title,
                "ratio": round(ratio, 4),
                "wanted": ("at least " if wanted.at_least else "at most ") + f"{wanted.limit:g}",
                "reached": reached,
            }
        )
    return found
