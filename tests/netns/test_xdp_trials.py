"""XDP against real tools: a scanner, a flood of forged sources, decoys, tags and fragments, while others are served."""

import re
import socket
import struct
import subprocess
import threading
import time

from expect import check, equal, wait_until
from gate import CLOSED_PORT, GATEWAY, HOST, HOST6, OPEN_PORT
from services import Nginx, need, request
from stream import Stream
from wire import checksum, syn, udp
from xdp import mount_bpffs, pin_program_of_another, require_xdp, xdp_on

DECOY_PORT = 2323


def start(gate, **sections):
    require_xdp()
    gate.bpffs = mount_bpffs(gate)
    gate.config(enforce={"backend": "xdp", "bpffs": gate.bpffs}, **sections)
    gate.start()
    equal(gate.status()["enforcer"], "xdp", "the enforcer")


def packets(gate):
    """How often XDP counted what, by name."""
    return gate.status()["enforcement"]["packets"]


def wait_until_banned(gate, source, scope):
    wait_until(lambda: gate.bans().get(source, {}).get("scope") == scope, f"{source} is banned, {scope}")


class Visitor:
    """Asks nginx for a page without a pause, each time on a new connection, and counts what comes back."""

    def __init__(self, gate, source):
        self.asked = self.served = 0
        self._gate, self._source = gate, source
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)

    def _visit(self):
        while not self._closing.is_set():
            self.asked += 1
            self.served += request(self._gate, self._source, "/") == 200
            time.sleep(0.01)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join()


def expect_served(visitor, at_least):
    check(visitor.asked >= at_least, f"the visitor asked often enough: {visitor.asked}")
    equal(visitor.served, visitor.asked, "pages served of those asked for")


def in_world(gate, *command, seconds=30):
    with gate.world:
        return subprocess.run([need(command[0]), *command[1:]], capture_output=True, text=True, timeout=seconds,
                              check=False, stdin=subprocess.DEVNULL).stdout


def test_nmap_finds_nothing_and_visitors_notice_nothing(gate):
    Nginx(gate)
    start(gate)
    scanner, visitor = gate.stranger(), gate.stranger()
    with Visitor(gate, visitor) as visits:
        time.sleep(0.3)
        found = in_world(gate, "nmap", "-sS", "-Pn", "-n", "-S", scanner, "-e", "eth0", "-p", "81-400", "--max-retries", "0",
                         "--max-rtt-timeout", "100ms", "--host-timeout", "20s", HOST)
        wait_until_banned(gate, scanner, "quiet")
    check("81/tcp" not in found or "open" not in found, f"what nmap found: {found}")
    expect_served(visits, 20)
    [ban] = [one for one in gate.ask("why", scanner)["decisions"]]
    check(packets(gate)["dropped, quiet ban"] >= 100, f"nmap's packets were dropped: {packets(gate)}")
    equal((ban["proof"], len(gate.bans())), ("forgeable", 1), "on what proof, and how many are banned")
    equal(request(gate, scanner, "/"), 200, "what the scanner's address gets at the open port")


def test_the_third_packet_of_a_scanner_is_dropped_though_no_daemon_runs(gate):
    start(gate)
    gate.kill()
    scanners = [gate.stranger() for _ in range(20)]
    refused = gate.refused()
    for scanner in scanners:
        gate.world.send_raw(*[syn(scanner, HOST, port) for port in range(9000, 9005)])
    time.sleep(0.2)
    equal(gate.refused() - refused, 2 * len(scanners), "packets of five each that came as far as the firewall")
    gate.launch()
    gate.wait_until_ready()
    check(set(scanners) <= set(gate.bans()), "the next daemon takes over what the kernel banned")


