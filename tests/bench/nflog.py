"""Packets that a firewall logs by NFLOG: ./bench.sh nflog [--json].

A world and a host, two namespaces joined by a cable; the host's firewall logs what it refuses by NFLOG, and the real
daemon reads that.
"""

import json
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from gate import NAMESPACE, ROOT, Daemon, Report, nft_listener, setns

WORLD = f"{NAMESPACE}-world"
HOST, GATEWAY = "192.0.2.1", "192.0.2.254"
SOURCES = 20_000

FIREWALL = """
table inet firewall {
  counter refused { }
  chain input {
    type filter hook input priority 0;
    tcp dport 8083 counter name refused log prefix "refused: " group 7 drop
  }
}
"""


class NflogDaemon(Daemon):
    def __init__(self, directory, name, backend):
        super().__init__(directory, name)
        with open(f"{self.base}/palang.toml", "w") as config:
            config.write(f'[[source]]\ntype = "nflog"\ngroup = 7\n[ledger]\npath = "{self.ledger}"\n'
                         f'[api]\nsocket = "{self.socket}"\n[log]\nlevel = "notice"\n[ban.widen]\nafter = 0\n'
                         f'[enforce]\nbackend = "{backend}"\n')

    def lost(self):
        return self.status()["sources"][0]["lost_lines"]


def ip(*words):
    subprocess.check_call(["ip", *words])


def join():
    ip("netns", "add", NAMESPACE)
    ip("netns", "add", WORLD)
    ip("-n", NAMESPACE, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", WORLD)
    for namespace, address in ((NAMESPACE, HOST), (WORLD, GATEWAY)):
        for name in ("all", "default", "cable"):
            subprocess.check_call(["ip", "netns", "exec", namespace, "sysctl", "-q",
                                   f"net.ipv4.conf.{name}.rp_filter=0"])
        ip("-n", namespace, "link", "set", "lo", "up")
        ip("-n", namespace, "address", "add", f"{address}/24", "dev", "cable")
        ip("-n", namespace, "link", "set", "cable", "up")
    ip("-n", NAMESPACE, "route", "add", "default", "via", GATEWAY)
    subprocess.run(["ip", "netns", "exec", NAMESPACE, "nft", "-f", "-"], input=FIREWALL, text=True, check=True)


def syn(source, port):
    """An IPv4 SYN without a checksum of its own: the firewall looks at neither."""
    segment = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 55, 6, 0, socket.inet_aton(source),
                       socket.inet_aton(HOST)) + segment


def raw_socket():
    with open(f"/var/run/netns/{WORLD}") as there, open("/proc/self/ns/net") as here:
        setns(there.fileno())
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        setns(here.fileno())
    return raw


def bench_latency(report, directory):
    daemon = NflogDaemon(directory, "latency", "nftables")
    daemon.start()
    time.sleep(0.5)
    listener, raw, delays = nft_listener(), raw_socket(), []
    listener.settimeout(5)
    for number in range(1000):
        source = f"198.18.{number // 250}.{number % 250 + 1}"
        wanted, packet = socket.inet_aton(source), syn(source, 8083)
        time.sleep(random.uniform(0.002, 0.01))
        start = time.perf_counter()
        raw.sendto(packet, (HOST, 0))
        while wanted not in listener.recv(1 << 16):
            pass
        delays.append((time.perf_counter() - start) * 1e6)
    listener.close()
    daemon.stop()
    delays.sort()
    median, p99 = statistics.median(delays), delays[len(delays) * 99 // 100]
    report.figure("refused packet to element in the kernel, by NFLOG", median, "us", "median < 500", median < 500)
    report.figure("  the same, 99 of 100", p99, "us", "p99 < 5,000", p99 < 5000)


def refused():
    """Packets that came as far as the firewall: where the network itself is overrun, fewer than were sent."""
    listed = subprocess.check_output(["ip", "netns", "exec", NAMESPACE, "nft", "-j", "list", "counters"])
    return next(one["counter"]["packets"] for one in json.loads(listed)["nftables"] if "counter" in one)


def flood(directory, count, sources, rate):
    done = subprocess.run(["ip", "netns", "exec", WORLD, f"{directory}/flood", HOST, str(count), str(sources),
                           *([str(rate)] if rate else [])], capture_output=True, text=True, check=True)
    return float(done.stdout)


def bench_rate(report, directory):
    """A dry run, so that bans don't keep the packets from the firewall that logs them."""
    subprocess.check_call(["g++", "-std=c++23", "-O2", "-o", f"{directory}/flood", f"{ROOT}/tests/bench/flood.cpp"])
    daemon = NflogDaemon(directory, "rate", "dry-run")
    daemon.start()
    time.sleep(0.5)
    flood(directory, SOURCES, SOURCES, 20_000)
    for rate, goal in ((100_000, "none lost"), (200_000, "none lost"), (0, "")):
        logged, lines, lost, cpu = refused(), daemon.lines_read(), daemon.lost(), daemon.loop_cpu_seconds()
        count = 2_000_000 if not rate else rate * 5
        sent = flood(directory, count, SOURCES, rate)
        flood(directory, 1, 1, 0)  # tells what was lost before it
        time.sleep(1)
        lines, lost, cpu = daemon.lines_read() - lines, daemon.lost() - lost, daemon.loop_cpu_seconds() - cpu
        logged = refused() - logged
        if lines + lost != logged:
            sys.exit(f"{logged} packets were logged, {lines} read and {lost} counted as lost")
        name = f"judged by NFLOG at {sent:,.0f} packets/s, per second of CPU"
        report.figure(name, lines / cpu, "packets/s", ">= 500,000", lines / cpu >= 500e3)
        report.figure("  of these lost, all counted", lost / logged * 100, "%", goal or "-", lost == 0 or not goal)
    daemon.stop()


def main():
    if not shutil.which("nft") or os.geteuid() != 0:
        sys.exit("bench nflog: needs root and nft")
    report = Report("--json" in sys.argv)
    try:
        join()
        with tempfile.TemporaryDirectory(prefix="palang-bench-") as directory:
            bench_latency(report, directory)
            bench_rate(report, directory)
    finally:
        for daemon in list(Daemon.running):
            daemon.stop()
        for namespace in (NAMESPACE, WORLD):
            subprocess.call(["ip", "netns", "del", namespace])


if __name__ == "__main__":
    main()
