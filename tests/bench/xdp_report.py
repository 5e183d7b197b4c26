#!/usr/bin/env python3
"""Sets the figures of the benchmarks of XDP, on standard input, against what they must reach. --json: one object a line."""
import json
import sys

TWO_MILLION = "2000000/"
# name, figure, figure it is set against (None: the goal is the figure's own), goal at most
GOALS = [
    ("stranger, hot, 2M bans", TWO_MILLION + "stranger, hot/gate", TWO_MILLION + "stranger, hot/parse_only", 1.5),
    ("stranger, random, 2M, against a hash", TWO_MILLION + "stranger, random/gate",
     TWO_MILLION + "stranger, random/hash", 0.35),
    ("stranger, random, 2M, against a trie", TWO_MILLION + "stranger, random/gate",
     TWO_MILLION + "stranger, random/trie", 0.1),
    ("banned, random, 2M, against nftables", TWO_MILLION + "live, banned/XDP",
     TWO_MILLION + "live, banned/nft, hash set in prerouting", 0.4),
    ("banned, random, 2M, against ipset", TWO_MILLION + "live, banned/XDP",
     TWO_MILLION + "live, banned/ipset through iptables in input", 0.3),
    ("2M bans, all maps", TWO_MILLION + "all maps", None, 64.0),
    ("2M bans, load from memory", TWO_MILLION + "load", None, 0.5),
    ("one ban more among 2M", TWO_MILLION + "one more, a call each", None, 1000.0),
    ("scanner's first packet that is dropped", "scanner/first packet that is dropped, at worst", None, 3),
    ("scan seen to recorded in the ledger", "scan/event to recorded in the ledger, median", None, 200.0),
    ("events lost uncounted, all offered", "events/lost uncounted", None, 0),
    ("forged sources: bans, against the budget", "flood/most bans in the kernel", "flood/budget of bans", 1.0),
    ("forged sources: clients not served", "flood/connections of a client that failed", None, 0),
    ("forged sources: CPU, against plain drop", "flood, live/gate", "flood, live/dropped at once", 2.0),
]


def read_figures(lines):
    figures = {}
    for line in lines:
        name, value, unit = line.rstrip("\n").split("\t")
        figures[name] = (float(value), unit)
    return figures


def judge(figures):
    for name, measured, against, goal in GOALS:
        if measured not in figures:
            yield {"name": name, "goal": goal, "reached": False}
            continue
        value, unit = figures[measured]
        if against:
            reference = figures[against][0]
            yield {"name": name, "value": value, "unit": unit, "reference": reference, "ratio": round(value / reference, 3),
                   "goal": goal, "reached": value / reference <= goal}
        else:
            yield {"name": name, "value": value, "unit": unit, "goal": goal, "reached": value <= goal}


def line_of(result):
    if "value" not in result:
        return f"{result['name']:<42} not measured"
    against = f"{result['ratio']:.3f} of {result['reference']:.4g}" if "ratio" in result else ""
    verdict = "reached" if result["reached"] else "MISSED"
    return f"{result['name']:<42} {result['value']:>9.4g} {result['unit']:<3} {against:<20} goal {result['goal']:<6g} {verdict}"


def main():
    figures = read_figures(sys.stdin)
    as_json = "--json" in sys.argv[1:]
    if not as_json:
        for name, (value, unit) in figures.items():
            print(f"{name:<66} {value:>10.4g} {unit}")
        print()
    missed = 0
    for result in judge(figures):
        missed += not result["reached"]
        print(json.dumps(result) if as_json else line_of(result))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
