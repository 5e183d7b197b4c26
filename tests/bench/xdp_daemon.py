"""XDP with the real daemon: how soon a scan is in the ledger, a restart with many bans, a minute of forged sources.

Prints figures for xdp_report.py: name, value, unit. A world and a host, two namespaces joined by a cable.
"""

import ctypes
import mmap
import os
import platform
import signal
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

from gate import NAMESPACE, PALANG, ROOT, Daemon, address, fill_ledger, setns
from nflog import GATEWAY, HOST, WORLD, ip, syn

CLIENT = "192.0.2.77"  # no gateway, which would be exempt
OPEN_PORT = 80
BRIEF = "PALANG_BENCH_BRIEF" in os.environ
FLOOD_SECONDS = 10 if BRIEF else 60
FLOOD_RATE = 100_000
BPF_OBJ_GET = 7
LIBC = ctypes.CDLL(None, use_errno=True)


def figure(name, value, unit=""):
    print(f"{name}\t{value:.4g}\t{unit}", flush=True)


class XdpDaemon(Daemon):
    def __init__(self, directory, name):
        super().__init__(directory, name)
        self.bpffs = f"{self.base}/bpf"
        os.mkdir(self.bpffs)
        subprocess.check_call(["mount", "-t", "bpf", "bpf", self.bpffs])
        with open(f"{self.base}/palang.toml", "w") as config:
            config.write(f'[[source]]\ntype = "file"\npath = "{self.log}"\n[ledger]\npath = "{self.ledger}"\n'
                         f'[api]\nsocket = "{self.socket}"\n[log]\nlevel = "notice"\n[ban.widen]\nafter = 0\n'
                         f'[enforce]\nbackend = "xdp"\nbpffs = "{self.bpffs}"\n[rules]\nfollow = false\n')

    def kill(self):
        Daemon.running.remove(self)
        self.process.kill()
        self.process.wait(10)
        self.process.stderr.close()

    def unmount(self):
        subprocess.call(["umount", "--lazy", self.bpffs])


def inside(namespace, make):
    """What `make` returns, called in a network namespace."""
    with open(f"/var/run/netns/{namespace}") as there, open("/proc/self/ns/net") as here:
        setns(there.fileno())
        try:
            return make()
        finally:
            setns(here.fileno())


def join():
    for namespace in (NAMESPACE, WORLD):
        ip("netns", "add", namespace)
    ip("-n", NAMESPACE, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", WORLD)
    for namespace, own in ((NAMESPACE, HOST), (WORLD, GATEWAY)):
        for name in ("all", "default", "cable"):
            subprocess.check_call(["ip", "netns", "exec", namespace, "sysctl", "-q", f"net.ipv4.conf.{name}.rp_filter=0"])
        ip("-n", namespace, "link", "set", "lo", "up")
        ip("-n", namespace, "address", "add", f"{own}/24", "dev", "cable")
        ip("-n", namespace, "link", "set", "cable", "up")
    ip("-n", WORLD, "address", "add", f"{CLIENT}/24", "dev", "cable")
    ip("-n", NAMESPACE, "route", "add", "default", "via", GATEWAY)


def raw_socket():
    return inside(WORLD, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))


def bpf(command, attribute):
    number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
    buffer = ctypes.create_string_buffer(attribute.ljust(128, b"\0"), 128)
    done = LIBC.syscall(number, command, buffer, 128)
    if done < 0:
        sys.exit(f"bpf {command}: {os.strerror(ctypes.get_errno())}")
    return done


class Events:
    """The ring buffer's count of bytes that were ever written, in memory shared with the kernel."""

    def __init__(self, bpffs):
        [tables] = [name for name in os.listdir(f"{bpffs}/palang") if name.startswith("tables_")]
        path = ctypes.create_string_buffer(f"{bpffs}/palang/{tables}/events".encode())
        pinned = bpf(BPF_OBJ_GET, struct.pack("<QII", ctypes.addressof(path), 0, 0))
        self._page = mmap.mmap(pinned, mmap.PAGESIZE, prot=mmap.PROT_READ, offset=mmap.PAGESIZE)

    def written(self):
        return self._page[:8]


