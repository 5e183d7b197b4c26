"""The figures that the gate must reach, measured on the real binary: ./bench.sh gate [--json].

Each figure is the median of several runs, or a ratio of two things measured in turns in the same run, since timings on
shared machines vary. The daemon runs in a network namespace of its own.
"""

import ctypes
import json
import os
import random
import re
import select
import shutil
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PALANG = os.environ.get("PALANG_BINARY", f"{ROOT}/build/release/palang")
NAMESPACE = f"palang-bench-{os.getpid()}"
DAY = 86_400_000_000  # microseconds, the unit of time in the ledger

NETLINK_NETFILTER, NFNLGRP_NFTABLES = 12, 7  # linux/netlink.h, linux/netfilter/nfnetlink.h
NFT_MSG_NEWSETELEM = 12  # linux/netfilter/nf_tables.h


class Report:
    def __init__(self, as_json):
        self.as_json = as_json
        if not as_json:
            print(f"{'figure':58} {'value':>12} {'unit':8} {'reference':>12} {'ratio':>7}  goal")

    def figure(self, name, value, unit, goal, reached, reference=None, ratio=None):
        row = {"name": name, "value": round(value, 3), "unit": unit,
               "reference": None if reference is None else round(reference, 3),
               "ratio": None if ratio is None else round(ratio, 3), "goal": goal, "reached": bool(reached)}
        if self.as_json:
            print(json.dumps(row), flush=True)
            return
        shown = ["" if v is None else f"{v:,.3f}" for v in (row["value"], row["reference"], row["ratio"])]
        print(f"{name:58} {shown[0]:>12} {unit:8} {shown[1]:>12} {shown[2]:>7}  {goal}: {'yes' if reached else 'NO'}",
              flush=True)


