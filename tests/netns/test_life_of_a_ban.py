"""A line, a ban, silence, an explanation, and in again."""

import subprocess
import time

from expect import check, equal, wait_until
from gate import CLOSED_PORT, HOST, HOST6, OPEN_PORT, csf_line
from needs import require_kernel_lines
from wire import icmp, syn, tcp, udp

SHORT = {"for": "2s", "quiet": "0s"}
ALONE = {"widen": {"after": 0}}  # lines of other tests in the kernel log ban no neighbours


def follow_the_ban(gate, provoke, end_by=None):
    """Provokes a ban and sees it through to its end."""
    stranger = gate.stranger()
    wait_until(lambda: gate.lets_in(stranger), "the stranger gets in before")
    provoke(stranger)
    ban = gate.wait_until_banned(stranger, seconds=5)
    equal((ban["scope"], ban["rule"], ban["reason"]), ("quiet", "blocked", f"refused at tcp/{CLOSED_PORT}"), "the ban")

    refused = gate.refused()
    gate.world.send_raw(*[syn(stranger, HOST, port) for port in range(9000, 9010)])
    check(gate.shuts_out(stranger), "silence for the banned")
    equal(gate.refused(), refused, "packets of the banned that came as far as the firewall")
    equal(gate.world.reaches(stranger, HOST, OPEN_PORT, 1), "accepted", "the port that is open to the public")

    why = gate.ask("why", stranger)
    check(why["banned"] and why["ban"]["prefix"] == stranger, f"why tells of the ban: {why}")
    check(any(f"SRC={stranger} " in one["line"] for one in why["evidence"]), f"why shows the line: {why}")
    people = gate.palang("why", stranger).out
    check(f"tcp/{CLOSED_PORT}" in people and f"palang unban {stranger}" in people, f"why tells people: {people}")

    if end_by:
        end_by()
    wait_until(lambda: stranger not in gate.kernel(), "the kernel lets it in", 8)
    wait_until(lambda: gate.lets_in(stranger), "the stranger gets in again", 3)
    return stranger


def knock_for_real(gate):
    return lambda stranger: gate.world.send_raw(syn(stranger, HOST, CLOSED_PORT))


def test_kernel_log_found_without_configuration(gate):
    require_kernel_lines()
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(source=None, ban={**SHORT, **ALONE})
    gate.start()
    check("reading kernel log /dev/kmsg" in gate.said(), "the daemon says what it found")
    stranger = follow_the_ban(gate, knock_for_real(gate))
    wait_until(lambda: stranger not in gate.bans(), "the ban is off the list", 5)
    equal(gate.ask("why", stranger)["decisions"][0]["how_it_ended"], "ended", "how it ended")


def test_tailed_file_with_lines_of_the_real_kernel(gate):
    gate.syslog_kernel_lines()
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(ban=SHORT)
    gate.start()
    follow_the_ban(gate, knock_for_real(gate))


def test_standard_input(gate):
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(source=None, ban=SHORT)
    gate.start("--stdin", stdin=subprocess.PIPE)
    daemon = gate.daemon

    def provoke(stranger):
        daemon.stdin.write(csf_line(stranger).encode())
        daemon.stdin.flush()
    follow_the_ban(gate, provoke)
    # Input that ends is the end of the daemon, and the last line counts though it has no line end.
    last = gate.stranger()
    daemon.stdin.write(csf_line(last).rstrip("\n").encode())
    daemon.stdin.close()
    equal(gate.wait_until_stopped(), 0, "exit code at the end of the input")
    check(last in gate.kernel() and last in gate.ledger(), "the last line counted")


def test_promise_7_ends_on_time_though_the_daemon_is_dead(gate):
    gate.syslog_kernel_lines()
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(ban=SHORT)
    gate.start()
    follow_the_ban(gate, knock_for_real(gate), end_by=gate.kill)
    check(gate.daemon is None, "the daemon stayed dead")


def test_repeat_offender_is_banned_twice_as_long(gate):
    gate.config(ban={"for": "1s", "quiet": "0s"})
    gate.start()
    stranger = gate.stranger()
    for repeat in range(3):
        gate.log.blocked(stranger)
        ban = gate.wait_until_banned(stranger, seconds=5)
        equal(ban["repeat"], repeat, "earlier decisions that are remembered")
        gone = time.monotonic()
        if repeat < 2:
            wait_until(lambda: stranger not in gate.bans() and stranger not in gate.kernel(), "it ended", 8)
            check(time.monotonic() - gone < 2**repeat + 1.5, "it did not last longer than it should")


def test_neighbours_widen_to_their_network(gate):
    gate.config(ban={"for": "1h"})
    gate.start()
    network = gate.network()
    gate.log.blocked(*[f"{network}{host}" for host in (1, 2, 3)])
    gate.wait_until_banned(f"{network}1", f"{network}2", f"{network}3")
    check(gate.lets_in(f"{network}200"), "three offenders don't close their network")
    gate.log.blocked(f"{network}4")
    gate.wait_until_banned(f"{network}0/24")
    for host in (0, 1, 200, 255):
        check(gate.shuts_out(f"{network}{host}"), f"{network}{host} is inside")
    equal([p for p in gate.bans() if p.startswith(network)], [f"{network}0/24"], "the narrow ones are absorbed")


