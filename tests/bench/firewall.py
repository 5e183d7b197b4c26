"""The standing firewall: ./bench.sh firewall [--json].

A world and a host, two namespaces joined by a cable. While 10,000 packets a second go to an open port of the host, and
as many to a closed one, policies of 200 rules and 100,000 list entries are applied again and again.
"""

import os
import random
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import nflog
from gate import NAMESPACE, ROOT, Daemon, Report, setns
from nflog import HOST, SOURCES, WORLD, NflogDaemon, flood

BINARY = os.environ.get("PALANG_BINARY", f"{ROOT}/build/release/palang")
ENTRIES, RULES, ROUNDS = 100_000, 200, 5
OPEN, CLOSED, RATE = 5000, 5001, 10_000
GROUP = 7

# Numbered datagrams, paced by the clock: what is late is made up for at once.
SENDER = """
import socket, sys, time
host, port, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((host, port))
start, sent = time.perf_counter(), 0
import select
while not select.select([0], [], [], 0.001)[0]:
    due = int((time.perf_counter() - start) * rate)
    while sent < due:
        try:
            s.send(sent.to_bytes(4, "big"))
        except ConnectionRefusedError:
            continue
        sent += 1
print(sent, time.perf_counter() - start)
"""


def inside(namespace, *command, **options):
    return subprocess.run(["ip", "netns", "exec", namespace, *command], check=True, capture_output=True, text=True,
                          **options).stdout


def receiver(port):
    """A socket with room for minutes of the stream: nobody reads it in between."""
    with open(f"/var/run/netns/{NAMESPACE}") as there, open("/proc/self/ns/net") as here:
        setns(there.fileno())
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        setns(here.fileno())
    bound.setsockopt(socket.SOL_SOCKET, 33, 512 << 20)  # SO_RCVBUFFORCE
    bound.bind((HOST, port))
    bound.setblocking(False)
    return bound


def drain(bound):
    got = 0
    try:
        while True:
            bound.recv(16)
            got += 1
    except BlockingIOError:
        return got


def write_policy(directory, number):
    """200 rules and 100,000 entries, other ones each time."""
    chance = random.Random(number)
    entries = set()
    while len(entries) < ENTRIES:
        address = f"{chance.randint(20, 200)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}."
        entries.add(address + (str(chance.randint(1, 254)) if chance.random() < 0.9 else "0/24"))
    with open(f"{directory}/bad.txt", "w") as file:
        file.write("\n".join(entries) + "\n")
    with open(f"{directory}/palang.toml", "w") as file:
        file.write(f'[ledger]\npath = "{directory}/palang.db"\n[firewall]\nudp_in = [{OPEN}]\nnflog_group = {GROUP}\n'
                   f'[[firewall.list]]\nname = "bad"\nfile = "{directory}/bad.txt"\naction = "deny"\n')
        for rule in range(RULES):
            file.write(f'[[firewall.rule]]\nprotocol = "tcp"\nports = [{1000 + rule}]\n'
                       f'peer = ["198.18.{rule}.{number + 1}", "203.0.113.0/24", "2001:db8:{rule:x}::/48"]\n')


