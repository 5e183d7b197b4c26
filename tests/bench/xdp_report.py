#!/usr/bin/env python3
"""Sets the figures of xdp_bench, on standard input, against what they must reach. --json: one object a line."""
import json
import sys

TWO_MILLION = "2000000/"
# name, figure, figure it is set against (None: the goal is the figure's own), goal at most
GOALS = [
    ("stranger, hot, 2M bans", "stranger, hot/gate", "stranger, hot/parse_only", 1.5),
    ("stranger, random, 2M bans, against a hash", "stranger, random/gate", "stranger, random/hash", 0.35),
    ("stranger, random, 2M bans, against a trie", "stranger, random/gate", "stranger, random/trie", 0.1),
    ("banned, random, against nftables", "live, banned/XDP", "live, banned/nft, hash set in prerouting", 0.4),
    ("banned, random, against ipset", "live, banned/XDP", "live, banned/ipset through iptables in input", 0.3),
    ("2M bans, all maps", "all maps", None, 64.0),
    ("2M bans, load from memory", "load", None, 0.5),
    ("one ban more among 2M", "one more, a call each", None, 1000.0),
]


def read_figures(lines):
    figures = {}
    for line in lines:
        name, value, unit = line.rstrip("\n").split("\t")
        figures[name] = (float(value), unit)
    return figures


def judge(figures):
    for name, measured, against, goal in GOALS:
        value, unit = figures[TWO_MILLION + measured]
        if against:
            reference = figures[TWO_MILLION + against][0]
            yield {"name": name, "value": value, "unit": unit, "reference": reference, "ratio": round(value / reference, 3),
                   "goal": goal, "reached": value / reference <= goal}
        else:
            yield {"name": name, "value": value, "unit": unit, "goal": goal, "reached": value <= goal}


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
        if as_json:
            print(json.dumps(result))
            continue
        against = f"{result['ratio']:.3f} of {result['reference']:.4g}" if "ratio" in result else ""
        verdict = "reached" if result["reached"] else "MISSED"
        print(f"{result['name']:<46} {result['value']:>9.4g} {result['unit']:<3} {against:<20} goal {result['goal']:<6g} {verdict}")
    return 1 if missed else 0


sys.exit(main())
