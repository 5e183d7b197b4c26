"""The commands as an admin and as a program use them, with their exit codes and JSON."""

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import time

from expect import Skip, check, equal, wait_until
from gate import HOST

OK, FAULT, USAGE, NOT_FOUND, BAD_CONFIG = range(5)
DECISION_KEYS = {"id", "prefix", "scope", "rule", "reason", "origin", "proof", "from", "until", "proven_at", "count",
                 "protocol", "port", "repeat"}
BAN_KEYS = DECISION_KEYS | {"note", "hits", "last_seen"}


def test_commands_have_the_shapes_that_programs_rely_on(gate):
    gate.config()
    gate.start()
    one, two = gate.stranger(), gate.stranger()
    gate.log.blocked(one)
    gate.wait_until_banned(one)
    status = gate.ask("status")
    equal(set(status), {"version", "pid", "started", "healthy", "troubles", "profile", "enforcer", "enforcement", "bans",
                        "allowed", "sources", "counters", "open_ports", "protected"}, "keys of status")
    equal((status["healthy"], status["pid"], status["profile"], status["enforcer"]),
          (True, gate.daemon.pid, "default", "nftables"), "status")
    equal(status["bans"], {"intended": 1, "in_kernel": 1, "quiet": 1, "full": 0}, "bans in status")
    equal([source["name"] for source in status["sources"]], ["file:" + gate.log.path], "sources in status")

    made = gate.ask("ban", two, "--for", "3d", "--reason", "he asked for it")
    equal((set(made), set(made["ban"])), ({"ban"}, BAN_KEYS), "keys of ban")
    equal((made["ban"]["scope"], made["ban"]["origin"], made["ban"]["rule"], made["ban"]["note"]),
          ("full", "manual", "manual", "he asked for it"), "a ban by hand")
    listed = gate.ask("list")
    equal((set(listed), listed["total"], [set(ban) for ban in listed["bans"]]), ({"total", "bans"}, 2, [BAN_KEYS] * 2),
          "keys of list")
    why = gate.ask("why", one)
    equal(set(why), {"address", "banned", "ban", "exempt", "decisions", "evidence", "advice"}, "keys of why")
    equal(set(why["decisions"][0]), DECISION_KEYS | {"note", "how_it_ended"}, "keys of a decision in why")
    equal(set(why["evidence"][0]), {"at", "source", "rule", "line"}, "keys of evidence")
    equal(gate.ask("allow", one), {"lifted": 1}, "allow")
    equal(gate.ask("allow", one, "--remove"), {"lifted": 0}, "allow --remove")
    equal(gate.ask("unban", two), {"lifted": 1}, "unban")
    equal(set(gate.ask("reload")), {"notes"}, "reload")
    refusal = gate.palang("ban", "nonsense", "--json")
    equal((refusal.code, refusal.out), (USAGE, ""), "a refusal prints nothing that a program could take for an answer")


def test_list_filters_and_sorts(gate):
    gate.config()
    gate.start()
    network = gate.network()
    gate.ask("ban", f"{network}1", "--for", "3h", "--scope", "quiet")
    gate.ask("ban", f"{network}2", "--for", "1h")
    gate.ask("ban", "203.0.113.0/24", "--for", "2h")
    line = gate.stranger()
    gate.log.blocked(line)
    gate.wait_until_banned(line)

    def prefixes(*arguments):
        return [ban["prefix"] for ban in gate.ask("list", *arguments)["bans"]]
    equal(prefixes("--sort", "until"), [f"{network}2", "203.0.113.0/24", f"{network}1", line], "sorted by end")
    equal(prefixes()[0], line, "the newest first")
    equal(prefixes("--within", f"{network}0/24", "--sort", "prefix"), [f"{network}1", f"{network}2"], "inside")
    equal(prefixes("--within", "203.0.113.77"), ["203.0.113.0/24"], "around")
    equal(prefixes("--rule", "blocked"), [line], "by rule")
    equal(sorted(prefixes("--scope", "quiet")), sorted([f"{network}1", line]), "by scope")
    equal(len(prefixes("--origin", "manual")), 3, "by origin")
    limited = gate.ask("list", "--limit", "2")
    equal((len(limited["bans"]), limited["total"]), (2, 4), "limited")
    for _ in range(3):
        gate.world.pings("203.0.113.5", HOST, 0.05)
    equal(prefixes("--sort", "hits")[0], "203.0.113.0/24", "most hits first")
    table = gate.palang("list", env={**os.environ, "NO_COLOR": "1"}).out
    check(line in table and "\x1b" not in table, "a table for people, without colours where nobody can see them")


