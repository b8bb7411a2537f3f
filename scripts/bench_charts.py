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
    "blocks": "What a record costs over the size of a block, for rings of several capacities, drained often and late",
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


class Linear:
    """An axis from zero to at least `high`, in about eight steps, drawn between two places of the picture."""

    def __init__(self, high, begin, end):
        power = 10.0 ** math.floor(math.log10(high / 8))
        self.step = power * next(factor for factor in (1, 2, 5, 10) if power * factor * 8 >= high)
        self.steps = math.ceil(high / self.step)
        self.begin, self.end = begin, end

    def __call__(self, value):
        return round(self.begin + value / (self.steps * self.step) * (self.end - self.begin), 1)

    def ticks(self):
        return [number * self.step for number in range(self.steps + 1)]


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

    def path(self, points, color, is_dashed=False):
        way, dashes = " ".join(f"{x},{y}" for x, y in points), ' stroke-dasharray="6 4"' if is_dashed else ""
        self.parts.append(f'<polyline points="{way}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>')

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
                f'height="{self.height}">\n' + "\n".join(self.parts) + "\n</svg>\n")


def cost(result):
    """A dot for each row of one producer, the cheapest first; a ring where its lowest visit was."""
    rows = [row for row in result["rows"] if row["group"] in OF_GROUP and row["producers"] == 1 and "ns" in row]
    rows = sorted(((statistics.median(row["ns"]), min(row["ns"]), row) for row in rows if row["name"] != "nothing"),
                  key=lambda entry: entry[0])
    top, step = 64, 20
    left = 28 + math.ceil(6.1 * max(len(plain(row["label"])) for _, _, row in rows))  # room for the longest label
    picture = Picture(top + step * len(rows) + 56, "What a record costs the program that emits it: nanoseconds, median", result)
    axis = Log(1, max(entry[0] for entry in rows), left, WIDTH - 80)
    bottom = top + step * len(rows)
    for tick in axis.ticks():
        picture.line(axis(tick), top - 8, axis(tick), bottom)
        picture.text(axis(tick), bottom + 16, short(tick), "middle")
    for at, (group, words) in enumerate((("shmring", "shmring"), ("rival", "rivals"), ("floor", "the machine itself"))):
        picture.dot(left + 90 * at, 42, OF_GROUP[group])
        picture.text(left + 90 * at + 10, 46, words)
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


DRAINED = {"quarter": "drained whenever a quarter of the ring is full", "three_quarters": "far behind: when three quarters are full"}


def by_capacity(rows, name, drained):
    """{capacity in bytes: {block size in bytes: ns of a record, the median}} of one operation."""
    lines = {}
    for row in rows:
        if (row["name"], row["drained"]) == (name, drained):
            lines.setdefault(row["capacity_bytes"], {})[row["block_bytes"]] = statistics.median(row["ns"])
    return {capacity: dict(sorted(lines[capacity].items())) for capacity in sorted(lines)}


def over_block_size(picture, rows, names, drained, left, right, up):
    """One panel: a line for each capacity; the first operation's is drawn through, the other one's is dashed."""
    sizes = sorted({row["block_bytes"] for row in rows})
    doublings = max(math.log2(sizes[-1] / sizes[0]), 1)
    x = {size: round(left + (right - left) * math.log2(size / sizes[0]) / doublings, 1) for size in sizes}
    for tick in up.ticks():
        picture.line(left, up(tick), right, up(tick))
        picture.text(left - 8, up(tick) + 4, f"{tick:g} ns", "end")
    for size in sizes:
        picture.text(x[size], up.begin + 18, f"{size >> 10}", "middle")
    picture.text((left + right) // 2, up.begin + 36, "block size, KiB", "middle", "note")
    picture.text((left + right) // 2, 60, DRAINED[drained], "middle")
    for name in names:
        for number, line in enumerate(by_capacity(rows, name, drained).values()):
            points = [(x[size], up(ns)) for size, ns in line.items()]
            picture.path(points, PALETTE[number], is_dashed=name != names[0])
            for px, py in points:
                picture.dot(px, py, PALETTE[number])


def blocks(measured):
    """Of the result of shmring-block-bench: what a record costs over block size, by capacity, drained often and late."""
    if not measured:
        return None
    rows = measured["rows"]
    labels = {row["name"]: plain(row["label"]) for row in rows}
    names, capacities = list(labels), sorted({row["capacity_bytes"] for row in rows})
    picture = Picture(520, "What a record costs over the size of a block, claims included: nanoseconds, median", measured)
    up = Linear(max(statistics.median(row["ns"]) for row in rows), 400, 80)
    middle = WIDTH // 2
    over_block_size(picture, rows, names, "quarter", 64, middle - 20, up)
    over_block_size(picture, rows, names, "three_quarters", middle + 64, WIDTH - 30, up)
    for number, capacity in enumerate(capacities):
        picture.line(64 + 120 * number, 456, 88 + 120 * number, 456, color=PALETTE[number])
        picture.text(94 + 120 * number, 460, f"{capacity >> 20} MiB")
    for number, name in enumerate(names):
        picture.path([(64 + 360 * number, 480), (88 + 360 * number, 480)], "#808080", is_dashed=number > 0)
        picture.text(94 + 360 * number, 484, labels[name])
    return picture.svg()


def draw(result, processes=None, measured_blocks=None):
    """{name: SVG} of those charts that the result has something for."""
    charts = {"cost": cost(result), "producers": producers(result), "latency": latency(result, processes),
              "blocks": blocks(measured_blocks)}
    return {name: svg for name, svg in charts.items() if svg is not None}