class LedgerWatch:
    """Looks at the count of SQLite's transactions, in memory shared with the writer: to ask it would slow that down."""

    def __init__(self, ledger):
        self._database = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, isolation_level=None)
        self.holds("none")
        with open(f"{ledger}-shm", "rb") as index:
            self._index = mmap.mmap(index.fileno(), 4096, prot=mmap.PROT_READ)

    def holds(self, prefix):
        return self._database.execute("SELECT 1 FROM decisions WHERE prefix = ?", (prefix,)).fetchone() is not None

    def transactions(self):
        return self._index[8:12]

    def wait_for(self, prefix, before):
        """When there was the first transaction after which the ledger holds the prefix."""
        end = time.perf_counter() + 5
        while True:
            while self.transactions() == before:
                if time.perf_counter() > end:
                    sys.exit(f"{prefix} is not in the ledger after 5 s")
            seen, before = time.perf_counter(), self.transactions()
            if self.holds(prefix):
                return seen


def bench_latency(directory):
    """The watcher on one processor, the daemon on others, and both before whatever else runs on a shared machine: the
    latency is to be palang's."""
    every = sorted(os.sched_getaffinity(0))
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    daemon = XdpDaemon(directory, "latency")
    os.sched_setaffinity(0, every[1:] or every)  # the daemon's, too
    daemon.start()
    os.sched_setaffinity(0, every[:1])
    orders, ordered = os.pipe()
    sender = os.fork()
    if sender == 0:  # on the daemon's processors, which it leaves at once when the daemon wakes up
        os.sched_setaffinity(0, every[1:] or every)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        raw = raw_socket()
        while order := os.read(orders, 8):
            raw.sendto(syn(socket.inet_ntoa(order[:4]), struct.unpack("!I", order[4:])[0]), (HOST, 0))
        os._exit(0)

    def send(source, port):
        os.write(ordered, socket.inet_aton(source) + struct.pack("!I", port))
    for port in (9000, 9001):
        send("198.18.255.1", port)
        time.sleep(0.5)
    watch, events, delays = LedgerWatch(daemon.ledger), Events(daemon.bpffs), []
    for number in range(300):
        source = f"198.18.{number // 2}.{number % 2 + 1}"
        send(source, 9000)
        time.sleep(0.01 + number % 7 / 500)
        before, written = watch.transactions(), events.written()
        send(source, 9001)
        while events.written() == written:
            pass
        start = time.perf_counter()
        delays.append((watch.wait_for(source, before) - start) * 1e6)
    os.close(ordered)
    os.kill(sender, signal.SIGTERM)
    os.waitpid(sender, 0)
    delays.sort()
    os.sched_setaffinity(0, every)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    figure("scan/event to recorded in the ledger, median", statistics.median(delays), "us")
    figure("scan/the same, 9 of 10", delays[len(delays) * 9 // 10], "us")
    daemon.stop()
    daemon.unmount()


def bench_restart(directory, bans):
    daemon = XdpDaemon(directory, f"restart{bans}")
    daemon.start()
    raw = raw_socket()
    for port in (9000, 9001):
        raw.sendto(syn("198.18.255.2", port), (HOST, 0))
    time.sleep(0.5)
    daemon.stop()
    daemon.unmount()
    subprocess.check_call(["mount", "-t", "bpf", "bpf", daemon.bpffs])
    fill_ledger(daemon.ledger, bans)
    figure(f"restart/{bans} bans, nothing in the kernel", daemon.start(), "s")
    if daemon.status()["bans"]["in_kernel"] != bans:
        sys.exit(f"the kernel holds {daemon.status()['bans']['in_kernel']} of {bans} bans")
    figure(f"restart/{bans} bans, daemon's memory at most", daemon.memory("VmHWM") / 1e6, "MB")
    figure(f"restart/{bans} bans, kernel's memory", daemon.status()["enforcement"]["kernel_bytes"] / 1e6, "MB")
    daemon.kill()
    figure(f"restart/{bans} bans, after kill -9", daemon.start(), "s")
    daemon.stop()
    daemon.unmount()


class Client:
    """Connects to the open port all along, each time anew, and notes how it went."""

    def __init__(self):
        listener = inside(NAMESPACE, lambda: socket.create_server((HOST, OPEN_PORT), backlog=512))
        self.served, self.failed, self.slowest = 0, 0, 0.0
        self.over = False
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    @staticmethod
    def _serve(listener):
        while True:
            listener.accept()[0].close()

    def _ask(self):
        with open(f"/var/run/netns/{WORLD}") as there:
            setns(there.fileno())  # of this thread alone
        while not self.over:
            start = time.perf_counter()
            try:
                with socket.create_connection((HOST, OPEN_PORT), 3, (CLIENT, 0)) as connection:
                    self.served += connection.recv(1) == b""
            except OSError:
                self.failed += 1
            self.slowest = max(self.slowest, time.perf_counter() - start)
            time.sleep(0.005)

    def stop(self):
        self.over = True
        self._thread.join()


def bench_flood(directory):
    """Each forged source comes twice, so that the program bans as many as it may."""
    flood = f"{directory}/flood"
    subprocess.check_call(["g++", "-std=c++23", "-O2", "-o", flood, f"{ROOT}/tests/bench/flood.cpp"])
    daemon = XdpDaemon(directory, "forged")
    client = Client()
    time.sleep(0.5)
    daemon.start()
    time.sleep(2.5)  # until it has seen that somebody listens
    cpu, began = daemon.loop_cpu_seconds(), time.monotonic()
    process = subprocess.Popen(["ip", "netns", "exec", WORLD, flood, HOST, str(FLOOD_RATE * FLOOD_SECONDS), "1000000000",
                                str(FLOOD_RATE), "2"], stdout=subprocess.PIPE, text=True)
    most = 0
    while process.poll() is None:
        most = max(most, daemon.status()["bans"]["in_kernel"])
        time.sleep(0.2)
    seconds = time.monotonic() - began
    client.stop()
    packets = daemon.status()["enforcement"]["packets"]
    figure("flood/offered", float(process.stdout.read()), "packets/s")
    figure("flood/most bans in the kernel", max(most, daemon.status()["bans"]["in_kernel"]))
    figure("flood/budget of bans", 1000 * (seconds + 2))
    figure("flood/connections of a client served", client.served)
    figure("flood/connections of a client that failed", client.failed)
    figure("flood/slowest connection", client.slowest * 1e3, "ms")
    figure("flood/daemon's CPU", (daemon.loop_cpu_seconds() - cpu) / seconds * 100, "%")
    for name in ("packet to a port nobody listens on", "dropped, nobody listens there, in a flood",
                 "event lost, the daemon didn't keep up", "tracked source evicted"):
        figure(f"flood/{name}", packets.get(name, 0))
    daemon.stop()
    daemon.unmount()


def main():
    join()
    with tempfile.TemporaryDirectory(prefix="palang-bench-") as directory:
        try:
            bench_latency(directory)
            for bans in () if BRIEF else (1_000_000, 2_000_000):
                bench_restart(directory, bans)
            bench_flood(directory)
        finally:
            for daemon in list(Daemon.running):
                daemon.stop()
            for entry in os.listdir(directory):
                if os.path.ismount(f"{directory}/{entry}/bpf"):
                    subprocess.call(["umount", "--lazy", f"{directory}/{entry}/bpf"])
            for namespace in (NAMESPACE, WORLD):
                subprocess.call(["ip", "netns", "del", namespace])


if __name__ == "__main__":
    main()