def test_list_tells_who_is_allowed_and_why(gate):
    gate.config(allow={"prefixes": ["203.0.113.0/24"]})
    gate.start()
    gate.ask("allow", "198.51.100.7", "--for", "2h", "--note", "the office\x1b[2J")
    gate.ask("allow", "203.0.113.7")

    def allowed(*arguments):
        return [(one["prefix"], one["by"]) for one in gate.ask("list", "--allowed", *arguments)["allowed"]]
    equal(allowed("--within", "198.51.100.0/24"), [("198.51.100.7", "command")], "inside")
    equal(allowed("--within", "203.0.113.7"), [("203.0.113.0/24", "configuration"), ("203.0.113.7", "command")], "around")
    check(("192.0.2.254", "host") in allowed(), "the gateway")
    office = gate.ask("list", "--allowed", "--within", "198.51.100.7")["allowed"][0]
    equal(set(office), {"prefix", "by", "from", "until", "note"}, "keys")
    check(office["from"] < office["until"], "an end")
    table = gate.palang("list", "--allowed").out
    check(all(word in table for word in ("198.51.100.7", "in 1h", "the office", "gateway")), f"for people: {table}")
    check("\x1b" not in table, "what is noted can't steer a terminal")
    equal(gate.palang("list", "--allowed", "--scope", "full").code, USAGE, "a filter for bans only")
    gate.kill()
    gate.start()
    equal(allowed("--within", "198.51.100.7"), [("198.51.100.7", "command")], "what a command allowed survives kill -9")
    gate.ask("allow", "198.51.100.7", "--remove")
    equal(allowed("--within", "198.51.100.7"), [], "removed")


def test_exit_codes(gate):
    gate.config()
    gate.start()
    unknown = gate.stranger()
    for code, arguments in ((OK, ("status",)), (OK, ("list",)), (OK, ("ban", unknown)), (OK, ("unban", unknown)),
                            (OK, ("why", unknown)), (OK, ("allow", "203.0.113.1")),
                            (USAGE, ("ban",)), (USAGE, ("ban", "203.0.113.256")), (USAGE, ("ban", "203.0.113.1/24")),
                            (USAGE, ("ban", unknown, "--for", "3 days")), (USAGE, ("ban", "0.0.0.0/0")),
                            (USAGE, ("ban", "::/0")), (USAGE, ("ban", "203.0.113.1")), (USAGE, ("ban", HOST)),
                            (USAGE, ("allow", "0.0.0.0/0")), (USAGE, ("allow", "::/0")),
                            (USAGE, ("unban",)), (USAGE, ("unban", "--all")), (USAGE, ("why",)), (USAGE, ("lst",)),
                            (NOT_FOUND, ("unban", "203.0.113.99")), (NOT_FOUND, ("why", "203.0.113.99")),
                            (NOT_FOUND, ("allow", "203.0.113.99", "--remove")), (OK, ("unban", "--all", "--yes"))):
        reply = gate.palang(*arguments)
        equal(reply.code, code, f"exit code of palang {' '.join(arguments)} ({reply})")
        equal(bool(reply.err), code != OK, f"what palang {' '.join(arguments)} says to standard error ({reply.err!r})")
    gate.config(ban={"four": "1d"})
    reply = gate.palang("reload")
    equal(reply.code, BAD_CONFIG, "reload of a bad configuration")
    check("palang.toml" in reply.err and "ban.for" in reply.err, f"it names file and nearest key: {reply.err}")
    equal(gate.palang("status").code, OK, "the daemon goes on with the old one")
    gate.stop()
    reply = gate.palang("status")
    equal(reply.code, FAULT, "no daemon")
    check("systemctl start palang" in reply.err, f"it says what to do: {reply.err}")
    equal(gate.launch().wait(10), BAD_CONFIG, "a daemon started with a bad configuration")
    gate.daemon = None


def test_check_names_file_line_and_key(gate):
    path = gate.config(ban={"for": "1h"})

    def check_command():
        return subprocess.run([gate.binary, "check", path], capture_output=True, text=True, timeout=30, check=False)
    equal(check_command().returncode, OK, "exit code for a good configuration")
    with open(path, "a", encoding="utf-8") as file:
        file.write("[detect.blocked]\nafter = 0\nwithing = \"1m\"\n")
    with open(path, encoding="utf-8") as file:
        line = file.read().splitlines().index("[detect.blocked]") + 1
    bad = check_command()
    equal(bad.returncode, BAD_CONFIG, "exit code for a bad configuration")
    for words in (f"{path}:{line + 1}", f"{path}:{line + 2}", "detect.blocked.after", "within"):
        check(words in bad.stderr, f"it names {words}: {bad.stderr}")


