# SPDX-License-Identifier: GPL-2.0
"""Plots of cost against size, the peers on the same axes: SVG, drawn by gnuplot.

The background is white and opaque, so that they can be read on dark pages, too.
"""

import os
import subprocess
from typing import NamedTuple

from rows import size_text

# People who see fewer colours can tell these apart (Okabe and Ito); points differ, too.
COLOURS = ["#000000", "#56b4e9", "#009e73", "#0072b2", "#999999", "#cc79a7"]
OWN_COLOURS = ["#d55e00", "#e69f00", "#8b0000", "#b8860b", "#ff4500", "#7a5200"]

# Peers with pages from the pool are drawn thick.
WIDTH, OWN_WIDTH = 1.5, 3


class Plot(NamedTuple):
    name: str
    title: str
    rows: list  # (name, what to add to the peer's label)
    x_label: str
    y_label: str
    sizes: bool = True  # x is a size; otherwise it is a number


PLOTS = [
    Plot("touch", "Allocate and touch every page", [("touch", "")],
         "size of the allocation", "guest instructions per 4 KiB page"),
    Plot("release", "Free what was touched", [("release", "")],
         "size of the allocation", "guest instructions per 4 KiB page"),
    Plot("alloc-free", "Allocate and free, untouched", [("alloc-free", "")],
         "size of the allocation", "guest instructions"),
    Plot("ranges", "Beside many live ranges of 4 KiB",
         [("ranges-alloc", ", allocate"), ("ranges-free", ", free"),
          ("ranges-touch", ", first touch")],
         "live ranges", "guest instructions", sizes=False),
    Plot("fork", "fork", [("fork", "")],
         "memory that is mapped and writable", "guest instructions"),
    Plot("fork-ranges", "fork beside allocations of 4 KiB", [("fork-ranges", "")],
         "allocations", "guest instructions", sizes=False),
    Plot("fork-exit", "Exit of a child that wrote nothing", [("fork-exit", "")],
         "memory shared with the parent", "guest instructions"),
    Plot("write-first", "The first write after fork",
         [("write-first-child", ", child"), ("write-first-parent", ", parent")],
         "memory shared by parent and child", "guest instructions"),
    Plot("write-all", "The child writes everything after fork", [("write-all", "")],
         "memory shared by parent and child", "guest instructions per 4 KiB page"),
]


def series(results, plot):
    """(peer, label, [(x, y), ...]) for each line of a plot."""
    for row, addition in plot.rows:
        for peer in results.peers_of(row):
            points = [(x, results.value(row, peer, x)) for x in results.xs(row, peer)]
            yield peer, results.peers[peer].replace("- ", "") + addition, points


def is_own(results, peer):
    return results.peers[peer].startswith("petmem")


def style(results, peer, number):
    """Colour by the peer; dashes and points by the line's number among its peer's."""
    own = is_own(results, peer)
    alike = [p for p in results.peers if is_own(results, p) == own]
    colours = OWN_COLOURS if own else COLOURS
    colour = colours[alike.index(peer) % len(colours)]
    point = 4 + list(results.peers).index(peer) % 12
    return (f"lc rgb '{colour}' lw {OWN_WIDTH if own else WIDTH} "
            f"dt {number + 1} pt {point} ps 0.8")


def all_x(drawn):
    return sorted({x for _, _, points in drawn for x, _ in points})


def place(x, xs):
    """Where x is drawn: 0 has no place on a logarithmic axis, and gets one beside it."""
    return x or min((other for other in xs if other), default=1) / 4


def x_axis(plot, xs):
    """A mark for each x that has figures, and some room on both sides."""
    names = [size_text(x) if plot.sizes else f"{x:,}" for x in xs]
    xs = [place(x, xs) for x in xs]
    marks = ", ".join(f'"{name}" {x}' for name, x in zip(names, xs))
    return [
        f"set logscale x {2 if plot.sizes else 10}",
        f"set xtics ({marks})",
        f"set xrange [{xs[0] / 1.4}:{xs[-1] * 1.4}]",
    ]


def script(results, plot, target):
    """The commands for gnuplot, or None if there is nothing to draw."""
    lines, data, count = [], [], {}
    drawn = list(series(results, plot))
    xs = all_x(drawn)
    for i, (peer, label, points) in enumerate(drawn):
        number = count[peer] = count.get(peer, -1) + 1
        data.append(f"$line{i} << END")
        data += [f"{place(x, xs)} {y}" for x, y in points]
        data.append("END")
        lines.append(f"$line{i} with linespoints {style(results, peer, number)} title '{label}'")
    if not lines:
        return None
    return "\n".join([
        "set terminal svg size 900,480 dynamic background rgb 'white' font 'sans-serif,14'",
        f"set output '{target}'",
        f"set title '{plot.title}  (Linux {results.about.get('kernel', '?')})' noenhanced",
        f"set xlabel '{plot.x_label}'",
        f"set ylabel '{plot.y_label}'",
        *x_axis(plot, xs),
        "set logscale y 10",
        "set ytics format '%.0s%c'",
        "set key outside right center vertical Left reverse noenhanced",
        "set grid xtics ytics mytics lc rgb '#bbbbbb', lc rgb '#e8e8e8'",
        "set border 3",
        "set tics nomirror",
        *data,
        "plot " + ", ".join(lines),
    ]) + "\n"


def draw(results, directory):
    """Write the plots. Returns the names of the files."""
    drawn = []
    for plot in PLOTS:
        target = os.path.join(directory, plot.name + ".svg")
        text = script(results, plot, target)
        if text:
            subprocess.run(["gnuplot"], input=text, text=True, check=True)
            drawn.append(target)
    return drawn
