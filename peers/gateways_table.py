"""The table of peers/gateways."""

import dataclasses
import math
import statistics


def interval(values):
    """Order statistics between which the median lies with at least 95 %: exact, for any distribution.
    None where there are too few."""
    values, n = sorted(values), len(values)
    tail, rank = 0.0, 0
    while rank < n // 2:
        tail += math.comb(n, rank) / 2**n
        if 2 * tail > 0.05:
            break
        rank += 1
    return (values[rank - 1], values[n - rank]) if rank else None


@dataclasses.dataclass
class Row:
    """One figure. `values`: by gateway, one number, or one per round. `goals`: at most so much, without a
    policy and governed."""

    name: str
    direct: float | None
    values: dict
    goals: tuple = (None, None)

    def figure(self, gateway):
        value = self.values.get(gateway)
        return statistics.median(value) if isinstance(value, list) else value

    def cell(self, gateway):
        value = self.values.get(gateway)
        if value is None:
            return ""
        if not isinstance(value, list) or not interval(value):
            return number(self.figure(gateway))
        low, high = interval(value)
        return f"{number(self.figure(gateway))} [{number(low)}, {number(high)}]"

    def goal(self, at, gateway):
        figure, most = self.figure(gateway), self.goals[at]
        if most is None or figure is None:
            return ""
        return f"≤ {most}: {'met' if figure <= most else 'missed'}"

    def ratio(self, peer, gateway):
        theirs, ours = self.figure(peer), self.figure(gateway)
        if theirs is None or ours is None:
            return ""
        # A difference that is not above zero has no ratio.
        if min(theirs, ours) <= 0:
            return "–"
        return f"{theirs / ours:,.0f}" if theirs >= 10 * ours else f"{theirs / ours:.2g}"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def print_table(rows, ours, peers):
    """Median over the rounds, with the interval of the median for ours; peers with their ratios to ours."""
    heads = ["", "direct"]
    for name in ours:
        heads += [name, "goal"]
    for name in peers:
        heads += [name, *[f"÷ {own}" for own in ours]]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for row in rows:
        line = [row.name, "" if row.direct is None else number(row.direct)]
        for name in ours:
            at = 0 if name == "no policy" else 1
            line += [row.cell(name), row.goal(at, name)]
        for name in peers:
            figure = row.figure(name)
            line += ["" if figure is None else number(figure), *[row.ratio(name, own) for own in ours]]
        lines.append(line)
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    for line in lines:
        cells = [line[0].ljust(widths[0]), *[cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]]
        print("| " + " | ".join(cells) + " |")
