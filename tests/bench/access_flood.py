"""An nginx access log at 100,000 lines/s for 10 s, and floods hidden in it: ./bench.sh rules runs this, too.

The real daemon, all rules that ship, ledger and nftables in a network namespace of its own. What is measured: whether
every line is read, and how long after the write of its last line a flood is banned, as a watcher of the API learns it.
"""

import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PALANG = os.environ.get("PALANG_BINARY", f"{ROOT}/build/release/palang")
NAMESPACE = f"palang-flood-{os.getpid()}"
RATE, SECONDS, CHUNK = 100_000, 10, 1_000
FLOODS = ["192.0.2.7", "198.51.100.7", "203.0.113.7", "2001:db8:1::7", "2001:db8:2::7"]  # of five networks
FLOOD_LINES = 1_200  # http-flood takes more than 1,000 at once

CONFIG = """
[rules]
directories = ["{directory}/rules.d"]
follow = false
[[source]]
type = "file"
path = "{log}"
[ledger]
path = "{directory}/palang.db"
[api]
socket = "{directory}/palang.sock"
[log]
level = "warning"
"""

OVERRIDE = """
[[override]]
name = "{name}"
files = ["{log}"]
"""

AGENT = b'"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"'
PATHS = [b"/", b"/index.html", b"/static/app.js", b"/api/v1/items?page=3", b"/images/logo.png", b"/feed.xml"]


def line(source, path):
    return source + b' - - [@TIME@] "GET ' + path + b' HTTP/1.1" 200 5316 "https://www.example.net/" ' + AGENT + b"\n"


def visitor():
    return b"198.%d.%d.%d" % (random.randint(18, 19), random.randrange(256), random.randrange(1, 255))


def now_text():
    return time.strftime("%d/%b/%Y:%H:%M:%S %z").encode()


def get(path, target):
    """A reply of the API, as a stream of bytes."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(f"GET {target} HTTP/1.0\r\nHost: palang\r\n\r\n".encode())
    return connection


class Watcher(threading.Thread):
    """When each prefix was banned, by the clock of this process."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.banned = {}
        self._connection = get(path, "/v1/watch")

    def run(self):
        rest = b""
        while data := self._connection.recv(65536):
            at = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            for text in lines:
                found = text.find(b'"prefix":"')
                if found >= 0 and b'"change":"added"' in text:
                    self.banned.setdefault(text[found + 10:].split(b'"')[0].decode(), at)


def status(directory):
    out = subprocess.run([PALANG, "status", "--json", "--socket", f"{directory}/palang.sock"], capture_output=True,
                         text=True, check=False).stdout
    return json.loads(out) if out else None


def write_log(log):
    """Writes at the wanted rate; returns how many lines, and when each flood's last line was written."""
    chunks = [b"".join(line(visitor(), random.choice(PATHS)) for _ in range(CHUNK)) for _ in range(200)]
    floods, written, late = {}, 0, 0.0
    total = RATE * SECONDS // CHUNK
    at_chunk = {total * (i + 1) // (len(FLOODS) + 1): source for i, source in enumerate(FLOODS)}
    start = time.monotonic()
    for i in range(total):
        due = start + i * CHUNK / RATE
        ahead = due - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        late = max(late, -ahead)
        text = chunks[i % len(chunks)].replace(b"@TIME@", now_text())
        os.write(log, text)
        written += CHUNK
        if i in at_chunk:
            source = at_chunk[i]
            os.write(log, (line(source.encode(), b"/") * FLOOD_LINES).replace(b"@TIME@", now_text()))
            floods[source] = time.monotonic()
            written += FLOOD_LINES
    return written, time.monotonic() - start, floods, late


def report(as_json, name, value, unit, goal, reached):
    row = {"name": name, "value": round(value, 3), "unit": unit, "reference": None, "ratio": None, "goal": goal,
           "reached": bool(reached)}
    print(json.dumps(row) if as_json else f"{name:58} {value:>12,.3f} {unit:8} {goal}: {'yes' if reached else 'NO'}",
          flush=True)


def main():
    as_json = "--json" in sys.argv
    directory = tempfile.mkdtemp(prefix="palang-flood-")
    path = f"{directory}/access.log"
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.mkdir(f"{directory}/rules.d")
    with open(f"{directory}/rules.d/here.toml", "w", encoding="ascii") as file:
        for name in ("http-flood", "http-flood-network", "http-probe", "http-404", "http-scanner", "http-injection"):
            file.write(OVERRIDE.format(name=name, log=path))
    with open(f"{directory}/palang.toml", "w", encoding="ascii") as file:
        file.write(CONFIG.format(directory=directory, log=path))
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    daemon = subprocess.Popen(["ip", "netns", "exec", NAMESPACE, PALANG, "daemon", "--config",
                               f"{directory}/palang.toml"])
    try:
        end = time.monotonic() + 20
        while (known := status(directory)) is None:
            if time.monotonic() > end or daemon.poll() is not None:
                sys.exit("the daemon doesn't answer")
            time.sleep(0.05)
        if known["counters"]["rules_loaded"] < 5:
            sys.exit("the rules that ship are not there")
        watcher = Watcher(f"{directory}/palang.sock")
        watcher.start()
        written, seconds, floods, late = write_log(log)
        end = time.monotonic() + 60
        while sum(s["lines"] for s in status(directory)["sources"]) < written and time.monotonic() < end:
            time.sleep(0.05)
        behind = time.monotonic()
        known = status(directory)
        read = sum(s["lines"] for s in known["sources"])
        waits = [(watcher.banned.get(source, behind) - at) * 1000 for source, at in floods.items()]
        report(as_json, "access log: lines/s written", written / seconds, "lines/s", f"{RATE} for {SECONDS} s",
               written / seconds > 0.95 * RATE)
        report(as_json, "access log: lines lost", written - read, "lines", "0",
               written == read and sum(s["lost_lines"] + s["cut_lines"] for s in known["sources"]) == 0)
        report(as_json, "access log: flood to ban, median", statistics.median(waits), "ms", "at most 100",
               statistics.median(waits) <= 100)
        report(as_json, "access log: flood to ban, worst", max(waits), "ms", "all are banned",
               all(source in watcher.banned for source in floods))
        if late > 0.1 and not as_json:
            print(f"(the writer itself was up to {late * 1000:.0f} ms late: this machine is busy)")
    finally:
        daemon.terminate()
        daemon.wait(30)
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