def test_unban_is_final(gate):
    """No phantom bans: old lines don't bring back what an admin lifted; not even those the daemon had not saved."""
    gate.config(ban={"for": "1h"})
    gate.start()
    stranger, witness = gate.stranger(), gate.stranger()
    for how in ("while it runs", "after kill -9", "after a stop"):
        gate.log.blocked(*[stranger] * 50)
        gate.wait_until_banned(stranger)
        gate.log.blocked(*[stranger] * 50)
        wait_until(lambda: gate.counters()["events_stopped"] >= 99, "all lines are read", 5)
        equal(gate.ask("unban", stranger), {"lifted": 1}, "unban")
        check(stranger not in gate.kernel() and gate.lets_in(stranger), "it is let in at once")
        if how == "after kill -9":
            gate.kill()
            gate.start()
        if how == "after a stop":
            gate.stop()
            gate.start()
        gate.log.blocked(witness)
        gate.wait_until_banned(witness)
        gate.ask("unban", witness)
        check(stranger not in gate.bans() and stranger not in gate.kernel(), f"no phantom ban {how}")
        equal(gate.ask("why", stranger)["decisions"][0]["how_it_ended"], "lifted", "how it ended")
    # What it does afterwards counts.
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)


def test_unban_beats_lines_that_are_read_after_it(gate):
    """Lines from before the unban that reach the daemon later (a slow syslog) are old news."""
    gate.config(ban={"for": "1h"})
    gate.start()
    stranger, witness = gate.stranger(), gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    before = time.time()
    time.sleep(0.01)
    gate.ask("unban", stranger)
    gate.log.blocked(stranger, at=before)
    gate.log.blocked(witness)
    gate.wait_until_banned(witness)
    check(stranger not in gate.bans(), "a late line does not bring the ban back")
    gate.kill()
    gate.log.blocked(stranger, at=before)
    gate.log.blocked(gate.stranger())
    gate.start()
    wait_until(lambda: len(gate.bans()) == 2, "the lines are read")
    check(stranger not in gate.bans(), "nor does one that is read after kill -9")


def test_unban_of_a_network_and_of_all(gate):
    gate.config()
    gate.start()
    network = gate.network()
    for host in (1, 2, 130):
        gate.ask("ban", f"{network}{host}")
    equal(gate.ask("unban", f"{network}0/25"), {"lifted": 2}, "bans inside a network")
    equal(list(gate.kernel()), [f"{network}130"], "what is left in the kernel")
    gate.ask("ban", f"{network}0/24")
    inside = gate.palang("unban", f"{network}5")
    equal(inside.code, NOT_FOUND, "an address that is banned with its network")
    check(f"{network}0/24" in inside.err and "palang allow" in inside.err, f"it says what to do: {inside.err}")
    gate.ask("unban", "--all", "--yes")
    equal((gate.kernel(), gate.bans(), gate.ledger()), ({}, {}, set()), "after unban --all")


def test_watch_tells_bans_as_they_come_and_go(gate):
    gate.config(ban={"for": "1s", "quiet": "0s"})
    gate.start()
    with gate.host:
        watcher = subprocess.Popen([gate.binary, "watch", "--json", "--socket", gate.socket], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)

    def end():
        watcher.kill()
        watcher.wait(5)
    gate.finally_do(end)
    time.sleep(0.3)
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    added, ended = (json.loads(watcher.stdout.readline()) for _ in range(2))
    equal((added["change"], added["prefix"], ended["change"], ended["prefix"]), ("added", stranger, "ended", stranger),
          "what watch tells")
    equal(set(added), DECISION_KEYS | {"change", "at", "note"}, "keys of a change")
    gate.ask("ban", stranger, "--reason", "enough")
    equal(json.loads(watcher.stdout.readline())["note"], "enough", "the reason, live")
    gate.stop()
    equal(watcher.wait(5), FAULT, "exit code of watch when the daemon stops")


def test_reload_takes_over_what_it_can(gate):
    gate.config(ban={"for": "1h"})
    gate.start()
    one, two, three = gate.stranger(), gate.stranger(), gate.stranger()
    gate.log.blocked(one)
    gate.wait_until_banned(one)
    gate.config(ban={"for": "2h"}, allow={"prefixes": [one]})
    gate.ask("reload")
    wait_until(lambda: one not in gate.kernel(), "who is allowed now is free")
    gate.log.blocked(two)
    gate.wait_until_banned(two)
    check(7000 < gate.kernel()[two]["expires"] <= 7200, "the new duration")
    gate.config(ban={"for": "3h"})
    gate.signal(signal.SIGHUP)
    wait_until(lambda: gate.said().count("configuration reloaded") == 2, "SIGHUP reloads, too")
    gate.log.blocked(three, one)
    gate.wait_until_banned(three, one)
    check(10000 < gate.kernel()[three]["expires"] <= 10800, "the newer duration")
    gate.config(ban={"for": "3h"}, ledger={"path": gate.path("other/palang.db")})
    notes = gate.ask("reload")["notes"]
    check(any("[ledger]" in note and "restart" in note for note in notes), f"what takes a restart is said: {notes}")


