"""Promises 3 and 6: our table in the kernel, what happens to it, and what never happens to others."""

import signal
import threading
import time

from expect import check, equal, stays, wait_until
from gate import HOST, HOST6, OPEN_PORT
from wire import echoes

STREAM_PORT = 5000
OTHER_PORT = 5001


class Stream(threading.Thread):
    """Numbered datagrams from one address, one each millisecond, and how many arrive at the host's socket."""

    def __init__(self, gate, source, port):
        super().__init__(daemon=True)
        self.sender, self.receiver = gate.world.udp(source), gate.host.udp("0.0.0.0", port)
        self.receiver.setblocking(False)
        self.target = (HOST, port)
        self.sent = 0
        self._closing = threading.Event()
        gate.finally_do(self.close)

    def run(self):
        while not self._closing.is_set():
            self.sender.sendto(str(self.sent).encode(), self.target)
            self.sent += 1
            time.sleep(0.001)

    def close(self):
        self._closing.set()
        if self.ident:
            self.join()

    def arrived(self):
        """How many arrived since the last call."""
        count = 0
        while True:
            try:
                self.receiver.recv(100)
                count += 1
            except BlockingIOError:
                return count


def restart(gate, how):
    how()
    time.sleep(0.05)
    gate.start()
    time.sleep(0.1)


def test_promise_3_restart_neither_opens_nor_closes_the_gate(gate):
    banned, welcome = gate.stranger(), gate.stranger()
    bad, good = Stream(gate, banned, STREAM_PORT), Stream(gate, welcome, OTHER_PORT)
    listener = gate.host.listen("0.0.0.0", OPEN_PORT)
    quiet = gate.stranger()
    gate.config(ban={"for": "1h"})
    gate.start()
    gate.log.blocked(quiet)
    gate.wait_until_banned(quiet)
    gate.ask("ban", banned)
    bad.start()
    good.start()
    wait_until(lambda: good.sent > 50 and bad.sent > 50, "packets flow")
    connection = gate.world.connect(quiet, HOST, OPEN_PORT, 3)
    there = listener.accept()[0]
    ways = {"kill -9": gate.kill, "palang stop": gate.stop,
            "SIGTERM": lambda: (gate.signal(signal.SIGTERM), gate.wait_until_stopped())}
    for _ in range(2):
        for name, how in ways.items():
            restart(gate, how)
            equal(bad.arrived(), 0, f"packets of the banned that arrived during {name} and start")
            check(gate.shuts_out(quiet), f"the quiet ban holds after {name}")
            check(echoes(connection, there), f"the connection to the open port lives after {name}")
    gate.ask("reload")
    good.close()
    bad.close()
    time.sleep(0.1)
    equal(bad.arrived(), 0, "packets of the banned that arrived")
    equal(good.arrived(), good.sent, "packets of the welcome that arrived")


def ruin_and_wait(gate, ruin, rounds):
    """Ruins the table some times, and waits each time until it is whole again; ./bench.sh measures how fast that is."""
    whole = sorted(gate.kernel())
    for _ in range(rounds):
        ruin()
        wait_until(lambda: sorted(gate.kernel() or {}) == whole, "the table is rebuilt", 5, every=0.001)
        time.sleep(0.05)


def stand_with_bans(gate):
    """A daemon with bans of all kinds and a stream from a banned address."""
    gate.config(ban={"for": "1h"})
    gate.start()
    stranger, banned = gate.stranger(), gate.stranger()
    gate.log.blocked(stranger, gate.stranger6())
    gate.wait_until_banned(stranger)
    for prefix in (banned, "203.0.113.0/24", "2001:db8:bad:66::/64"):
        gate.ask("ban", prefix)
    gate.ask("allow", "203.0.113.7")
    return stranger, banned


RUINS = {
    "flush_ruleset": ("flush", "ruleset"),
    "delete_table": ("delete", "table", "inet", "palang"),
    "flush_table": ("flush", "table", "inet", "palang"),
    "flush_set": ("flush", "set", "inet", "palang", "full4_32"),
    "flush_chain": ("flush", "chain", "inet", "palang", "gate_full"),
}