def test_classic_profile_bans_the_network_everywhere_for_three_days(gate):
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(profile="classic")
    gate.start()
    network = gate.network()
    gate.log.blocked(f"{network}77")
    ban = gate.wait_until_banned(f"{network}0/24")
    equal(ban["scope"], "full", "scope")
    equal(gate.world.reaches(f"{network}1", HOST, OPEN_PORT), "silence", "the open port, for a neighbour")
    check(3 * 86400 - 60 < gate.kernel()[f"{network}0/24"]["expires"] <= 3 * 86400, "three days in the kernel")


def test_promise_9_old_lines_do_nothing_and_younger_ones_what_remains(gate):
    now = time.time()
    yesterday, half_a_day, ahead = gate.stranger(), gate.stranger(), gate.stranger()
    gate.config()  # one day, as by default
    gate.log.append(csf_line(yesterday, at=now - 25 * 3600), csf_line(half_a_day, at=now - 12 * 3600),
                    csf_line(ahead, at=now + 3600))
    gate.start()
    gate.wait_until_banned(half_a_day, ahead)
    check(yesterday not in gate.bans() and yesterday not in gate.kernel(), "a line older than its ban does nothing")
    equal(gate.counters()["events_old"], 1, "old lines counted")
    check(abs(gate.kernel()[half_a_day]["expires"] - 12 * 3600) < 30, "a line of 12 hours ago bans for the other 12")
    check(gate.kernel()[ahead]["expires"] <= 24 * 3600, "a clock that runs ahead can't ban into the future")


def test_every_kind_of_packet_that_the_kernel_logs(gate):
    gate.syslog_kernel_lines()
    gate.host.run("nft", "insert rule inet firewall input icmp type timestamp-request "
                  "log prefix \"Firewall: *ICMP_IN Blocked* \" drop")
    gate.config()
    gate.start()
    by_udp, by_icmp, by_tcp, backscatter = (gate.stranger() for _ in range(4))
    answer = tcp(backscatter, HOST, CLOSED_PORT, flags=0x12)  # SYN+ACK: somebody forged our address elsewhere
    gate.world.send_raw(answer, udp(by_udp, HOST, 53), icmp(by_icmp, HOST, kind=13), syn(by_tcp, HOST, 23))
    gate.wait_until_banned(by_udp, by_icmp, by_tcp)
    equal([gate.bans()[who]["reason"] for who in (by_udp, by_icmp, by_tcp)],
          ["refused at udp/53", "refused at icmp", "refused at tcp/23"], "reasons")
    wait_until(lambda: gate.counters()["lines_backscatter"] == 1, "backscatter is counted")
    check(backscatter not in gate.bans(), "and not judged")
    six = gate.stranger6()
    equal(gate.world.reaches(six, HOST6, CLOSED_PORT), "silence", "a closed port, by IPv6")
    gate.wait_until_banned(six)


def test_port_scan_is_a_rule_of_its_own(gate):
    gate.config(detect={"blocked": {"enabled": False}, "portscan": {"ports": 5, "within": "1m"}})
    gate.start()
    scanner, insister = gate.stranger(), gate.stranger()
    gate.log.append(*[csf_line(insister, port=22) for _ in range(20)])
    gate.log.append(*[csf_line(scanner, port=port) for port in range(1, 6)])
    ban = gate.wait_until_banned(scanner)
    equal((ban["rule"], ban["reason"]), ("portscan", "tried 5 ports, last tcp/5"), "the ban")
    check(insister not in gate.bans(), "one port is no scan")


def test_full_scope_in_so_many_words(gate):
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(ban={"for": "2s", "quiet": "0s", "scope": "full"})
    gate.start()
    stranger = gate.stranger()
    equal(gate.world.reaches(stranger, HOST, OPEN_PORT, 3), "accepted", "the open port before")
    gate.log.blocked(stranger)
    equal(gate.wait_until_banned(stranger)["scope"], "full", "scope")
    equal(gate.world.reaches(stranger, HOST, OPEN_PORT), "silence", "the open port")
    gate.kill()
    wait_until(lambda: gate.world.reaches(stranger, HOST, OPEN_PORT) == "accepted", "it is open again, on time", 5)


def test_promise_4_kernel_log_goes_on_where_it_was(gate):
    require_kernel_lines()
    gate.config(source=None, ban=ALONE)
    gate.start()
    before, meanwhile, after = gate.stranger(), gate.stranger(), gate.stranger()
    gate.world.send_raw(syn(before, HOST, CLOSED_PORT))
    gate.wait_until_banned(before)
    gate.ask("unban", before)
    gate.kill()
    gate.world.send_raw(syn(meanwhile, HOST, CLOSED_PORT))
    gate.start()
    gate.world.send_raw(syn(after, HOST, CLOSED_PORT))
    gate.wait_until_banned(meanwhile, after)
    check(before not in gate.bans(), "what was read is not read again")