def test_a_daemon_without_the_right_to_change_the_kernel_says_so(gate):
    gate.config()
    gate.launch(by=("setpriv", "--bounding-set=-net_admin", "--"))
    equal(gate.daemon.wait(10), FAULT, "exit code")
    gate.daemon = None
    check("takes root, or CAP_NET_ADMIN" in gate.said(), f"it says what is missing: {gate.said()}")


def test_second_daemon_is_refused(gate):
    gate.config()
    gate.start()
    first, said = gate.daemon, len(gate.said())
    stranger = gate.stranger()
    gate.ask("ban", stranger)
    for arguments in ((), ("--socket", gate.path("other.sock")), ("--ledger", gate.path("other.db"))):
        equal(gate.launch(*arguments).wait(10), FAULT, f"exit code of a second daemon {arguments}")
    gate.daemon = first
    words = gate.said()[said:]
    check(f"another palang (pid {first.pid}) uses the ledger" in words, f"a clear sentence: {words}")
    check("another palang answers on" in words, f"a clear sentence: {words}")
    equal(gate.palang("status").code, OK, "the first goes on")
    check(stranger in gate.kernel(), "and its bans stand")


def test_socket_is_for_root_and_the_group_only(gate):
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Skip("needs a user nobody") from None
    gate.config(api={"group": "no-such-group-here"})
    gate.start()
    os.chmod(gate.directory, 0o755)
    equal(stat.S_IMODE(os.stat(gate.socket).st_mode), 0o600, "mode of the socket without a group")
    outsider = gate.palang("status", user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    equal(outsider.code, FAULT, "a user who is neither root nor in the group")
    check("permission denied" in outsider.err and "group palang" in outsider.err, f"a clear sentence: {outsider.err}")
    gate.stop()
    check(not os.path.exists(gate.socket), "the socket is gone after a stop")
    gate.config(api={"group": "daemon"})
    gate.start()
    equal(stat.S_IMODE(os.stat(gate.socket).st_mode), 0o660, "mode of the socket with a group")
    member = gate.palang("status", user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[os.stat(gate.socket).st_gid])
    equal(member.code, OK, "a member of the group")
    equal(gate.palang("status", user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[]).code, FAULT, "a stranger")
    # The socket file alone decides nothing: whoever gets past its mode is asked who he is.
    os.chmod(gate.socket, 0o666)
    equal(gate.palang("status", user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[]).code, FAULT, "a stranger")


def test_systemd_is_told_when_it_is_ready_and_alive(gate):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(gate.path("notify"))
    notify.settimeout(10)
    gate.config()
    gate.launch(environment={"NOTIFY_SOCKET": gate.path("notify"), "WATCHDOG_USEC": "3000000"})
    heard = notify.recv(100).decode()
    check("READY=1" in heard, f"the first word: {heard}")
    equal(gate.palang("status").code, OK, "it answers from then on")
    wait_until(lambda: "WATCHDOG=1" in notify.recv(100).decode(), "the watchdog is fed", 5)
    gate.signal(signal.SIGTERM)
    wait_until(lambda: "STOPPING=1" in notify.recv(100).decode(), "the stop is told", 5)
    equal(gate.wait_until_stopped(), OK, "exit code after SIGTERM")


def test_dry_run_touches_nothing(gate):
    gate.config(ban={"for": "1h"})
    before = gate.host.run("nft", "-a", "list", "ruleset")
    gate.log.blocked(early := gate.stranger())
    gate.start("--dry-run")
    late = gate.stranger()
    gate.log.blocked(late)
    wait_until(lambda: set(gate.bans()) == {early, late}, "it decides")
    gate.ask("ban", "203.0.113.0/24")
    gate.wait_for_message(f"banned {late} .*tcp/8083")
    status = gate.status()
    equal((status["enforcer"], status["bans"]["intended"], status["bans"]["in_kernel"]), ("dry-run", 3, 0), "status")
    check(gate.lets_in(late), "nobody is stopped")
    equal(gate.host.run("nft", "-a", "list", "ruleset"), before, "the kernel's rules")
    equal(gate.stop("--lift"), OK, "exit code")
    equal(gate.host.run("nft", "-a", "list", "ruleset"), before, "the kernel's rules")
    check(not os.path.exists(os.path.dirname(gate.ledger_path)), "no ledger is written")
