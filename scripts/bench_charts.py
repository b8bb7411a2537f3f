# SPDX-License-Identifier: Apache-2.0
"""The charts of scripts/bench_table.py: SVG by hand, readable on light and on dark pages, the same bytes for the same result."""

import math
import statistics
from html import escape

WIDTH = 900
ALT = {
    "cost": "What a record costs the program that emits it, by rival, on a logarithmic scale",
    "producers": "What a record costs by the number of producers that emit at once",
    "latency": "How many operations take longer than so many nanoseconds",
}
PALETTE = ("#2f7ed8", "#e07b00", "#2a9d5c", "#d1495b", "#8a5cd6", "#1b9aaa", "#a8763e", "#808080", "#c2569b", "#6f8f00")
OF_GROUP = {"shmring": "#2f7ed8", "rival": "#e07b00", "floor": "#808080"}
# Without the query, in viewers that do not know it, the colors can be read on both.
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-size: 15px; font-weight: 600 }
.note { font-size: 11px }
.grid { stroke: #8c959f; stroke-opacity: 0.35; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d7e0 }
}
</style>"""


def plain(label):
    return label.replace("`", "")


def short(value):
    """1, 10, 1 us, 1 ms."""
    for limit, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if value >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.3g} ns"


class Log:
    """A logarithmic axis from `low` to `high`, drawn between two places of the picture."""

    def __init__(self, low, high, begin, end):
        self.low, self.high = math.floor(math.log10(low)), math.ceil(math.log10(high))
        self.begin, self.end = begin, end

    def __call__(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


class Picture:
    def __init__(self, height, title, result):
        note = f"{result['date']}, {result['machine']}, commit {result['commit']}: {result['command']}"
        self.height = height
        self.parts = [STYLE]
        self.text(16, 24, title, css="title")
        self.text(16, height - 10, note, css="note")

    def text(self, x, y, words, anchor="start", css="", color=""):
        extra = (f' class="{css}"' if css else "") + (f' style="fill: {color}"' if color else "")
        self.parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}"{extra}>{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, css="grid", color=""):
        look = f' stroke="{color}" stroke-width="2"' if color else f' class="{css}"'
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{look}/>')

    def dot(self, x, y, color, is_hollow=False):
        fill = f'fill="none" stroke="{color}" stroke-width="1.5"' if is_hollow else f'fill="{color}"'
        self.parts.append(f'<circle cx="{x}" cy="{y}" r="4" {fill}/>')

    def path(self, points, color):
        way = " ".join(f"{x},{y}" for x, y in points)
        self.parts.append(f'<polyline points="{way}" fill="none" stroke="{color}" stroke-width="2"/>')

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
                f'height="{self.height}">\n' + "\n".join(self.parts) + "\n</svg>\n")


def cost(result):
    """A dot for each row of one producer, the cheapest first; a ring where its lowest visit was."""
    rows = [row for row in result["rows"] if row["group"] in OF_GROUP and row["producers"] == 1 and "ns" in row]
    rows = sorted(((statistics.median(row["ns"]), min(row["ns"]), row) for row in rows if row["name"] != "nothing"),
                  key=lambda entry: entry[0])
    top, step, left = 64, 20, 440
    picture = Picture(top + step * len(rows) + 56, "What a record costs the program that emits it: nanoseconds, median", result)
    axis = Log(1, max(entry[0] for entry in rows), left, WIDTH - 80)
    bottom = top + step * len(rows)
    for tick in axis.ticks():
        picture.line(axis(tick), top - 8, axis(tick), bottom)
        picture.text(axis(tick), bottom + 16, short(tick), "middle")
    for at, (group, words) in enumerate((("shmring", "shmring"), ("rival", "rivals"), ("floor", "the machine itself"))):
        picture.dot(left + 150 * at, 42, OF_GROUP[group])
        picture.text(left + 150 * at + 10, 46, words)
    for number, (median, lowest, row) in enumerate(rows):
        y, color = top + step * number + step // 2, OF_GROUP[row["group"]]
        picture.text(left - 12, y + 4, plain(row["label"]), "end")
        picture.line(left, y, axis(max(median, 1)), y, color=color)
        picture.dot(axis(max(lowest, 1)), y, color, is_hollow=True)
        picture.dot(axis(max(median, 1)), y, color)
        picture.text(axis(max(median, 1)) + 10, y + 4, f"{median:.0f}" if median >= 100 else f"{median:.1f}")
    return picture.svg()


def spread(wanted, distance):
    """Places for labels, in the order of `wanted` [(place, key), ...], no two nearer than `distance`."""
    places, last = {}, -math.inf
    for place, key in sorted(wanted):
        last = max(place, last + distance)
        places[key] = last
    return places


def producers(result):
    """A line for each row that was measured with several producers."""
    lines = {}
    for row in result["rows"]:
        if "ns" in row and row["group"] in OF_GROUP:
            lines.setdefault(row["name"], {"label": plain(row["label"]), "at": {}})["at"][row["producers"]] = statistics.median(row["ns"])
    lines = [line for line in lines.values() if len(line["at"]) > 2]
    if not lines:
        return None
    counts = sorted({count for line in lines for count in line["at"]})
    values = [value for line in lines for value in line["at"].values()]
    left, right, top, bottom = 70, 520, 56, 440
    picture = Picture(520, f"What a record costs when several producers emit at once, on {result['cores']} cores", result)
    axis = Log(min(values), max(values), bottom, top)
    x = {count: round(left + (right - left) * number / (len(counts) - 1), 1) for number, count in enumerate(counts)}
    for tick in axis.ticks():
        picture.line(left, axis(tick), right, axis(tick))
        picture.text(left - 8, axis(tick) + 4, short(tick), "end")
    for count in counts:
        picture.text(x[count], bottom + 18, str(count), "middle")
    picture.text((left + right) // 2, bottom + 36, "producers; core time of a record, median", "middle", "note")
    places = spread([(axis(line["at"][max(line["at"])]), number) for number, line in enumerate(lines)], 15)
    for number, line in enumerate(lines):
        color = PALETTE[number % len(PALETTE)]
        points = [(x[count], axis(value)) for count, value in sorted(line["at"].items())]
        picture.path(points, color)
        for px, py in points:
            picture.dot(px, py, color)
        picture.text(right + 14, round(places[number] + 4, 1), line["label"], color=color)
    return picture.svg()


def slower_than(buckets):
    """[(nanoseconds, share of operations that take longer), ...] as a stair."""
    total = sum(count for _, count in buckets)
    left, points = total, []
    for upper, count in buckets:
        points.append((upper, left / total))
        left -= count
        if left > 0:
            points.append((upper, left / total))
    return points


def distribution(picture, histograms, left, right, title):
    top, bottom = 80, 380
    across = Log(10, max(histogram["buckets"][-1][0] for histogram in histograms), left, right)
    up = Log(1e-6, 1, bottom, top)
    for tick in across.ticks():
        picture.line(across(tick), top, across(tick), bottom)
        picture.text(across(tick), bottom + 16, short(tick), "middle")
    for tick, words in zip(up.ticks(), ("0.0001 %", "0.001 %", "0.01 %", "0.1 %", "1 %", "10 %", "all")):
        picture.line(left, up(tick), right, up(tick))
        picture.text(left - 6, up(tick) + 4, words, "end")
    picture.text((left + right) // 2, 60, title, "middle")
    for number, histogram in enumerate(histograms):
        color = PALETTE[number % len(PALETTE)]
        points = [(across(max(ns, 10)), up(max(share, 1e-6))) for ns, share in slower_than(histogram["buckets"])]
        picture.path(points, color)
        picture.line(left, bottom + 32 + 16 * number, left + 18, bottom + 32 + 16 * number, color=color)
        picture.text(left + 24, bottom + 36 + 16 * number, plain(histogram.get("label", histogram["name"])))


def latency(result, processes):
    """Of each kept histogram: the share of operations that take longer. Ours on bad days beside it, where they were measured."""
    here, there = result.get("histograms", []), (processes or {}).get("histograms", [])
    there = [histogram for histogram in there if histogram["buckets"]]
    if not here:
        return None
    rows = max(len(here), len(there))
    picture = Picture(380 + 32 + 16 * rows + 30, "How many operations take longer", result)
    middle = WIDTH // 2
    distribution(picture, here, 70, middle - 10 if there else WIDTH - 30, "rivals, one producer")
    if there:
        distribution(picture, there, middle + 70, WIDTH - 36, "one emit of shmring while ...")
    return picture.svg()


def draw(result, processes=None):
    """{name: SVG} of those charts that the result has something for."""
    charts = {"cost": cost(result), "producers": producers(result), "latency": latency(result, processes)}
    return {name: svg for name, svg in charts.items() if svg is not None}
