"""The figures that the rules must reach, all shipped rules loaded: ./bench.sh rules [--json].

rules_bench.cpp measures the whole way of a line, header → rules → Event, in processor seconds, the median of five runs.
What is compared is measured in the same run of this script.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import rules_log
from gate import ROOT, Report

PROGRAM = f"{os.environ['PALANG_BENCH_DIR']}/rules_bench"
SSHD_FILTER = "/etc/fail2ban/filter.d/sshd.conf"
SSHGUARD_PARSERS = (os.environ.get("SSHG_PARSER", ""), "/usr/libexec/sshguard/sshg-parser", "/usr/lib/sshguard/sshg-parser", "/usr/lib/x86_64-linux-gnu/sshg-parser")


def bench(log, *options):
    command = [PROGRAM, f"{ROOT}/rules", log, *options]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def child_seconds(command, stdin=None):
    """Processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fail2ban_rate(directory, lines):
    """Lines per processor second of fail2ban-regex with its sshd filter; what it takes to start is taken off."""
    log, empty = f"{directory}/fail2ban.log", f"{directory}/empty.log"
    write(log, lines)
    write(empty, lines[:1])
    command = ["fail2ban-regex", "--no-check-all", "--print-no-missed", "--print-no-ignored"]
    if b"--no-check-all" not in subprocess.run(["fail2ban-regex", "--help"], stdout=subprocess.PIPE, check=True).stdout:
        command = ["fail2ban-regex"]
    start = child_seconds([*command, empty, SSHD_FILTER])
    return len(lines) / (child_seconds([*command, log, SSHD_FILTER]) - start)


def sshguard_rate(log, lines):
    parser = next((path for path in SSHGUARD_PARSERS if os.access(path, os.X_OK)), None)
    if parser is None:
        return None
    with open(log, "rb") as stdin:
        return lines / child_seconds([parser], stdin)


def write(path, lines):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)


def auth(directory, report):
    log = f"{directory}/auth.log"
    lines = list(rules_log.auth_lines(200_000, 0.5))
    write(log, lines)
    found = bench(log)
    rate = found["lines"] / found["seconds"]
    report.figure("OpenSSH auth lines, half of them failures", rate, "lines/s", ">= 1,000,000", rate >= 1e6)
    if shutil.which("fail2ban-regex"):
        other = fail2ban_rate(directory, lines[:40_000])
        report.figure("  to fail2ban-regex, sshd filter", rate, "lines/s", ">= 60 times", rate >= 60 * other, other, rate / other)
    if other := sshguard_rate(log, found["lines"]):
        report.figure("  to sshguard's parser", rate, "lines/s", ">= 4 times", rate >= 4 * other, other, rate / other)


def server(directory, report):
    log = f"{directory}/server.log"
    write(log, rules_log.server_lines(1_000_000, 0.01))
    found, ten = bench(log), bench(log, "--copies", "9")
    if found["events"] == 0 or ten["rules"] != 10 * found["rules"]:
        sys.exit(f"the rules found nothing, or were not ten times as many: {found}, {ten}")
    rate = found["bytes"] / found["seconds"] / 1e6
    report.figure("a server's lines, 1 % of them failures", rate, "MB/s", ">= 400", rate >= 400)
    ratio = ten["seconds"] / found["seconds"]
    report.figure(f"  with {ten['rules']} rules instead of {found['rules']}", ten["seconds"], "s", "<= 1.5 times", ratio <= 1.5,
                  found["seconds"], ratio)


def access(directory, report):
    log = f"{directory}/access.log"
    write(log, rules_log.access_lines(200_000))
    found = bench(log, "--as", "/var/log/nginx/access.log")
    if found["events"] == 0:
        sys.exit("the rules found nothing in an access log")
    rate = found["lines"] / found["seconds"]
    report.figure("an nginx access log", rate, "lines/s", "for people", True)


def hostile(directory, report):
    log = f"{directory}/hostile.log"
    write(log, rules_log.hostile_lines(100_000))
    slowest = bench(log, "--each")["slowest"] * 1000
    report.figure("100,000 lines that make patterns backtrack: slowest", slowest, "ms", "<= 2", slowest <= 2)
    write(log, rules_log.long_lines(1 << 20))
    slowest = bench(log, "--each")["slowest"] * 1000
    report.figure("such lines of 1 MB: slowest", slowest, "ms", "<= 2", slowest <= 2)


def main():
    report = Report("--json" in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="palang-bench-") as directory:
        for measure in (auth, server, access, hostile):
            measure(directory, report)


main()
