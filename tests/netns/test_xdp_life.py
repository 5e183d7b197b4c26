"""Bans in XDP through all that happens to a daemon and its interface, counted packet by packet."""

import os
import time

from expect import check, equal, wait_until
from gate import CLOSED_PORT, GATEWAY, GATEWAY6, HOST, HOST6, OPEN_PORT
from stream import Watched
from wire import syn, was_cut
from xdp import mount_bpffs, pinned, require_xdp, xdp_on


def start(gate, **sections):
    require_xdp()
    gate.bpffs = mount_bpffs(gate)
    gate.config(enforce={"backend": "xdp", "bpffs": gate.bpffs}, **sections)
    gate.start()
    equal(gate.status()["enforcer"], "xdp", "the enforcer")


def restart(gate):
    gate.launch()
    gate.wait_until_ready()


def wait_until_banned(gate, *sources):
    def banned():
        status = gate.status()["bans"]
        return all(source in gate.bans() for source in sources) and status["intended"] == status["in_kernel"]
    wait_until(banned, f"{sources} are banned")


def ban_for_good(gate):
    """A stranger who is banned everywhere."""
    stranger = gate.stranger()
    gate.ask("ban", stranger, "--for", "1h", "--reason", "a test")
    wait_until_banned(gate, stranger)
    return stranger


def expect_no_gap(watched, sent_at_least=200):
    for stream in (watched.banned, watched.welcome):
        check(stream.sent >= sent_at_least, f"enough was sent: {stream.sent}")
    equal((watched.banned.arrived, watched.welcome.lost), (0, 0),
          f"slipped through of {watched.banned.sent}, lost of {watched.welcome.sent}")


def test_life_of_a_ban(gate):
    gate.host.listen("0.0.0.0", OPEN_PORT)
    start(gate, ban={"for": "4s", "quiet": "0s"})
    stranger = gate.stranger()
    check(gate.lets_in(stranger), "the stranger gets in before")
    gate.log.blocked(stranger)
    wait_until_banned(gate, stranger)
    refused = gate.refused()
    gate.world.send_raw(*[syn(stranger, HOST, port) for port in range(9000, 9010)])
    check(gate.shuts_out(stranger), "silence for the banned")
    equal(gate.refused(), refused, "packets of the banned that came as far as the firewall")
    equal(gate.world.reaches(stranger, HOST, OPEN_PORT, 1), "accepted", "the port that is open to the public")
    check(gate.ask("why", stranger)["ban"]["hits"] >= 11, "why counts what it stopped")
    wait_until(lambda: gate.lets_in(stranger), "the stranger gets in again", 9)


def test_promise_7_ends_on_time_though_the_daemon_is_dead(gate):
    start(gate, ban={"for": "5s", "quiet": "0s"})
    stranger, stranger6 = gate.stranger(), gate.stranger6()
    gate.log.blocked(stranger, stranger6)
    banned_at = time.monotonic()
    wait_until_banned(gate, stranger)
    gate.kill()
    check(gate.shuts_out(stranger) and gate.shuts_out(stranger6), "silence though the daemon is dead")
    wait_until(lambda: gate.lets_in(stranger) and gate.lets_in(stranger6), "both get in again", 12)
    check(time.monotonic() - banned_at > 3, "not before the end")


def test_promise_3_no_gap_over_kill_and_restart(gate):
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    with Watched(gate, banned, welcome, HOST) as watched:
        for _ in range(5):
            gate.kill()
            time.sleep(0.1)
            restart(gate)
    expect_no_gap(watched)


def test_promise_3_tables_that_grew_are_taken_over(gate):
    """Several maps behind one another, none of which the daemon may open by its number."""
    start(gate, ban={"for": "1h", "widen": {"after": 0}})
    sources = [f"198.{18 + (i >> 16)}.{i >> 8 & 255}.{i & 255}" for i in range(30_000)]
    gate.log.blocked(*sources)
    wait_until(lambda: gate.status()["bans"]["in_kernel"] == len(sources), "all are in the kernel", 30, every=0.2)
    gate.kill()
    restart(gate)
    status = gate.status()
    equal((status["enforcer"], status["bans"]["in_kernel"], status["troubles"]), ("xdp", len(sources), []), "afterwards")
    check(gate.shuts_out(sources[0]) and gate.shuts_out(sources[-1]), "silence")


