"""A host behind its gate: two namespaces joined by a cable, a firewall like CSF's, and the real palang daemon.

    world  192.0.2.254, 2001:db8:0:1::fe  the host's gateway, and every address of 198.18.0.0/15, 198.51.100.0/24,
                                          203.0.113.0/24 and 2001:db8:bad::/48
    host   192.0.2.1,   2001:db8:0:1::1   the guarded one; tcp/22 and tcp/80 are open, the rest is logged and dropped

Tests are functions `test_…(gate)` in test_*.py; run.py makes them a Gate and takes everything away afterwards.
"""

import datetime
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time

from expect import check, equal, wait_until
from needs import binary, require_kernel_lines
from wire import Namespace

HOST, HOST6 = "192.0.2.1", "2001:db8:0:1::1"
GATEWAY, GATEWAY6 = "192.0.2.254", "2001:db8:0:1::fe"
OPEN_PORT = 80
CLOSED_PORT = 8083

FIREWALL = """
table inet firewall {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    tcp dport { 22, 80 } accept
    udp dport 5000-5010 accept
    icmp type echo-request accept
    icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
    meta nfproto ipv4 meta l4proto tcp log prefix "Firewall: *TCP_IN Blocked* " counter name refused drop
    meta nfproto ipv4 meta l4proto udp log prefix "Firewall: *UDP_IN Blocked* " counter name refused drop
    meta nfproto ipv6 meta l4proto tcp log prefix "Firewall: *TCP6IN Blocked* " counter name refused drop
  }
  counter refused { }
}
table ip nat_of_docker {
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 172.17.0.0/16 masquerade
  }
}
"""


def timestamp(at=None):
    """As rsyslog writes it: 2025-01-12T00:30:41.931343+07:00."""
    moment = datetime.datetime.fromtimestamp(time.time() if at is None else at, datetime.timezone.utc)
    return moment.astimezone(datetime.timezone(datetime.timedelta(hours=7))).isoformat(timespec="microseconds")


def csf_line(source, port=CLOSED_PORT, at=None, protocol="TCP"):
    v6 = ":" in source
    kind = protocol + ("6IN" if v6 else "_IN")
    rest = "WINDOW=50169 RES=0x00 SYN URGP=0" if protocol == "TCP" else "LEN=20"
    return (f"{timestamp(at)} web1 kernel: Firewall: *{kind} Blocked* IN=eth0 OUT= "
            f"MAC=52:54:00:00:00:01:52:54:00:00:00:02:08:00 SRC={source} DST={HOST6 if v6 else HOST} LEN=40 TOS=0x00 "
            f"PREC=0x00 TTL=15 ID=11223 PROTO={protocol} SPT=64490 DPT={port} {rest}\n")


class LogFile:
    """A log that a syslog daemon appends to."""

    def __init__(self, path):
        self.path = path
        self.append()

    def append(self, *lines):
        with open(self.path, "ab", buffering=0) as file:
            file.write(b"".join(line if isinstance(line, bytes) else line.encode() for line in lines))

    def blocked(self, *sources, **details):
        self.append("".join(csf_line(source, **details) for source in sources))


def addresses_in_kernel_log():
    """The sources of the firewall lines that the kernel still remembers."""
    found = set()
    try:
        device = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return found
    try:
        while True:
            try:
                found.update(re.findall(r" SRC=(\S+)", os.read(device, 8192).decode(errors="replace")))
            except BrokenPipeError:  # overwritten before it was read
                continue
    except OSError:  # there is no more
        return found
    finally:
        os.close(device)


class Reply:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}, out {self.out!r}, err {self.err!r}"


def toml(tree, path=""):
    """A nested dict as TOML."""
    tables, arrays, own = [], [], []
    for key, value in tree.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            tables.append(toml(value, name))
        elif isinstance(value, list) and value and isinstance(value[0], dict) and key == "source":
            arrays += [f"[[{name}]]\n" + toml(entry) for entry in value]
        else:
            own.append(f"{key} = {json.dumps(value)}\n")
    return (f"[{path}]\n" if path and own else "") + "".join(own + tables + arrays)


