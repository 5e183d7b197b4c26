"""A firewall that logs by NFLOG: packets instead of lines, judged all the same."""

import signal
import time

from expect import check, equal, wait_until
from gate import CLOSED_PORT, FIREWALL, HOST, HOST6, toml
from test_life_of_a_ban import ALONE, SHORT, follow_the_ban, knock_for_real
from wire import syn, tcp, udp

GROUP = 7
CLEAN = {"ban": {**ALONE, "for": "1h"}}


def guard_by_nflog(gate, **sections):
    """The firewall logs by NFLOG, and the daemon reads that."""
    gate.host.run("nft", "flush", "table", "inet", "firewall")
    gate.host.run("nft", "-f", "-", text=FIREWALL[:FIREWALL.index("table ip nat")].replace(
        'Blocked* "', f'Blocked* " group {GROUP}'))
    configure(gate, **(sections or CLEAN))
    gate.start()


def configure(gate, **sections):
    with open(gate.config(source=None, **sections), "a", encoding="utf-8") as file:
        file.write(toml({"source": [{"type": "nflog", "group": GROUP}]}))


def source(gate):
    return gate.status()["sources"][0]


def test_life_of_a_ban(gate):
    gate.host.listen("0.0.0.0", 80)
    guard_by_nflog(gate, ban={**SHORT, **ALONE})
    stranger = follow_the_ban(gate, knock_for_real(gate))
    wait_until(lambda: stranger not in gate.bans(), "the ban is off the list", 5)
    equal(source(gate)["name"], f"nflog:{GROUP}", "the source's name")


def test_the_evidence_is_a_line_for_people(gate):
    guard_by_nflog(gate)
    stranger, other, six = gate.stranger(), gate.stranger(), gate.stranger6()
    gate.world.send_raw(syn(stranger, HOST, CLOSED_PORT), udp(other, HOST, 161))
    gate.world.reaches(six, HOST6, CLOSED_PORT, 0.1)
    gate.wait_until_banned(stranger, other, six)
    for address, words in ((stranger, ("Firewall: *TCP_IN Blocked* ", f"IN={gate.interface} OUT= ", f" SRC={stranger} ",
                                       f" DST={HOST} ", " PROTO=TCP ", f" DPT={CLOSED_PORT} ", " SYN ")),
                           (other, ("*UDP_IN Blocked* ", " PROTO=UDP ", " DPT=161 ")),
                           (six, ("*TCP6IN Blocked* ", f" SRC={six} ", f" DST={HOST6} ", " HOPLIMIT="))):
        line = gate.ask("why", address)["evidence"][0]["line"]
        for word in words:
            check(word in line, f"{word!r} in {line!r}")


def test_answers_and_allowed_sources_are_no_offence(gate):
    guard_by_nflog(gate, **CLEAN, allow={"prefixes": ["203.0.113.0/24"]})
    stranger = gate.stranger()
    for flags in (0x12, 0x04, 0x10):
        gate.world.send_raw(tcp(stranger, HOST, CLOSED_PORT, flags))
    gate.world.send_raw(syn("203.0.113.7", HOST, CLOSED_PORT))
    wait_until(lambda: source(gate)["lines"] >= 4, "four packets are read")
    equal(gate.bans(), {}, "bans")
    counters = gate.counters()
    equal((counters["lines_backscatter"], counters["events_exempt"]), (3, 1), "backscatter and exempt")


def test_what_a_flood_loses_is_counted(gate):
    """A daemon that is held up can't read; nothing is lost uncounted, and it goes on afterwards."""
    guard_by_nflog(gate)
    block = [syn(f"203.0.113.{n % 250 + 1}", HOST, CLOSED_PORT, 1024 + n) for n in range(1000)]
    gate.signal(signal.SIGSTOP)
    gate.world.send_raw(*(block * 80))
    gate.signal(signal.SIGCONT)
    def accounted_for():
        gate.world.send_raw(syn(gate.stranger(), HOST, CLOSED_PORT))  # its number tells of those lost before it
        time.sleep(0.05)
        known = source(gate)
        return known["lines"] + known["lost_lines"] == gate.refused()  # a busy machine drops some before the firewall
    wait_until(accounted_for, "every packet is accounted for", 20)
    check(source(gate)["lost_lines"] > 0, "more came than there was room for")
    gate.wait_for_message(r"nflog:7: [0-9]+ packets came faster than they could be read, and were lost")
    stranger = gate.stranger()
    gate.world.send_raw(syn(stranger, HOST, CLOSED_PORT))
    gate.wait_until_banned(stranger)


def test_a_restart_binds_to_the_group_again(gate):
    guard_by_nflog(gate)
    for end in (gate.kill, gate.stop):
        stranger = gate.stranger()
        gate.world.send_raw(syn(stranger, HOST, CLOSED_PORT))
        gate.wait_until_banned(stranger)
        end()
        gate.start()
        check(stranger in gate.bans(), "the ban outlives the restart")
    check(gate.shuts_out(stranger), "and the daemon")


def test_a_group_that_is_taken_is_named(gate):
    guard_by_nflog(gate)
    first, gate.daemon = gate.daemon, None
    gate.finally_do(lambda: (first.kill(), first.wait(10)))
    gate.socket, gate.ledger_path = gate.path("second.sock"), gate.path("second/palang.db")
    configure(gate, **CLEAN)
    gate.launch()
    equal(gate.wait_until_stopped(), 1, "exit code of the second reader")
    gate.wait_for_message("bind to NFLOG group 7: operation not permitted .EPERM.: another program is bound to it")