def test_promise_3_no_gap_over_stop_and_start(gate):
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    with Watched(gate, banned, welcome, HOST) as watched:
        gate.stop()
        time.sleep(0.1)
        restart(gate)
    expect_no_gap(watched)


def test_promise_3_no_gap_over_an_upgrade_with_one_more_map(gate):
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    before = xdp_on(gate.host, gate.interface)
    with Watched(gate, banned, welcome, HOST) as watched:
        gate.kill()
        os.unlink(os.path.join(gate.bpffs, "palang", tables(gate), "tracked"))  # an older palang hadn't it
        restart(gate)
    expect_no_gap(watched)
    check(xdp_on(gate.host, gate.interface) != before, "the program is another")
    check("tracked" in os.listdir(os.path.join(gate.bpffs, "palang", tables(gate))), "the map is there")


def tables(gate):
    [name] = [name for name in pinned(gate.bpffs) if name.startswith("tables_")]
    return name


def test_promise_3_no_gap_over_an_upgrade_with_another_layout(gate):
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    with Watched(gate, banned, welcome, HOST) as watched:
        gate.kill()
        place = os.path.join(gate.bpffs, "palang")
        os.rename(os.path.join(place, tables(gate)), os.path.join(place, "tables_0"))
        restart(gate)
    expect_no_gap(watched)
    check(tables(gate) != "tables_0", "the tables of the other layout are gone")


def test_the_tables_survive_without_a_ledger(gate):
    start(gate)
    banned = ban_for_good(gate)
    gate.kill()
    os.unlink(gate.ledger_path)
    restart(gate)
    check(banned in gate.bans(), "the ban is taken over from the kernel")
    check(gate.shuts_out(banned), "silence")


def test_a_knock_while_the_daemon_is_dead_moves_the_end(gate):
    start(gate, ban={"for": "4s", "quiet": "30s", "at_most": "1h"})
    stranger, silent = gate.stranger(), gate.stranger()
    gate.log.blocked(stranger, silent)
    wait_until_banned(gate, stranger, silent)
    gate.kill()
    check(gate.shuts_out(stranger), "silence for the knocking")
    time.sleep(7)  # asking whether the silent one gets in would be a knock
    restart(gate)
    wait_until(lambda: silent not in gate.bans(), "the ban of the silent one is over")
    check(stranger in gate.bans() and silent not in gate.bans(), f"who is banned: {gate.bans()}")
    check(gate.shuts_out(stranger), "silence for the knocking still")
    equal(gate.ask("why", stranger)["decisions"][0]["how_it_ended"], None, "the ledger knows")


def test_connections_of_the_banned_are_cut(gate):
    listener = gate.host.listen("0.0.0.0", OPEN_PORT)
    start(gate)
    stranger = gate.stranger()
    connection = gate.world.connect(stranger, HOST, OPEN_PORT, 2)
    accepted = listener.accept()[0]
    gate.ask("ban", stranger, "--for", "1h")
    check(was_cut(accepted), "the service is told that its peer is gone")
    connection.close()


def test_interface_down_and_up(gate):
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    with Watched(gate, banned, welcome, HOST) as watched:
        for _ in range(3):
            gate.host.ip(f"link set {gate.interface} down")
            time.sleep(0.05)
            gate.host.ip(f"link set {gate.interface} up", f"route replace default via {GATEWAY}")
            arrived = watched.welcome.arrived
            wait_until(lambda seen=arrived: watched.welcome.arrived > seen + 50, "the welcome stream goes on")
    equal(watched.banned.arrived, 0, f"slipped through of {watched.banned.sent}")
    equal(gate.status()["enforcement"]["interfaces"], [{"name": gate.interface, "mode": "native", "reasons": []}], "how")


