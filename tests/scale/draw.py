#!/usr/bin/env python3
"""Draws what the simulator prints: the messages and the connections of the node that has most.

    MEMLOG_LONG=1 build/openmpi/tests/scale/scale_test | tests/scale/draw.py docs/img/scale.svg

It is one picture for light and dark pages: nothing behind it, and colours that both let through."""
import subprocess
import sys

COLOURS = ["#2a7de1", "#d9730d", "#2f9e63", "#8f6ae0", "#b8860b"]
BEFORE = "#d6336c"
LINES = "#808894"


def read(lines):
    """{part: [(nodes, messages, connections)]} of the first table, that of the quicker links."""
    table, nodes_before = {}, 0
    for line in lines:
        words = line.replace("all fail", "all-fail").split()
        if len(words) != 8 or not words[0].isdigit():
            continue
        nodes = int(words[0])
        if nodes < nodes_before:
            break
        nodes_before = nodes
        table.setdefault(words[1], []).append((nodes, int(words[2]), int(words[6])))
    return table


def curves_of(table):
    """{points: names}: what has the same figures is one curve."""
    parts = [(part, [(nodes, messages) for nodes, messages, _ in table[part]])
             for part in ("end", "start", "fence", "failure", "second")]
    parts.append(("connections", [(nodes, links) for nodes, _, links in table["failure"]]))
    curves = {}
    for part, points in parts:
        curves.setdefault(tuple(points), []).append(part)
    return curves


def script(table, out):
    sizes = [nodes for nodes, _, _ in table["start"]]
    blocks, curves = [], []

    def curve(points, title, colour, dash=1):
        name = f"$c{len(blocks)}"
        blocks.append(f"{name} << EOD\n" + "".join(f"{x} {y}\n" for x, y in points) + "EOD\n")
        curves.append(f"{name} using 1:2 with lines lw 2 dt {dash} lc rgb '{colour}' notitle")
        x, y = points[-1]
        up = 1.2 if title == "end" else 1           # start is near below it
        curves.append(f"'+' every ::0::0 using ({x}):({y * up}):('  {title}') with labels left "
                      f"tc rgb '{colour}' notitle")

    for colour, (points, names) in zip(COLOURS, curves_of(table).items()):
        curve(points, ", ".join(names), colour)
    curve([(nodes, 2 * (nodes - 1)) for nodes in sizes], "failure, before", BEFORE, "'.'")
    tics = ", ".join(f"'{n}' {n}" for n in sizes if n in (2, 16, 128, 1024, 16384))
    return "".join(blocks) + f"""
set terminal svg size 760,430 dynamic font 'sans-serif,13'
set output '{out}'
set logscale xy
set xrange [2:{sizes[-1]}]
set yrange [1:{4 * sizes[-1]}]
set rmargin 21
set tmargin 2
set border 3 lc rgb '{LINES}'
set tics nomirror tc rgb '{LINES}'
set xtics ({tics})
set grid ytics lc rgb '{LINES}' lw 0.3
set xlabel 'nodes' tc rgb '{LINES}'
set label 1 'messages of the node that has most' at graph 0, 1.04 tc rgb '{LINES}'
plot {', '.join(curves)}
"""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    text = script(read(sys.stdin), sys.argv[1])
    subprocess.run(["gnuplot"], input=text, text=True, check=True)


main()
