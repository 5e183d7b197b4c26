"""enforce.backend = "ipset": what the other tests see of nftables, by ipset and iptables of either kind."""

import shutil
import signal
import subprocess

import test_knocks
import test_life_of_a_ban
import test_never_cut
import test_nflog
import test_table
from expect import Skip, check, equal, wait_until
from gate import OPEN_PORT


def held(gate):
    """As Gate.kernel(): prefix → {scope, expires, packets}; None without a set of ours."""
    with gate.host:
        saved = subprocess.run(["ipset", "save"], capture_output=True, text=True, timeout=30, check=True).stdout
    if "create palang-" not in saved:
        return None
    found = {}
    for line in saved.splitlines():
        words = line.split()
        if words[0] != "add" or not words[1].startswith(("palang-full", "palang-quiet")):
            continue
        values = dict(zip(words[3::2], words[4::2]))
        found[words[2]] = {"scope": "full" if "full" in words[1] else "quiet", "expires": int(values["timeout"]),
                           "packets": int(values["packets"])}
    return found


def by_ipset(gate, kind="nft"):
    """The host uses this kind of iptables, and the daemon is configured for ipset."""
    for program in ("ipset", f"iptables-{kind}", f"ip6tables-{kind}"):
        if shutil.which(program) is None:
            raise Skip(f"needs the program {program}")
    gate.host.run(f"iptables-{kind}", "-A", "OUTPUT", "-j", "ACCEPT")
    gate.kernel = lambda: held(gate)
    plain = gate.config
    gate.config = lambda *arguments, **sections: plain(*arguments, **{"enforce": {"backend": "ipset"}, **sections})


def saved(gate, program):
    return [line for line in gate.host.run(program).splitlines() if not line.startswith("#")]


def life_of_a_ban(gate, kind):
    """Packets by NFLOG, bans by ipset: nothing of nftables but the firewall that logs."""
    by_ipset(gate, kind)
    gate.host.listen("0.0.0.0", OPEN_PORT)
    test_nflog.guard_by_nflog(gate, ban={**test_life_of_a_ban.SHORT, **test_life_of_a_ban.ALONE})
    equal(gate.status()["enforcer"], "ipset", "what status names")
    words = {"nft": "using iptables by nf_tables", "legacy": "using iptables by its older interface"}[kind]
    check(words in gate.said(), "the daemon says which iptables it uses")
    knock = test_life_of_a_ban.knock_for_real(gate)
    test_life_of_a_ban.follow_the_ban(gate, knock)
    test_life_of_a_ban.follow_the_ban(gate, knock, end_by=gate.kill)
    check(gate.daemon is None, "the second ended though the daemon was dead (promise 7)")


def test_life_of_a_ban_with_iptables_by_nf_tables(gate):
    life_of_a_ban(gate, "nft")


def test_life_of_a_ban_with_iptables_legacy(gate):
    life_of_a_ban(gate, "legacy")


def test_ban_ends_only_after_quiet(gate):
    by_ipset(gate)
    test_knocks.test_ban_ends_only_after_quiet(gate)


def test_promise_1_forged_packets_close_no_open_port(gate):
    by_ipset(gate)
    test_never_cut.test_promise_1_forged_packets_close_no_open_port(gate)


def test_promise_2_allowed_own_and_gateway(gate):
    by_ipset(gate)
    test_never_cut.test_promise_2_allowed_own_and_gateway_classic_profile(gate)


def test_promise_2_replies_to_our_own_connections(gate):
    by_ipset(gate)
    test_never_cut.test_promise_2_replies_to_our_own_connections_classic_profile(gate)


def test_promise_3_restart_neither_opens_nor_closes_the_gate(gate):
    by_ipset(gate)
    test_table.test_promise_3_restart_neither_opens_nor_closes_the_gate(gate)


def test_ipv6_and_prefixes(gate):
    by_ipset(gate)
    test_table.test_ipv6_addresses_and_networks(gate)