def rebuilt_at_once(gate, name, rounds=5):
    _, banned = stand_with_bans(gate)
    structure = without_elements(gate)
    rebuilds = gate.counters()["kernel_table_rebuilds"]
    ruin_and_wait(gate, lambda: gate.host.run("nft", *RUINS[name]), rounds)
    stream = Stream(gate, banned, STREAM_PORT)
    # The host watch finds the new socket within two seconds; a set that gets its first element is still the same set.
    wait_until(lambda: str(STREAM_PORT) in gate.status()["open_ports"]["udp"], "the stream's port is known to be open")
    wait_until(lambda: gate.counters()["kernel_table_rebuilds"] >= rebuilds + rounds, "each rebuild is counted")
    check("somebody changed our nftables table" in gate.said(), "it is said in the log")
    wait_until(lambda: without_elements(gate) == structure, "chains, rules and sets are as before")
    status = gate.status()
    equal(status["bans"]["in_kernel"], status["bans"]["intended"], "status: bans in the kernel")
    stream.start()
    wait_until(lambda: stream.sent > 50, "the banned one sends")
    equal(stream.arrived(), 0, "packets of the banned that arrive")
    check(gate.lets_in("203.0.113.7"), "who is allowed passes")
    check(gate.shuts_out("203.0.113.8"), "its network does not")


def without_elements(gate):
    """Our table as nft lists it, without elements; the order in which sets stand says nothing."""
    listed = gate.host.run("nft", "-s", "-t", "list", "table", "inet", "palang")
    sets, *chains = listed.partition("\tchain ")
    return sorted(sets.split("\tset ")), *chains


def test_rebuilt_after_flush_ruleset(gate):
    rebuilt_at_once(gate, "flush_ruleset")


def test_rebuilt_after_delete_table(gate):
    rebuilt_at_once(gate, "delete_table")


def test_rebuilt_after_flush_table(gate):
    _, banned = stand_with_bans(gate)
    structure = without_elements(gate)
    gate.host.run("nft", *RUINS["flush_table"])  # takes the rules, leaves the elements
    wait_until(lambda: without_elements(gate) == structure, "the rules are back", 2, every=0.002)
    check(gate.shuts_out(banned), "the banned one is out")


def test_rebuilt_after_flush_set(gate):
    rebuilt_at_once(gate, "flush_set")


def test_foreign_rules_in_our_table_are_removed(gate):
    _, banned = stand_with_bans(gate)
    structure = without_elements(gate)
    for command in (("insert", "rule", "inet", "palang", "gate_full", "accept"),
                    ("add", "rule", "inet", "palang", "gate_quiet", "drop"),
                    ("add", "chain", "inet", "palang", "hole",
                     "{ type filter hook input priority -400; policy drop; }"),
                    ("add", "set", "inet", "palang", "strange", "{ type ipv4_addr; }"),
                    ("add", "element", "inet", "palang", "full4_32", "{ 198.51.100.200 timeout 1h }"),
                    ("chain", "inet", "palang", "gate_full", "{ policy drop; }"),
                    ("add", "table", "inet", "palang", "{ flags dormant; }"),
                    RUINS["flush_chain"]):
        gate.host.run("nft", *command)
        wait_until(lambda: without_elements(gate) == structure and "198.51.100.200" not in gate.kernel(),
                   f"undone: nft {' '.join(command)}", 3, every=0.002)
        check(gate.shuts_out(banned), "the banned one is out")
        check(gate.lets_in("198.51.100.200"), "nobody else is")


def test_somebody_who_flushes_in_a_loop_gets_no_endless_fight(gate):
    _, banned = stand_with_bans(gate)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        gate.host.run("nft", "delete table inet palang; add table inet palang")
    wait_until(lambda: banned in (gate.kernel() or {}), "the table is rebuilt in the end", 5)
    equal(gate.palang("status").code, 0, "the daemon answers")
    check(gate.said().count("somebody changed") < 200, "and doesn't fill the log")