def timed(command):
    """Seconds, peak resident bytes and output of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024, out


def csf_line(source, number):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1e6) % 1_000_000:06}+00:00"
    return (f"{stamp} web1 kernel: Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC=52:54:00:12:34:56:fe:54:00:12:34:57:08:00 "
            f"SRC={source} DST=198.51.100.6 LEN=52 TOS=0x14 PREC=0x00 TTL=53 ID={number % 65536} DF PROTO=TCP SPT=50393 "
            f"DPT=8083 WINDOW=61690 RES=0x00 SYN URGP=0\n").encode()


def address(number):
    """Scattered over 128.0.0.0 to 207.255.255.255, each number another address."""
    return socket.inet_ntoa(struct.pack("!I", 0x80000000 + number * 2_654_435_761 % 0x50000000))


class Daemon:
    running = []

    def __init__(self, directory, name):
        self.base = f"{directory}/{name}"
        os.mkdir(self.base)
        self.log, self.ledger, self.socket = f"{self.base}/kern.log", f"{self.base}/palang.db", f"{self.base}/sock"
        open(self.log, "w").close()
        with open(f"{self.base}/palang.toml", "w") as config:
            config.write(f'[[source]]\ntype = "file"\npath = "{self.log}"\n[ledger]\npath = "{self.ledger}"\n'
                         f'[api]\nsocket = "{self.socket}"\n[log]\nlevel = "notice"\n[ban.widen]\nafter = 0\n')

    def start(self):
        """Returns the seconds until it said that it guards, which is when all bans are in the kernel."""
        start = time.perf_counter()
        self.process = subprocess.Popen(["ip", "netns", "exec", NAMESPACE, PALANG, "daemon", "--config",
                                         f"{self.base}/palang.toml"], stderr=subprocess.PIPE, text=True)
        Daemon.running.append(self)
        for line in self.process.stderr:
            if "guards this host" in line:
                return time.perf_counter() - start
        sys.exit("the daemon did not start")

    def status(self):
        return json.loads(subprocess.check_output([PALANG, "status", "--json", "--socket", self.socket]))

    def lines_read(self):
        return self.status()["sources"][0]["lines"]

    def memory(self, key):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(rf"^{key}:\s+(\d+) kB", status.read(), re.M).group(1)) * 1024

    def loop_cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat") as stat:
            return int(stat.read().split()[0]) / 1e9

    def wait_for_lines(self, count, seconds):
        end = time.monotonic() + seconds
        while self.lines_read() < count and time.monotonic() < end:
            time.sleep(0.1)
        return self.lines_read()

    def stop(self):
        Daemon.running.remove(self)
        self.process.terminate()
        self.process.wait(60)
        self.process.stderr.close()


def fill_ledger(path, count):
    """Active decisions as the daemon writes them, so that a start with many needs no log that led to them."""
    now = int(time.time() * 1e6)
    database = sqlite3.connect(path)
    columns = [row[1] for row in database.execute("PRAGMA table_info(decisions)")]
    example = database.execute("SELECT * FROM decisions LIMIT 1").fetchone()
    row = dict(zip(columns, example))
    key_id, key_prefix = columns[0], "prefix"

    def rows():
        for number in range(count):
            one = dict(row)
            one[key_id] = 10 + number
            one[key_prefix] = address(1000 + number)
            for name, value in row.items():
                if isinstance(value, int) and value > 1_000_000_000_000_000 and name != key_id:
                    one[name] = now if value <= now else now + DAY
            yield tuple(one[name] for name in columns)

    with database:
        database.execute("DELETE FROM decisions")
        database.executemany(f"INSERT INTO decisions VALUES ({','.join('?' * len(columns))})", rows())
    database.close()


def bench_replay(report, directory):
    generator, log = f"{directory}/generate_log", f"{directory}/million.log"
    subprocess.check_call(["g++", "-std=c++23", "-O2", "-o", generator, f"{ROOT}/tests/bench/generate_log.cpp"])
    with open(log, "wb") as out:
        subprocess.check_call([generator, "1000000", "100000"], stdout=out)
    replay, grep, rates, resident = [], [], [], 0
    for _ in range(7):
        grep.append(timed(["grep", "-c", "_IN Blocked", log])[0])
        seconds, peak, out = timed([PALANG, "replay", "--json", log])
        replay.append(seconds)
        rates.append(json.loads(out)["lines"] / seconds)
        resident = max(resident, peak)
    rate, ratio = statistics.median(rates), statistics.median(replay) / statistics.median(grep)
    report.figure("replay of 1,000,000 lines, end to end", rate, "lines/s", ">= 3,000,000", rate >= 3e6)
    report.figure("replay against grep -c on the same file", statistics.median(replay), "s", "<= 4 x grep", ratio <= 4,
                  statistics.median(grep), ratio)
    report.figure("replay, resident at most", resident / 1e6, "MB", "< 120", resident < 120e6)


def nft_listener():
    """Hears of every element that is added to a set in the namespace."""
    with open(f"/var/run/netns/{NAMESPACE}") as there, open("/proc/self/ns/net") as here:
        setns(there.fileno())
        listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        listener.bind((0, 0))
        listener.setsockopt(270, 1, NFNLGRP_NFTABLES)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
        setns(here.fileno())
    return listener


def setns(fd):  # os.setns came with Python 3.12
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:
        sys.exit("setns failed")


def bench_latency(report, directory):
    daemon = Daemon(directory, "latency")
    daemon.start()
    with open(daemon.log, "ab") as log:
        log.write(b"".join(csf_line(address(n), n) for n in range(100_000)))
    daemon.wait_for_lines(100_000, 60)
    time.sleep(2)
    listener = nft_listener()
    delays = []
    with open(daemon.log, "ab", buffering=0) as log:
        for number in range(500):
            source = address(200_000 + number)
            wanted = socket.inet_aton(source)
            time.sleep(random.uniform(0.002, 0.03))
            start = time.perf_counter()
            log.write(csf_line(source, number))
            listener.settimeout(5)
            while wanted not in listener.recv(1 << 16):
                pass
            delays.append((time.perf_counter() - start) * 1e3)
    listener.close()
    delays.sort()
    median, p99 = statistics.median(delays), delays[len(delays) * 99 // 100]
    report.figure("line appended to element in the kernel, 100,000 there", median, "ms", "median < 1", median < 1)
    report.figure("  the same, 99 of 100", p99, "ms", "p99 < 5", p99 < 5)

    before, count = daemon.loop_cpu_seconds(), 2000
    with open(daemon.log, "ab", buffering=0) as log:
        for number in range(count):
            log.write(csf_line(address(300_000 + number), number))
            time.sleep(0.002)
    time.sleep(0.5)
    each = (daemon.loop_cpu_seconds() - before) / count * 1e6
    report.figure("one more ban when 100,000 exist, CPU of the loop", each, "us", "< 100", each < 100)
    daemon.stop()


def added_bans(datagram):
    """The netlink messages of a datagram that tell of quiet bans which were added, as bytes."""
    at = 0
    while at + 16 <= len(datagram):
        length, kind = struct.unpack_from("=IH", datagram, at)
        if kind & 0xFF == NFT_MSG_NEWSETELEM and b"quiet4_32" in datagram[at:at + length]:
            yield datagram[at:at + length]
        at += max(16, length + 3 & ~3)


def bench_rebuild(report, directory):
    """nft flush ruleset, until the kernel has told of every ban again."""
    daemon = Daemon(directory, "rebuild")
    daemon.start()
    sources = [address(n) for n in range(1000)]
    with open(daemon.log, "ab") as log:
        log.write(b"".join(csf_line(source, n) for n, source in enumerate(sources)))
    daemon.wait_for_lines(len(sources), 10)
    listener = nft_listener()
    listener.settimeout(5)
    times = []
    for _ in range(15):
        time.sleep(0.3)
        while select.select([listener], [], [], 0)[0]:
            listener.recv(1 << 16)
        somebody = subprocess.Popen(["ip", "netns", "exec", NAMESPACE, "nft", "flush", "ruleset"])
        listener.recv(1 << 16)  # what was flushed
        start, told = time.perf_counter(), []
        while len(told) < len(sources):
            told += added_bans(listener.recv(1 << 16))
            end = time.perf_counter()
        text = b"".join(told)
        if any(socket.inet_aton(source) not in text for source in sources):
            sys.exit("not every ban is there again")
        times.append((end - start) * 1e3)
        somebody.wait(10)
    listener.close()
    median = statistics.median(times)
    report.figure("nft flush ruleset to 1,000 bans there again", median, "ms", "< 100", median < 100)
    daemon.stop()


def bench_start(report, directory):
    daemon = Daemon(directory, "start")
    daemon.start()
    with open(daemon.log, "ab") as log:
        log.write(csf_line("192.0.2.99", 1))
    daemon.wait_for_lines(1, 10)
    daemon.stop()
    subprocess.check_call(["ip", "netns", "exec", NAMESPACE, "nft", "delete", "table", "inet", "palang"])
    fill_ledger(daemon.ledger, 1_000_000)
    times, resident = [], 0
    for _ in range(3):
        times.append(daemon.start())
        resident = max(resident, daemon.memory("VmHWM"))
        bans = daemon.status()["bans"]
        if bans["in_kernel"] != 1_000_000:
            sys.exit(f"the kernel holds {bans['in_kernel']} of 1,000,000 bans")
        daemon.stop()
        subprocess.check_call(["ip", "netns", "exec", NAMESPACE, "nft", "delete", "table", "inet", "palang"])
    seconds = statistics.median(times)
    report.figure("start with 1,000,000 bans until all are in the kernel", seconds, "s", "< 5", seconds < 5)
    report.figure("  resident at most", resident / 1e6, "MB", "< 400", resident < 400e6)


def bench_flood(report, directory):
    """200,000 lines/s for 10 s from 20,000 sources: none lost, memory flat."""
    daemon = Daemon(directory, "flood")
    daemon.start()
    block = [b"".join(csf_line(address(random.randrange(20_000)), n) for n in range(2000)) for _ in range(50)]
    sent, peaks = 0, []
    start = time.monotonic()
    with open(daemon.log, "ab", buffering=0) as log:
        for tick in range(1000):
            log.write(block[tick % len(block)])
            sent += 2000
            if tick % 100 == 99:
                peaks.append(daemon.memory("VmRSS"))
            time.sleep(max(0.0, start + (tick + 1) * 0.01 - time.monotonic()))
    lasted = time.monotonic() - start
    read = daemon.wait_for_lines(sent, 30)
    growth = (peaks[-1] - peaks[3]) / 1e6
    report.figure("appended to a tailed file for 10 s", sent / lasted, "lines/s", ">= 190,000 offered", sent / lasted > 190e3)
    report.figure("  lines lost", sent - read, "lines", "0", sent == read)
    report.figure("  memory grown between second 4 and 10", growth, "MB", "< 20", growth < 20)
    daemon.stop()


def main():
    if not shutil.which("nft") or os.geteuid() != 0:
        sys.exit("bench gate: needs root and nft for the figures of the daemon")
    only = [argument for argument in sys.argv[1:] if argument != "--json"]
    report = Report("--json" in sys.argv)
    subprocess.check_call(["ip", "netns", "add", NAMESPACE])
    try:
        with tempfile.TemporaryDirectory(prefix="palang-bench-") as directory:
            for bench in (bench_replay, bench_latency, bench_rebuild, bench_start, bench_flood):
                if not only or bench.__name__.removeprefix("bench_") in only:
                    bench(report, directory)
    finally:
        for daemon in list(Daemon.running):
            daemon.stop()
        subprocess.call(["ip", "netns", "del", NAMESPACE])


if __name__ == "__main__":
    main()