def firewall(directory, *words):
    return inside(NAMESPACE, BINARY, "firewall", *words, "--config", f"{directory}/palang.toml")


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bench_apply(report, directory):
    write_policy(directory, 0)
    firewall(directory, "apply")
    firewall(directory, "confirm")
    to_open, to_closed = receiver(OPEN), receiver(CLOSED)
    senders = [subprocess.Popen(["ip", "netns", "exec", WORLD, sys.executable, "-c", SENDER, HOST, str(port), str(RATE)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for port in (OPEN, CLOSED)]
    time.sleep(1)
    applied, confirmed, spent = [], [], []
    for number in range(1, ROUNDS + 1):
        write_policy(directory, number)
        start, cpu = time.perf_counter(), children_cpu()
        firewall(directory, "apply")
        applied.append(time.perf_counter() - start)
        spent.append(children_cpu() - cpu)
        start = time.perf_counter()
        firewall(directory, "confirm")
        confirmed.append(time.perf_counter() - start)
    time.sleep(1)
    (sent, seconds), (sent_closed, _) = [tuple(map(float, one.communicate("\n")[0].split())) for one in senders]
    time.sleep(0.5)
    lost, entered = int(sent) - drain(to_open), drain(to_closed)
    median = statistics.median(applied)
    report.figure(f"apply {RULES} rules and {ENTRIES:,} entries", median, "s", "< 1", median < 1)
    report.figure("  the slowest of them", max(applied), "s", "-", True)
    report.figure("  its CPU time, of user and kernel", statistics.median(spent), "s", "< 1",
                  statistics.median(spent) < 1)
    report.figure("  confirm", statistics.median(confirmed), "s", "-", True)
    report.figure("packets a second to the open port meanwhile", sent / seconds, "packets/s", ">= 9,900",
                  sent / seconds >= 9_900)
    report.figure("  of them lost", lost, "packets", "none", lost == 0)
    report.figure(f"  of {sent_closed:,.0f} to a closed port let in", entered, "packets", "none", entered == 0)


def refused():
    """Packets that the policy refused: those of strangers, and those of the list."""
    listing = inside(NAMESPACE, "nft", "list", "ruleset")
    count = 0
    for chain in ("refuse", "denied"):
        rules = re.search(rf"chain fw_{chain}_\d+ \{{(.*?)\n\t\}}", listing, re.S)[1]
        count += int(re.search(r"meta l4proto tcp counter packets (\d+)", rules)[1])
    return count


def settle(daemon):
    """Until nothing more is read."""
    before = None
    while before != (before := (daemon.lines_read(), daemon.lost())):
        time.sleep(1)


def bench_refused(report, directory):
    """A dry run, so that bans don't keep the packets from the policy that refuses them."""
    subprocess.check_call(["g++", "-std=c++23", "-O2", "-o", f"{directory}/flood", f"{ROOT}/tests/bench/flood.cpp"])
    daemon = NflogDaemon(directory, "rate", "dry-run")
    daemon.start()
    time.sleep(0.5)
    flood(directory, SOURCES, SOURCES, 20_000)
    settle(daemon)
    logged, lines, lost, cpu = refused(), daemon.lines_read(), daemon.lost(), daemon.loop_cpu_seconds()
    sent = flood(directory, 500_000, SOURCES, 100_000)
    flood(directory, 1, 1, 0)  # tells what was lost before it
    settle(daemon)
    logged = refused() - logged
    lines, lost, cpu = daemon.lines_read() - lines, daemon.lost() - lost, daemon.loop_cpu_seconds() - cpu
    if lines + lost != logged:
        sys.exit(f"{logged} packets were refused, {lines} read and {lost} counted as lost")
    report.figure(f"refused at {sent:,.0f} packets/s, judged per second of CPU", lines / cpu, "packets/s", ">= 100,000",
                  lines / cpu >= 100e3)
    report.figure("  of these lost, all counted", lost / logged * 100, "%", "none lost", lost == 0)
    daemon.stop()


def bench_import(report, directory):
    """CSF's defaults and 5,000 denied addresses, from its files to palang.toml and lists."""
    etc = os.path.join(directory, "etc", "csf")
    os.makedirs(etc)
    shutil.copy(f"{ROOT}/tests/firewall/csf/etc/csf/csf.conf", etc)
    with open(f"{etc}/csf.deny", "w", encoding="utf-8") as file:
        file.writelines(f"198.18.{number // 250}.{number % 250 + 1} # lfd: (sshd) Failed SSH login: 5 in the last 3600 secs\n"
                        for number in range(5000))
    seconds = []
    for turn in range(7):
        start = time.perf_counter()
        subprocess.run([BINARY, "import", "csf", etc, "--write", f"{directory}/imported-{turn}"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    middle = statistics.median(seconds)
    report.figure("csf.conf and 5,000 denied imported", middle * 1000, "ms", "<= 1,000", middle <= 1)


def main():
    if not shutil.which("nft") or os.geteuid() != 0:
        sys.exit("bench firewall: needs root and nft")
    report = Report("--json" in sys.argv)
    nflog.FIREWALL = "table inet other { }"
    try:
        nflog.join()
        with tempfile.TemporaryDirectory(prefix="palang-bench-") as directory:
            bench_import(report, directory)
            bench_apply(report, directory)
            bench_refused(report, directory)
    finally:
        for daemon in list(Daemon.running):
            daemon.stop()
        for namespace in (NAMESPACE, WORLD):
            subprocess.call(["ip", "netns", "del", namespace])


if __name__ == "__main__":
    main()
