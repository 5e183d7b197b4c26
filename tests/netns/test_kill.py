"""Promises 3 and 4: kill -9 at random moments, rotations under load."""

import os
import random
import re
import shutil
import threading
import time

from expect import check, equal, wait_until
from gate import LogFile, csf_line

ROUNDS = int(os.environ.get("PALANG_KILL_ROUNDS", "12"))
POLICY = {"ban": {"for": "1h", "quiet": "0s", "widen": {"after": 0}}}


class Writer(threading.Thread):
    """A syslog daemon under load: numbered lines, each of another source."""

    def __init__(self, log, per_second):
        super().__init__(daemon=True)
        self.log, self.per_second = log, per_second
        self.sources = []  # of all lines so far, in order
        self.lock = threading.Lock()  # held while a portion is written
        self._closing = threading.Event()

    def run(self):
        while not self._closing.is_set():
            with self.lock:
                self.portion(random.randint(1, self.per_second // 50))
            time.sleep(0.01)

    def portion(self, count):
        fresh = [source_of(len(self.sources) + i) for i in range(count)]
        text = "".join(csf_line(source) for source in fresh).encode()
        # A line may be cut in two by the writer's buffer.
        cut = random.randrange(len(text))
        self.log.append(text[:cut])
        self.log.append(text[cut:])
        self.sources += fresh

    def close(self):
        self._closing.set()
        self.join()


def source_of(number):
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def read_so_far(gate, log):
    """The sources in that part of an unrotated log which the ledger says was read."""
    rows = gate.query("SELECT value FROM positions WHERE source = ?", "file:" + log.path)
    if not rows:
        return set()
    offset = int(re.search(r"off=(\d+)", rows[0][0])[1])
    with open(log.path, "rb") as file:
        return set(re.findall(r"SRC=(\S+)", file.read(offset).decode()))


def expect_each_banned_once(gate, sources):
    rows = dict(gate.query("SELECT prefix, count(*) FROM decisions GROUP BY prefix"))
    lost = [source for source in sources if source not in rows]
    twice = [source for source, count in rows.items() if count != 1]
    equal((lost[:5], twice[:5], len(rows)), ([], [], len(sources)), "lost, decided twice, decisions")
    evidence = dict(gate.query("SELECT address, count(*) FROM evidence GROUP BY address"))
    equal([s for s, count in evidence.items() if count != 1][:5], [], "sources whose one line is kept more than once")
    equal(len(evidence), len(sources), "lines kept as evidence")


def wait_until_all_are_banned(gate, writer):
    wanted = set(writer.sources)
    wait_until(lambda: gate.ledger() == wanted, f"all {len(wanted)} are in the ledger", 30, every=0.1)
    wait_until(lambda: set(gate.kernel()) == wanted, f"all {len(wanted)} are in the kernel", 10, every=0.1)
    equal(set(gate.bans()), wanted, "the daemon's list")
    wait_until(lambda: gate.status()["bans"]["in_kernel"] == len(wanted), "status on what the kernel holds")


def test_promise_3_and_4_kill_at_random_moments(gate):
    gate.config(**POLICY)
    writer = Writer(gate.log, per_second=1000 if ROUNDS < 50 else 300)
    gate.finally_do(writer.close)
    writer.start()
    for _ in range(ROUNDS):
        held_before = set(gate.kernel() or {})
        gate.launch()
        # Sometimes it is killed while it starts, sometimes at work.
        time.sleep(random.choice([random.uniform(0, 0.1), random.uniform(0.1, 0.6)]))
        gate.kill()
        held = set(gate.kernel() or {})
        check(held_before <= held, f"a restart opened the gate for {list(held_before - held)[:5]}")
        with writer.lock:
            known = gate.ledger()
            read = read_so_far(gate, gate.log) if known else set()
            check(known == read, f"ledger and read position disagree: {len(known)} decisions, {len(read)} lines read; "
                                 f"{list(known ^ read)[:5]}")
            check(known <= held, f"in the ledger, not in the kernel: {list(known - held)[:5]}")
            check(held <= set(writer.sources), "the kernel holds what nobody logged")
    gate.start()
    writer.close()
    wait_until_all_are_banned(gate, writer)
    equal(gate.counters()["events_stopped"], 0, "lines counted twice")
    expect_each_banned_once(gate, writer.sources)


class Rotator:
    """Rotates as logrotate does, between two writes. At most nine rotated files are kept."""

    def __init__(self, log, writer):
        self.path, self.writer = log.path, writer

    def _shift(self):
        for number in range(8, 0, -1):
            if os.path.exists(f"{self.path}.{number}"):
                os.rename(f"{self.path}.{number}", f"{self.path}.{number + 1}")

    def rename(self):
        with self.writer.lock:
            self._shift()
            os.rename(self.path, f"{self.path}.1")
            LogFile(self.path)

    def copytruncate(self):
        with self.writer.lock:
            self._shift()
            shutil.copy2(self.path, f"{self.path}.1")
            os.truncate(self.path, 0)

    def delete_and_recreate(self):
        with self.writer.lock:
            os.unlink(self.path)
            LogFile(self.path)


def all_at_work(gate, rotations, seconds=0.4):
    """Rotations under load while the daemon runs: every line is counted, and once."""
    gate.config(**POLICY)
    gate.start()
    writer = Writer(gate.log, per_second=2000)
    gate.finally_do(writer.close)
    rotator = Rotator(gate.log, writer)
    writer.start()
    for rotation in rotations:
        time.sleep(random.uniform(seconds / 2, seconds))
        getattr(rotator, rotation)()
    time.sleep(seconds)
    writer.close()
    wait_until_all_are_banned(gate, writer)
    equal(gate.status()["sources"][0]["lines"], len(writer.sources), "lines read")
    expect_each_banned_once(gate, writer.sources)


def test_promise_4_rotated_by_rename_under_load(gate):
    all_at_work(gate, ["rename"] * 8)


def test_promise_4_rotated_by_copytruncate_under_load(gate):
    all_at_work(gate, ["copytruncate"] * 8)


def test_promise_4_deleted_and_recreated_under_load(gate):
    all_at_work(gate, ["delete_and_recreate"] * 8)


def test_promise_4_rotated_in_every_way_under_load(gate):
    all_at_work(gate, random.choices(["rename", "copytruncate", "delete_and_recreate"], k=10))


def rotated_while_down(gate, rotations):
    """The same with kill -9, and rotations while no daemon runs."""
    gate.config(**POLICY)
    writer = Writer(gate.log, per_second=1000)
    gate.finally_do(writer.close)
    rotator = Rotator(gate.log, writer)
    writer.start()
    for rotation in rotations:
        gate.start()
        time.sleep(random.uniform(0.05, 0.3))
        gate.kill()
        time.sleep(0.1)
        getattr(rotator, rotation)()
        time.sleep(random.uniform(0, 0.2))
    gate.start()
    writer.close()
    wait_until_all_are_banned(gate, writer)
    expect_each_banned_once(gate, writer.sources)


def test_promise_4_rotated_by_rename_while_dead(gate):
    rotated_while_down(gate, ["rename"] * 5)


def test_promise_4_rotated_by_copytruncate_while_dead(gate):
    rotated_while_down(gate, ["copytruncate"] * 5)


def test_promise_4_rotated_twice_while_dead(gate):
    gate.config(**POLICY)
    writer = Writer(gate.log, per_second=1000)
    rotator = Rotator(gate.log, writer)
    writer.portion(200)
    gate.start()
    wait_until_all_are_banned(gate, writer)
    writer.portion(50)
    gate.kill()
    for rotation in (rotator.rename, rotator.copytruncate):
        writer.portion(100)
        rotation()
        time.sleep(0.02)  # the order of rotated files is that of their last change
    writer.portion(100)
    gate.start()
    wait_until_all_are_banned(gate, writer)
    expect_each_banned_once(gate, writer.sources)


def test_promise_3_counts_survive_kill(gate):
    gate.config(detect={"blocked": {"after": 3, "within": "10m"}}, **POLICY)
    gate.start()
    stranger, other = gate.stranger(), gate.stranger()
    gate.log.blocked(stranger, stranger, other)
    wait_until(lambda: gate.counters()["events_watched"] == 3, "three lines are watched")
    gate.kill()
    gate.start()
    equal(gate.bans(), {}, "bans after two lines")
    gate.log.blocked(stranger)
    ban = gate.wait_until_banned(stranger)
    equal(ban["count"], 3, "lines it is banned for")
    gate.log.blocked(other)
    wait_until(lambda: gate.counters()["events_watched"] == 1, "the other's second line is read")
    check(other not in gate.bans(), "two lines of the other")
    equal(len(gate.ask("why", stranger)["evidence"]), 3, "lines shown by why")


def test_promise_3_offenders_are_remembered_over_kill(gate):
    """Doubling and widening go on where they were, for bans that stand and for those that are over."""
    gate.config(ban={"for": "1s", "quiet": "0s"})
    gate.start()
    again, network, other = gate.stranger(), gate.network(), gate.network()
    gate.log.blocked(again, f"{network}1", f"{network}2", f"{network}3")
    gate.wait_until_banned(again, f"{network}1", f"{network}2", f"{network}3")
    wait_until(lambda: not gate.bans() and not gate.ledger(), "they are over")
    gate.config(ban={"for": "1h"})
    gate.ask("reload")
    gate.log.blocked(f"{other}1", f"{other}2", f"{other}3")
    gate.wait_until_banned(f"{other}1", f"{other}2", f"{other}3")
    gate.kill()
    gate.start()
    gate.log.blocked(again, f"{network}4", f"{other}4")
    gate.wait_until_banned(again, f"{network}0/24", f"{other}0/24")
    equal(gate.bans()[again]["repeat"], 1, "earlier decisions that are remembered")
    check(7100 < gate.kernel()[again]["expires"] <= 7200, "twice as long")


def test_promise_3_bans_come_back_after_a_reboot(gate):
    gate.config(ban={"for": "1h"})
    gate.start()
    strangers = [gate.stranger() for _ in range(3)]
    gate.log.blocked(*strangers)
    gate.ask("ban", "203.0.113.0/24", "--for", "2h", "--reason", "by hand")
    gate.wait_until_banned(*strangers)
    before = gate.bans()
    gate.kill()
    gate.host.run("nft", "flush", "ruleset")  # a reboot empties the kernel
    gate.start()
    gate.wait_until_banned(*strangers, "203.0.113.0/24")
    after = gate.bans()
    for prefix, ban in before.items():
        for key in ("id", "scope", "until", "from", "reason", "note"):
            equal(after[prefix][key], ban[key], f"{key} of {prefix}")
    check(7000 < gate.kernel()["203.0.113.0/24"]["expires"] <= 7200, "the kernel knows the old end")