def test_a_scanner_by_ipv6(gate):
    gate.host.listen("::", OPEN_PORT)
    start(gate)
    scanner, visitor = gate.stranger6(), gate.stranger6()
    for port in range(9000, 9003):
        gate.world.reaches(scanner, HOST6, port, 0.2)
    wait_until_banned(gate, scanner, "quiet")
    check(gate.shuts_out(scanner), "silence for the scanner")
    equal(gate.world.reaches(scanner, HOST6, OPEN_PORT, 2), "accepted", "the open port")
    check(gate.lets_in(visitor), "others get in")


def test_a_flood_of_forged_sources_bans_within_its_budget_and_shuts_out_nobody(gate):
    Nginx(gate)
    start(gate, detect={"tripwire": {"bans_per_second": 50}})
    visitor, second = gate.stranger(), gate.stranger()
    gate.world.ip(f"route replace {HOST}/32 dev eth0 src {second}")  # for wrk
    began = time.monotonic()
    with Visitor(gate, visitor) as visits, gate.world:
        flood = subprocess.Popen([need("hping3"), "--rand-source", "-S", "-p", str(CLOSED_PORT), "-i", "u50", "-q", HOST],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gate.finally_do(flood.kill)
        told = in_world(gate, "wrk", "-t1", "-c4", "-d5s", "--timeout", "2s", f"http://{HOST}/")
        flood.terminate()
        flood.wait(10)
    seconds = time.monotonic() - began
    expect_served(visits, 50)
    equal(re.findall(r"Socket errors.*|Non-2xx.*", told), [], "what wrk complains about")
    check(int(re.search(r"(\d+) requests in", told)[1]) > 100, f"wrk was served: {told}")
    counted = packets(gate)
    check(counted["packet to a port nobody listens on"] > 5000, f"it was a flood: {counted}")
    check(len(gate.bans()) <= 50 * (seconds + 2), f"{len(gate.bans())} bans in {seconds:.0f} s")
    check(visitor not in gate.bans() and second not in gate.bans(), "no visitor is banned")


def decoyed(gate):
    """A gate with a decoy, and a cable over which XDP can answer: a veth hands such frames to a peer with XDP only."""
    start(gate, detect={"tripwire": {"decoys": [DECOY_PORT]}})
    gate.world.run("ip", "link", "set", "dev", "eth0", "xdpdrv", "pinned", pin_program_of_another(gate.bpffs + "/passes"))
    time.sleep(0.2)


def test_a_handshake_with_a_decoy_bans_everywhere(gate):
    gate.host.listen("0.0.0.0", OPEN_PORT)
    decoyed(gate)
    for scanner, host in ((gate.stranger(), HOST), (gate.stranger6(), HOST6)):
        connection = gate.world.connect(scanner, host, DECOY_PORT, 3)
        check(not isinstance(connection, str), f"the decoy answers {scanner}: {connection}")
        connection.close()
        wait_until_banned(gate, scanner, "full")
        equal(gate.ask("why", scanner)["decisions"][0]["proof"], "handshake", "on what proof")
        check(gate.shuts_out(scanner), "silence")
        if host == HOST:
            equal(gate.world.reaches(scanner, HOST, OPEN_PORT, 0.5), "silence", "the open port")


def test_who_forges_a_source_at_a_decoy_gets_nobody_banned(gate):
    decoyed(gate)
    forged = [gate.stranger() for _ in range(10)]
    for source in forged:
        gate.world.send_raw(*[syn(source, HOST, DECOY_PORT, 40000 + i) for i in range(5)])
    wait_until(lambda: packets(gate).get("answered, at a decoy", 0) >= 50, "the decoy answered")
    time.sleep(0.3)
    equal((gate.bans(), packets(gate).get("handshake with a decoy completed", 0)), ({}, 0), "who is banned, what is proven")
    check(all(gate.lets_in(source) for source in forged[:2]), "they get in")


def ban_for_an_hour(gate, *sources):
    for source in sources:
        gate.ask("ban", source, "--for", "1h")
        wait_until(lambda known=source: known in gate.bans(), "banned")


def mac(namespace, interface):
    found = re.search(r"link/ether (\S+)", namespace.run("ip", "link", "show", "dev", interface))
    return bytes.fromhex(found[1].replace(":", ""))


def test_behind_vlan_tags(gate):
    """Tags within the frame, as a network card without offload hands them over. XDP alone is asked what became of each:
    not every kernel has devices for VLANs."""
    start(gate)
    banned = gate.stranger()
    ban_for_an_hour(gate, banned)
    with gate.world:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("eth0", 0))
    to = mac(gate.host, gate.interface) + mac(gate.world, "eth0")
    with wire:
        for number, tags in enumerate(("", "81000007", "88a8000981000007"), 1):
            passed = packets(gate).get("passed, not banned", 0)
            for source in (gate.stranger(), banned):
                wire.send(to + bytes.fromhex(tags) + b"\x08\x00" + udp(source, HOST, 5001))
            wait_until(lambda: packets(gate).get("dropped, full ban", 0) == number, f"dropped behind {tags!r}")
            check(packets(gate)["passed, not banned"] > passed, f"a stranger passes behind {tags!r}")