class Gate:
    def __init__(self):
        self.binary = binary()
        self.tag = f"palang-netns-{os.getpid()}"
        self.directory = tempfile.mkdtemp(prefix=self.tag + "-", dir="/tmp")
        self.socket = self.path("palang.sock")
        self.ledger_path = self.path("state/palang.db")
        self.log = LogFile(self.path("kern.log"))
        self.interface = f"eth{os.getpid()}"  # the kernel log is common to all namespaces: this tells whose a line is
        self.daemon = None
        self.messages = self.path("daemon.log")
        self._used = set()  # networks
        self._logged = None
        self._undo = []
        self._namespaces = []
        self.host = self.world = None

    def open(self):
        self.world = self.namespace("world")
        self.host = self.namespace("host")
        self._join()

    def path(self, name):
        return os.path.join(self.directory, name)

    def finally_do(self, undo):
        self._undo.append(undo)

    def namespace(self, role):
        namespace = Namespace(f"{self.tag}-{role}")
        self._namespaces.append(namespace)
        return namespace

    def _join(self):
        host, world = self.host, self.world
        for namespace in (host, world):
            namespace.sysctl(net__ipv6__conf__all__accept_dad=0, net__ipv6__conf__default__accept_dad=0,
                             net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0)
        host.ip(f"link add {self.interface} type veth peer name eth0 netns {world.name}", "link set lo up",
                f"address add {HOST}/24 dev {self.interface}", f"address add {HOST6}/64 dev {self.interface} nodad",
                f"link set {self.interface} up", f"route add default via {GATEWAY}",
                f"route add default via {GATEWAY6}")
        world.ip("link set lo up", f"address add {GATEWAY}/24 dev eth0", f"address add {GATEWAY6}/64 dev eth0 nodad",
                 "link set eth0 up", "route add local 198.18.0.0/15 dev lo", "route add local 198.51.100.0/24 dev lo",
                 "route add local 203.0.113.0/24 dev lo", "route add local 2001:db8:bad::/48 dev lo")
        host.run("nft", "-f", "-", text=FIREWALL)

    def close(self):
        undo = [self._stop_daemon, *self._undo, *(namespace.remove for namespace in self._namespaces),
                lambda: shutil.rmtree(self.directory)]
        troubles = []
        for step in undo:
            try:
                step()
            except Exception as error:  # the others must be undone nevertheless
                troubles.append(repr(error))
        if troubles:
            raise RuntimeError("cleaning up: " + "; ".join(troubles))

    def _stop_daemon(self):
        if self.daemon is not None:
            self.kill()

    # Addresses that nobody used before: a test that reads the kernel log reads the lines of earlier tests, too.

    def stranger(self):
        if self._logged is None:
            self._logged = addresses_in_kernel_log()
        while True:
            address = self.network() + str(random.randint(1, 254))
            if address not in self._logged:
                return address

    def network(self):
        """"198.18.7.": a /24 of its own."""
        while True:
            network = f"198.{random.randint(18, 19)}.{random.randint(0, 255)}."
            if network not in self._used:
                self._used.add(network)
                return network

    def stranger6(self):
        return f"2001:db8:bad:{random.randint(1, 0xffff):x}::{random.randint(1, 0xffff):x}"

    # The daemon.

    def config(self, source="file", **sections):
        """Writes palang.toml. `source`: "file" for self.log, the path of another log, None for what palang finds."""
        tree = {"ledger": {"path": self.ledger_path}, "api": {"socket": self.socket}, "log": {"level": "debug"},
                "rules": {"follow": False},  # this machine's own logs are none of the tests'
                "enforce": {"backend": "nftables"}}
        for name, section in sections.items():
            tree[name] = {**tree.get(name, {}), **section} if isinstance(section, dict) else section
        scalars = {name: value for name, value in tree.items() if not isinstance(value, dict)}
        text = toml(scalars) + toml({name: value for name, value in tree.items() if isinstance(value, dict)})
        if source is not None:
            path = self.log.path if source == "file" else source
            text += toml({"source": [{"type": "file", "path": path, "start": "beginning"}]})
        with open(self.path("palang.toml"), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path("palang.toml")

    def launch(self, *arguments, stdin=subprocess.DEVNULL, environment=None, by=()):
        """Starts the daemon without waiting for it. `by`: the words of a program that becomes it."""
        with self.host, open(self.messages, "ab") as messages:
            self.daemon = subprocess.Popen(
                [*by, self.binary, "daemon", "--config", self.path("palang.toml"), *arguments], stdin=stdin,
                stdout=messages, stderr=messages, env={**os.environ, **(environment or {})})
        return self.daemon

    def start(self, *arguments, **options):
        """Starts the daemon and waits until it answers."""
        self.launch(*arguments, **options)
        self.wait_until_ready()

    def wait_until_ready(self, seconds=20):
        def answers():
            check(self.daemon.poll() is None, f"the daemon ended by itself:\n{self.said()}")
            return self.palang("status").code == 0
        wait_until(answers, "the daemon answers", seconds)

    def kill(self):
        """kill -9."""
        self.daemon.kill()
        self.daemon.wait(10)
        self.daemon = None

    def stop(self, *arguments):
        """palang stop; returns the daemon's exit code."""
        reply = self.palang("stop", *arguments)
        equal(reply.code, 0, f"palang stop ({reply})")
        return self.wait_until_stopped()

    def wait_until_stopped(self):
        code = self.daemon.wait(15)
        self.daemon = None
        return code

    def signal(self, number):
        self.daemon.send_signal(number)

    def said(self):
        with open(self.messages, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_message(self, pattern, seconds=10):
        return wait_until(lambda: re.search(pattern, self.said()), f"the daemon says /{pattern}/", seconds)

    # The commands.

    def palang(self, *arguments, **options):
        with self.host:
            return Reply(subprocess.run([self.binary, *arguments, "--socket", self.socket], capture_output=True,
                                        text=True, timeout=30, check=False, stdin=subprocess.DEVNULL, **options))

    def ask(self, *arguments):
        """A command that must succeed; its JSON."""
        reply = self.palang(*arguments, "--json")
        equal(reply.code, 0, f"palang {' '.join(arguments)} ({reply})")
        return reply.json

    def status(self):
        return self.ask("status")

    def counters(self):
        return self.status()["counters"]

    def bans(self):
        """prefix → ban, as `palang list` tells."""
        return {ban["prefix"]: ban for ban in self.ask("list")["bans"]}

    def wait_until_banned(self, *prefixes, seconds=10):
        """All these are banned, in the daemon's list and in the kernel; returns the last one's ban."""
        def banned():
            bans, kernel = self.bans(), self.kernel()
            return bans[prefixes[-1]] if all(p in bans and p in kernel for p in prefixes) else None
        return wait_until(banned, f"{', '.join(prefixes)} banned", seconds)

    def wait_until_read(self, lines, seconds=20):
        """So many lines were read since the start of the daemon."""
        def read():
            return sum(source["lines"] for source in self.status()["sources"]) >= lines
        wait_until(read, f"{lines} lines are read", seconds)

    # What strangers notice, on ports that are closed to the public: a ping is answered, or isn't.

    def lets_in(self, address):
        return self.world.pings(address, HOST6 if ":" in address else HOST, patience=3)

    def shuts_out(self, address):
        return not self.world.pings(address, HOST6 if ":" in address else HOST)

    # The kernel and the ledger, past the daemon.

    def kernel(self):
        """prefix → {scope, expires (seconds), packets}: what our table holds; None without a table."""
        with self.host:
            done = subprocess.run(["nft", "-j", "list", "table", "inet", "palang"], capture_output=True, text=True,
                                  timeout=30, check=False)
        if done.returncode != 0:
            return None
        held = {}
        for entry in json.loads(done.stdout)["nftables"]:
            found = re.fullmatch(r"(full|quiet)([46])_(\d+)(_\d+)?", entry.get("set", {}).get("name", ""))
            if not found:
                continue
            length = int(found[3])
            single = length == (32 if found[2] == "4" else 128)
            for wrapped in entry["set"].get("elem", []):
                element = wrapped["elem"]
                prefix = element["val"] + ("" if single else f"/{length}")
                held[prefix] = {"scope": found[1], "expires": element["expires"],
                                "packets": element.get("counter", {}).get("packets", 0)}
        return held

    def refused(self):
        """Packets that got as far as the firewall's closed ports."""
        return json.loads(self.host.run("nft", "-j", "list", "counters", "table", "inet", "firewall")
                          )["nftables"][1]["counter"]["packets"]

    def tables_of_others(self):
        """Every table but ours, as text with handles and without counts."""
        listed = json.loads(self.host.run("nft", "-j", "list", "tables"))["nftables"]
        names = [(t["table"]["family"], t["table"]["name"]) for t in listed if "table" in t]
        return {name: self.host.run("nft", "-a", "-s", "list", "table", *name) for name in sorted(names)
                if name != ("inet", "palang")}

    def query(self, sql, *values):
        database = sqlite3.connect(f"file:{self.ledger_path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def ledger(self):
        """Prefixes of the active decisions on disk; none as long as there are no tables."""
        tables = os.path.exists(self.ledger_path) and self.query("SELECT name FROM sqlite_master")
        if not tables or ("decisions",) not in tables:
            return set()
        return {prefix for (prefix,) in self.query("SELECT prefix FROM decisions WHERE ended_at IS NULL")}

    def everything_agrees(self):
        """Ledger, kernel and daemon hold the same prefixes."""
        return set(self.bans()) == set(self.kernel() or {}) == self.ledger()

    # Real kernel lines in a file.

    def syslog_kernel_lines(self):
        """Begins to copy the firewall's lines from the kernel log to self.log, as rsyslog would."""
        require_kernel_lines()
        device = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(device, 0, os.SEEK_END)
        closing = threading.Event()
        own = f"IN={self.interface} "

        def copy():
            while not closing.wait(0.005):
                try:
                    while True:
                        text = os.read(device, 8192).decode(errors="replace").split(";", 1)[1].split("\n")[0]
                        if "Blocked*" in text and own in text:
                            self.log.append(f"{timestamp()} web1 kernel: {text}\n")
                except (BlockingIOError, BrokenPipeError):
                    pass
            os.close(device)

        copier = threading.Thread(target=copy, daemon=True)
        copier.start()
        self.finally_do(lambda: (closing.set(), copier.join()))