def test_interface_renamed(gate):
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    with Watched(gate, banned, welcome, HOST) as watched:
        gate.host.ip(f"link set {gate.interface} down", f"link set {gate.interface} name lan0", "link set lan0 up",
                     f"route replace default via {GATEWAY}")
        wait_until(lambda: gate.status()["enforcement"]["interfaces"][0]["name"] == "lan0", "the new name is told")
        time.sleep(0.2)
    equal(watched.banned.arrived, 0, f"slipped through of {watched.banned.sent}")
    check(watched.welcome.arrived > 100, "the welcome stream goes on")


def make_cable_anew(gate):
    gate.host.ip(f"link add {gate.interface} type veth peer name eth0 netns {gate.world.name}",
                 f"address add {HOST}/24 dev {gate.interface}", f"address add {HOST6}/64 dev {gate.interface} nodad")


def plug_in(gate):
    gate.world.ip(f"address add {GATEWAY}/24 dev eth0", f"address add {GATEWAY6}/64 dev eth0 nodad", "link set eth0 up")
    gate.host.ip(f"link set {gate.interface} up", f"route add default via {GATEWAY}", f"route add default via {GATEWAY6}")


def test_interface_made_anew(gate):
    """As when a driver is reloaded: it is guarded before it is up."""
    start(gate)
    banned, welcome = ban_for_good(gate), gate.stranger()
    with Watched(gate, banned, welcome, HOST) as watched:
        for _ in range(3):
            gate.host.ip(f"link del {gate.interface}")
            time.sleep(0.05)
            make_cable_anew(gate)
            wait_until(lambda: xdp_on(gate.host, gate.interface), "it is guarded while it is down", 5)
            plug_in(gate)
            arrived = watched.welcome.arrived
            wait_until(lambda seen=arrived: watched.welcome.arrived > seen + 50, "the welcome stream goes on")
    equal(watched.banned.arrived, 0, f"slipped through of {watched.banned.sent}")
    equal(len([name for name in pinned(gate.bpffs) if name.startswith("link_")]), 1, "links of dead interfaces are gone")


def test_interface_made_anew_while_the_daemon_is_dead(gate):
    start(gate)
    banned = ban_for_good(gate)
    gate.kill()
    gate.host.ip(f"link del {gate.interface}")
    make_cable_anew(gate)
    plug_in(gate)
    check(gate.lets_in(banned), "nobody guards the new interface")
    restart(gate)
    check(gate.shuts_out(banned), "silence again")


def test_another_interface_gets_a_default_route(gate):
    start(gate)
    gate.host.ip("link add wan1 type veth peer name wan2", "link set wan2 up", "link set wan1 up",
                 "address add 198.51.100.1/24 dev wan1", "route add default via 198.51.100.254 metric 7")
    wait_until(lambda: xdp_on(gate.host, "wan1"), "the new one is guarded")
    gate.host.ip("link set wan1 down")
    time.sleep(0.2)
    check(xdp_on(gate.host, "wan1"), "though it is down and has no route")


def test_lift_opens_the_gate(gate):
    start(gate)
    banned = ban_for_good(gate)
    check(gate.shuts_out(banned), "silence")
    gate.stop("--lift")
    check(gate.lets_in(banned), "it gets in")
    equal((pinned(gate.bpffs), xdp_on(gate.host, gate.interface)), ([], None), "what is left")


def test_exempt_addresses_pass_a_full_ban_of_their_network(gate):
    start(gate)
    network = gate.network()
    friend, foe = network + "7", network + "8"
    gate.ask("allow", friend)
    gate.ask("ban", network + "0/24", "--for", "1h")
    wait_until(lambda: gate.shuts_out(foe), "silence for the network")
    check(gate.lets_in(friend), "the friend gets in")
    gate.ask("ban", "192.0.2.0/24", "--for", "1h")
    check(gate.lets_in(GATEWAY), "the gateway is never shut out")


def test_reply_to_our_own_connection_passes(gate):
    start(gate)
    stranger = gate.stranger()
    listener = gate.world.listen(stranger, CLOSED_PORT)
    gate.ask("ban", stranger, "--for", "1h")
    wait_until_banned(gate, stranger)
    connection = gate.host.connect(None, stranger, CLOSED_PORT, 3)
    check(not isinstance(connection, str), f"we reach the banned: {connection}")
    listener.accept()[0].close()
    connection.close()