def fragments(source, port, number):
    """A datagram in two fragments, the second of which has no port."""
    text = bytes(64)
    datagram = struct.pack("!HHHH", 40000, port, 8 + len(text), 0) + text
    made = []
    for part, more, offset in ((datagram[:40], 1, 0), (datagram[40:], 0, 5)):
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), number, more << 13 | offset, 64, 17, 0,
                             socket.inet_aton(source), socket.inet_aton(HOST))
        made.append(header[:10] + struct.pack("!H", checksum(header)) + header[12:] + part)
    return made


def arrives(gate, receiver, source, port, number):
    gate.world.send_raw(*fragments(source, port, number))
    receiver.settimeout(0.5)
    try:
        return len(receiver.recv(200)) == 64
    except TimeoutError:
        return False


def test_fragments_of_the_banned(gate):
    """Of a quiet ban, the first fragment is judged by its port, and nobody puts together a datagram without it."""
    receiver = gate.host.udp(HOST, 5000)
    start(gate)
    quiet, full, other = gate.stranger(), gate.stranger(), gate.stranger()
    gate.log.blocked(quiet)
    wait_until_banned(gate, quiet, "quiet")
    ban_for_an_hour(gate, full)
    wait_until(lambda: arrives(gate, receiver, quiet, 5000, 1), "at an open port the quietly banned is heard", 10)
    check(arrives(gate, receiver, other, 5000, 2), "a stranger is heard")
    check(not arrives(gate, receiver, full, 5000, 3), "the fully banned is not")
    receiver.close()
    before = packets(gate)
    gate.world.send_raw(*fragments(quiet, CLOSED_PORT, 4), *fragments(full, CLOSED_PORT, 5))
    wait_until(lambda: packets(gate)["dropped, full ban"] >= before["dropped, full ban"] + 2, "both parts are dropped")
    equal(packets(gate)["dropped, quiet ban"] - before.get("dropped, quiet ban", 0), 1, "the first part of the quiet one")


def test_the_welcome_lose_nothing_while_a_scanner_is_banned_and_lifted(gate):
    start(gate)
    scanner = gate.stranger()
    stream = Stream(gate, gate.stranger(), HOST, 5001)
    for _ in range(10):
        gate.world.send_raw(*[syn(scanner, HOST, port) for port in range(9000, 9003)])
        wait_until_banned(gate, scanner, "quiet")
        gate.ask("unban", scanner)
        wait_until(lambda: scanner not in gate.bans(), "lifted")
        check(gate.lets_in(scanner), "it gets in again")
    stream.close()
    check(stream.sent > 1000, f"enough was sent: {stream.sent}")
    equal(stream.lost, 0, f"lost of {stream.sent}")
    check(gate.lets_in(GATEWAY) and xdp_on(gate.host, gate.interface), "the gate is as it was")