def test_promise_6_tables_of_others_stay_as_they_are(gate):
    gate.host.run("nft", "-f", "-", text="""
table inet palang2 {
  set banned { type ipv4_addr; elements = { 192.0.2.9 }; }
}
table ip palang {
  chain gate_full { type filter hook input priority 5; }
}
""")
    before = gate.tables_of_others()
    equal(len(before), 4, "tables of others")
    _, banned = stand_with_bans(gate)
    equal(gate.tables_of_others(), before, "tables of others with the daemon at work")
    gate.host.run("nft", "delete", "table", "inet", "palang")
    wait_until(lambda: banned in (gate.kernel() or {}), "the table is rebuilt")
    equal(gate.tables_of_others(), before, "tables of others after a rebuild")
    equal(gate.stop(), 0, "exit code")
    check(banned in gate.kernel(), "a stop leaves the bans")
    equal(gate.tables_of_others(), before, "tables of others after the stop")
    gate.start()
    equal(gate.stop("--lift"), 0, "exit code")
    equal(gate.kernel(), None, "our table after stop --lift")
    equal(gate.tables_of_others(), before, "tables of others after stop --lift")
    check(gate.lets_in(banned), "everybody is in again")
    gate.start()
    equal(gate.bans(), {}, "what was lifted stays lifted")


def test_prefix_ban_covers_first_middle_and_last_address(gate):
    gate.config()
    gate.start()
    network = gate.network()
    for text, inside, outside in ((f"{network}64/26", (64, 65, 100, 127), (63, 128)),
                                  (f"{network}200/31", (200, 201), (199, 202)),
                                  (f"{network}9", (9,), (8, 10))):
        gate.ask("ban", text)
        for host in inside:
            check(gate.shuts_out(f"{network}{host}"), f"{network}{host} is inside {text}")
        for host in outside:
            check(gate.lets_in(f"{network}{host}"), f"{network}{host} is outside {text}")
    equal(gate.palang("ban", f"{network}1/24").code, 2, "host bits are an error")
    wide = gate.ask("ban", "198.16.0.0/14")["ban"]["prefix"]
    equal(wide, "198.16.0.0/14", "a wide ban")
    check(gate.shuts_out(gate.stranger()) and gate.lets_in("203.0.113.1"), "as wide as it says")


def test_ipv6_addresses_and_networks(gate):
    gate.host.listen("::", OPEN_PORT)
    gate.config()
    gate.start()
    one, neighbour, outsider = "2001:db8:bad:7::1", "2001:db8:bad:7::2", "2001:db8:bad:8::1"
    gate.log.blocked(one)
    equal(gate.wait_until_banned(one)["scope"], "quiet", "scope")
    check(gate.shuts_out(one) and gate.lets_in(neighbour), "one address and no other")
    equal(gate.world.reaches(one, HOST6, OPEN_PORT, 3), "accepted", "the open port")
    gate.log.blocked(*[f"2001:db8:bad:7::{i:x}" for i in range(0x10, 0x13)])
    gate.wait_until_banned("2001:db8:bad:7::/64")  # four offenders
    gate.ask("ban", "2001:db8:bad:7::/64")
    for address in ("2001:db8:bad:7::", neighbour, "2001:db8:bad:7:8000::1", "2001:db8:bad:7:ffff:ffff:ffff:ffff"):
        check(gate.shuts_out(address), f"{address} is inside")
    equal(gate.world.reaches(neighbour, HOST6, OPEN_PORT), "silence", "the open port with a full ban")
    check(gate.lets_in(outsider), "the next network is outside")
    equal(gate.ask("ban", "::ffff:203.0.113.5")["ban"]["prefix"],
          "203.0.113.5", "a mapped address is IPv4")


def test_neighbour_discovery_of_a_banned_neighbour_works(gate):
    neighbour = "2001:db8:0:1::66"
    gate.world.ip(f"address add {neighbour}/64 dev eth0 nodad")
    listener = gate.world.listen(neighbour, 7000)
    gate.config()
    gate.start()
    check(gate.lets_in(neighbour), "the neighbour gets in before")
    gate.ask("ban", neighbour)
    gate.ask("ban", "fe80::/64")
    check(gate.shuts_out(neighbour), "the neighbour is banned")
    for _ in range(2):
        gate.host.ip(f"neigh flush dev {gate.interface}")
        connection = gate.host.connect(None, neighbour, 7000, 3)
        check(not isinstance(connection, str), f"we can speak to it: {connection}")
        check(echoes(connection, listener.accept()[0]), "and it answers")
    stays(lambda: neighbour in gate.kernel(), "banned", 0.1)