def rebuilt(gate, kind):
    by_ipset(gate, kind)
    stranger, banned = test_table.stand_with_bans(gate)
    whole = sorted(gate.kernel())
    chains = gate.host.run(f"iptables-{kind}-save", "-t", "mangle").count("PALANG")
    v4, v6 = f"iptables-{kind}", f"ip6tables-{kind}"
    for ruin in ((v4, "-t", "mangle", "-F"), (v6, "-t", "mangle", "-F"), ("ipset", "flush", "palang-full4"),
                 ("ipset", "flush"), ("ipset", "del", "palang-quiet4", stranger),
                 (v4, "-t", "mangle", "-D", "PREROUTING", "-j", "PALANG-FULL"),
                 (v4, "-t", "mangle", "-I", "PALANG-FULL", "-j", "RETURN")):
        gate.host.run(*ruin)
        wait_until(lambda: sorted(gate.kernel()) == whole, f"the bans are back after {ruin}", 15, every=0.05)
        wait_until(lambda: gate.host.run(f"{v4}-save", "-t", "mangle").count("PALANG") == chains,
                   f"the chains are back after {ruin}", 15, every=0.05)
        wait_until(lambda: gate.shuts_out(banned), f"the banned one is out after {ruin}", 5)
    check("somebody changed our ipsets or our chains of iptables" in gate.said(), "it is said in the log")
    check(gate.lets_in("203.0.113.7") and gate.shuts_out("203.0.113.8"), "who is allowed passes, its network does not")


def test_rebuilt_after_what_others_do_by_nf_tables(gate):
    rebuilt(gate, "nft")


def test_rebuilt_after_what_others_do_legacy(gate):
    rebuilt(gate, "legacy")


def others_untouched(gate, kind):
    by_ipset(gate, kind)
    tables, iptables = f"iptables-{kind}", [f"iptables-{kind}"]
    for rule in (("-A", "FORWARD", "-s", "172.17.0.0/16", "-j", "ACCEPT"),
                 ("-t", "nat", "-A", "POSTROUTING", "-s", "172.17.0.0/16", "-j", "MASQUERADE"),
                 ("-t", "mangle", "-A", "PREROUTING", "-p", "tcp", "--dport", "4", "-j", "MARK", "--set-mark", "7")):
        gate.host.run(*iptables, *rule)
    gate.host.run("ipset", "create", "blocklist", "hash:ip")
    gate.host.run("ipset", "add", "blocklist", "198.51.100.9")

    def others():
        # Chains count what passes; whose policy it is doesn't change with that.
        rules = [line.split(" [")[0] for line in saved(gate, f"{tables}-save")]
        return ([line for line in rules if "PALANG-" not in line], gate.host.run("ipset", "list", "blocklist"),
                {name: text for name, text in gate.tables_of_others().items() if name[1] in ("firewall", "nat_of_docker")})
    before = others()
    _, banned = test_table.stand_with_bans(gate)
    equal(others(), before, "rules and sets of others with the daemon at work")
    gate.host.run(*iptables, "-t", "mangle", "-F", "PALANG-FULL")
    wait_until(lambda: gate.shuts_out(banned), "the chain is rebuilt", 15)
    equal(others(), before, "after a rebuild")
    equal(gate.stop(), 0, "exit code")
    check(banned in gate.kernel() and gate.shuts_out(banned), "a stop leaves the bans")
    gate.start()
    equal(gate.stop("--lift"), 0, "exit code")
    equal(gate.kernel(), None, "our sets after stop --lift")
    check(not any("PALANG" in line for line in saved(gate, f"{tables}-save")), "our chains after stop --lift")
    equal(others(), before, "after stop --lift")
    check(gate.lets_in(banned), "everybody is in again")


def test_promise_6_rules_and_sets_of_others_stay_as_they_are_by_nf_tables(gate):
    others_untouched(gate, "nft")


def test_promise_6_rules_and_sets_of_others_stay_as_they_are_legacy(gate):
    others_untouched(gate, "legacy")


def test_bans_come_back_from_the_kernel_when_the_ledger_is_lost(gate):
    by_ipset(gate)
    _, banned = test_table.stand_with_bans(gate)
    gate.signal(signal.SIGKILL)
    gate.daemon.wait(10)
    gate.daemon = None
    gate.ledger_path = gate.path("another/palang.db")
    gate.config()
    gate.start()
    check(banned in gate.bans(), "the ban is known again")
    check(gate.shuts_out(banned), "the banned one is out")


def test_a_host_without_iptables_is_told_so(gate):
    by_ipset(gate)
    gate.config()
    with gate.host:
        # A view of the file system in which the directories of programs are empty.
        done = subprocess.run(["unshare", "-m", "sh", "-c",
                               "for d in /usr/sbin /sbin /usr/local/sbin; do mount -t tmpfs none $(readlink -f $d); done; "
                               f"exec {gate.binary} daemon --config {gate.path('palang.toml')}"],
                              capture_output=True, text=True, timeout=30, check=False)
    equal(done.returncode, 1, f"exit code ({done.stderr})")
    check("no iptables-save and iptables-restore on this host" in done.stderr, done.stderr)
