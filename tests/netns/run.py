#!/usr/bin/env python3
"""Runs tests in network namespaces: run.py [-j N] [PATTERN]; run.py --list; run.py --exactly NAME.

PALANG_BINARY names the palang to try (build/release/palang). Exit codes: 0 all passed, 1 some failed, 77 skipped.
"""

import argparse
import concurrent.futures
import glob
import importlib
import os
import re
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
LONGEST = 110  # seconds a test may take (a campaign may take longer: PALANG_KILL_ROUNDS)


def names():
    """"kill.promise_3_4_…" of every test, read from the source: listing needs neither root nor a binary."""
    found = []
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = os.path.basename(path)[len("test_"):-len(".py")]
        with open(path, encoding="utf-8") as file:
            found += [f"{module}.{name}" for name in re.findall(r"^def test_(\w+)\(gate\)", file.read(), re.MULTILINE)]
    return found


def tell(gate):
    """What helps to understand a failure."""
    print("--- the daemon said (the end of it):\n" + "".join(gate.said().splitlines(True)[-60:])
          if os.path.exists(gate.messages) else "--- the daemon was not started")
    if gate.host:
        print("--- the kernel holds:\n" + repr(gate.kernel())[:2000])


def run_here(name):
    from expect import Skip
    from gate import Gate
    from needs import require_namespaces

    def end(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)  # which cleans up, too
    module, function = name.split(".")
    try:
        test = getattr(importlib.import_module("test_" + module), "test_" + function)
        require_namespaces()
        gate = Gate()
    except Skip as reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    try:
        gate.open()
        test(gate)
        return 0
    except Skip as reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    except BaseException:  # an interruption, too, should show where it came
        traceback.print_exc(file=sys.stdout)
        tell(gate)
        return 1
    finally:
        gate.close()


def run_apart(name):
    rounds = int(os.environ.get("PALANG_KILL_ROUNDS", "0"))
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, os.path.join(HERE, "run.py"), "--exactly", name],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        out, _ = process.communicate(timeout=LONGEST + rounds * 5)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, _ = process.communicate()
        out += "\ntook too long\n"
    return process.returncode, out, time.monotonic() - start


def run_many(chosen, jobs):
    failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, (code, out, seconds) in zip(chosen, pool.map(run_apart, chosen)):
            verdict = {0: "ok", SKIPPED: "SKIP"}.get(code, "FAILED")
            failed += verdict == "FAILED"
            skipped += verdict == "SKIP"
            print(f"{verdict:6} {seconds:5.1f} s  {name}")
            if out.strip():
                print("         " + out.strip().replace("\n", "\n         "))
            sys.stdout.flush()
    print(f"{len(chosen) - failed - skipped} passed, {skipped} skipped, {failed} failed")
    if failed:
        return 1
    return SKIPPED if skipped == len(chosen) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="", help="only tests whose name matches")
    parser.add_argument("-j", type=int, default=2, help="so many at a time")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    parser.add_argument("--exactly", metavar="NAME", help="run this one test, here")
    options = parser.parse_args()
    if options.list:
        print("\n".join(names()))
        return 0
    if options.exactly:
        return run_here(options.exactly)
    chosen = [name for name in names() if re.search(options.pattern, name)]
    if not chosen:
        print(f"no test matches {options.pattern!r}", file=sys.stderr)
        return 2
    return run_many(chosen, options.j)


if __name__ == "__main__":
    sys.exit(main())
