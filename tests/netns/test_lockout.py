"""No lock-out: five ways to shut oneself out, and the old policy is back each time. The time to confirm is short here."""

import json
import os
import signal
import subprocess
import time

from expect import check, equal, stays, wait_until
from firewall import ADMIN, ADMIN6, STRANGER, Firewall, serve
from gate import GATEWAY, HOST

WITHIN = 3
BACK = WITHIN + 5
OLD = f"""confirm_within = "{WITHIN}s"
[[firewall.rule]]
protocol = "tcp"
ports = [22]
peer = ["{ADMIN}", "{ADMIN6}"]
"""


def guarded(gate):
    """A host whose sshd only the admin reaches, who is logged in."""
    firewall = Firewall(gate)
    firewall.sshd()
    firewall.use(OLD)
    firewall.opens(ADMIN, 22)
    return firewall, gate.world.connect(ADMIN, HOST, 22)


def back(firewall):
    wait_until(lambda: firewall.tcp(ADMIN, 22, 0.2) == "accepted", "the admin reaches sshd again", BACK)
    equal(firewall.tcp(STRANGER, 22), "silence", "a stranger to sshd")
    check(firewall.tcp(ADMIN6, 22) == "accepted", "by IPv6, too")


def test_wrong_ssh_port(gate):
    firewall, session = guarded(gate)
    firewall.configure(f'confirm_within = "{WITHIN}s"\ntcp_in = [2222]\n')
    refused = firewall.say("apply", connection=session)
    equal(refused.code, 1, refused)
    check("nobody could reach sshd, which listens on tcp/22" in refused.err, refused)
    check(f"your ssh session from {ADMIN} would be cut" in refused.err, refused)
    firewall.opens(ADMIN, 22)  # nothing was changed
    firewall.must("apply", "--overrule=ssh", f"--overrule={ADMIN}", connection=session)
    firewall.shuts(ADMIN, 22)
    back(firewall)


def test_own_address_denied(gate):
    firewall, session = guarded(gate)
    firewall.configure(OLD.replace("[[firewall.rule]]", f"""[[firewall.rule]]
action = "deny"
peer = ["{ADMIN}/32", "{ADMIN6}"]
[[firewall.rule]]"""))
    refused = firewall.say("apply", connection=session)
    equal(refused.code, 1, refused)
    check(f"your ssh session from {ADMIN} would be cut: it is denied by the rule of line" in refused.err, refused)
    firewall.must("apply", f"--overrule={ADMIN}", connection=session)
    firewall.shuts(ADMIN, 22)
    back(firewall)


def test_deny_everyone_is_refused(gate):
    firewall, _ = guarded(gate)
    for prefix in ("0.0.0.0/0", "::/0"):
        firewall.configure(f'[[firewall.rule]]\naction = "deny"\npeer = ["{prefix}"]\n')
        reply = firewall.say("apply")
        equal(reply.code, 4, reply)
        check("palang.toml:" in reply.err and f"firewall.rule.peer: {prefix} denies everyone, you too" in reply.err,
              reply)
    back(firewall)


def test_killed_after_apply(gate):
    """Neither the daemon nor the command is there to put it back."""
    firewall, session = guarded(gate)
    gate.start()
    firewall.configure(f'confirm_within = "{WITHIN}s"\ntcp_in = [2222]\n')
    firewall.must("apply", "--overrule=ssh", f"--overrule={ADMIN}", connection=session)
    gate.kill()
    firewall.shuts(ADMIN, 22)
    back(firewall)
    firewall.configure(OLD)
    gate.start()
    back(firewall)
    check("fw_trial" not in wait_until_tidy(firewall), "what was on trial is cleared away")


def wait_until_tidy(firewall):
    wait_until(lambda: "fw_trial" not in firewall.listing(), "the trial is cleared away", 5)
    return firewall.listing()


def test_command_killed_in_the_middle(gate):
    """Whenever the command is killed, there is the old policy or the trial, never neither."""
    firewall, _ = guarded(gate)
    firewall.configure(f'confirm_within = "{WITHIN}s"\ntcp_in = [2222]\n')
    for milliseconds in (1, 5, 10, 20, 40, 80):
        with gate.host:
            command = subprocess.Popen([gate.binary, "firewall", "apply", "--config", gate.path("palang.toml"),
                                        "--overrule=ssh", f"--overrule={ADMIN}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        time.sleep(milliseconds / 1000)
        command.send_signal(signal.SIGKILL)
        command.wait()
        equal(firewall.tcp(STRANGER, 22, 0.1), "silence", "a stranger to sshd")
    back(firewall)


def test_network_cut_after_apply(gate):
    firewall, session = guarded(gate)
    firewall.configure(f'confirm_within = "{WITHIN}s"\ntcp_in = [2222]\n')
    firewall.must("apply", "--overrule=ssh", f"--overrule={ADMIN}", connection=session)
    gate.world.ip("link set eth0 down")
    time.sleep(WITHIN / 2)
    gate.world.ip("link set eth0 up", "route replace local 198.51.100.0/24 dev lo",
                  "route replace local 203.0.113.0/24 dev lo", "address replace 2001:db8:0:1::fe/64 dev eth0 nodad",
                  "route replace local 2001:db8:bad::/48 dev lo")
    back(firewall)


def test_confirm_needs_a_new_connection(gate):
    firewall, session = guarded(gate)
    firewall.configure(OLD + '[[firewall.rule]]\nprotocol = "tcp"\nports = [80]\n')
    serve(gate, 80)
    firewall.must("apply", connection=session)
    old = firewall.say("confirm", connection=session)
    equal(old.code, 2, old)
    check("older than the policy" in old.err, old)
    fresh = gate.world.connect(ADMIN, HOST, 22)
    firewall.must("confirm", connection=fresh)
    time.sleep(WITHIN + 0.5)
    firewall.opens(STRANGER, 80)  # for good
    equal(firewall.say("confirm").code, 2, "nothing is left to confirm")


def test_first_policy_of_all_goes_back_to_none(gate):
    firewall = Firewall(gate)
    serve(gate, 8083)
    os.makedirs(gate.path("state"), exist_ok=True)
    firewall.configure(f'confirm_within = "{WITHIN}s"\ntcp_in = [22]\n')
    firewall.must("apply")
    firewall.shuts(STRANGER, 8083)
    wait_until(lambda: firewall.tcp(STRANGER, 8083, 0.2) == "accepted", "there is no policy again", BACK)
    equal(json.loads(firewall.must("status", "--json").out)["firewall"], "off", "status")


def test_plan_shows_the_difference(gate):
    firewall, session = guarded(gate)
    firewall.configure(OLD)
    equal(firewall.must("plan").out, "nothing would change\n", "the same policy")
    firewall.configure('tcp_in = [80]\n')
    reply = firewall.must("plan", connection=session)
    check("+     tcp dport 80 counter goto fw_open" in reply.out, reply.out)
    check(f"-     ip saddr {ADMIN} tcp dport 22 counter accept" in reply.out, reply.out)
    check(f"your ssh session from {ADMIN} would be cut: no rule opens tcp/22 to it" in reply.err, reply.err)
    firewall.opens(ADMIN, 22)


def test_bad_input_changes_nothing(gate):
    firewall, _ = guarded(gate)
    before = firewall.listing()
    cases = (("tcp_inn = [80]\n", "firewall.tcp_inn: no such key; did you mean firewall.tcp_in?"),
             ("tcp_in = [70000]\n", "firewall.tcp_in: '70000' is not a port"),
             ('[[firewall.rule]]\npeer = ["192.0.2.1/24"]\n', "firewall.rule.peer: '192.0.2.1/24' is not a prefix"),
             ('[[firewall.list]]\nname = "a"\nfile = "/nonexistent/list"\naction = "deny"\n',
              "firewall.list.file: open /nonexistent/list: no such file or directory"))
    for rules, sentence in cases:
        firewall.configure(rules)
        reply = firewall.say("apply")
        equal(reply.code, 4, reply)
        check(f"{gate.path('palang.toml')}:" in reply.err and sentence in reply.err, reply)
    equal(firewall.listing(), before, "what is in force")


def test_panic_and_off(gate):
    firewall = Firewall(gate)
    firewall.sshd()
    serve(gate, 80)
    firewall.use(OLD + "[[firewall.rule]]\nprotocol = \"tcp\"\nports = [80]\n", allow={"prefixes": [ADMIN]})
    held = gate.world.connect(STRANGER, HOST, 80)
    check(not isinstance(held, str), "a stranger is connected")
    firewall.must("panic")
    firewall.opens(ADMIN, 22)
    firewall.shuts(ADMIN6, 22)
    firewall.shuts(STRANGER, 80)
    firewall.must("panic", "--end")
    firewall.opens(STRANGER, 80)
    firewall.opens(ADMIN6, 22)
    firewall.must("off")
    check("fw_" not in firewall.listing(), "nothing of the firewall is left")
    firewall.opens(STRANGER, 22)


def test_both_come_back_after_a_flush(gate):
    firewall = Firewall(gate)
    serve(gate, 8083, 80)
    firewall.use("tcp_in = [80]\n", ban={"for": "1h"})
    gate.start()
    gate.palang("ban", STRANGER)
    gate.wait_until_banned(STRANGER)
    for damage in (("flush", "ruleset"), ("delete", "table", "inet", "palang"), ("flush", "chain", "inet", "palang",
                   "fw_input"), ("flush", "table", "inet", "palang")):
        gate.host.run("nft", *damage)
        wait_until(lambda: firewall.tcp(ADMIN, 8083, 0.1) == "silence", f"the policy is back after {damage}", 5)
        gate.wait_until_banned(STRANGER)
        firewall.opens(ADMIN, 80)
        equal(firewall.tcp(STRANGER, 80), "silence", "the banned one")
    gate.palang("unban", STRANGER)
    gate.palang("stop", "--lift")
    gate.wait_until_stopped()
    firewall.shuts(ADMIN, 8083)  # lifting the bans leaves the policy


def test_boot_without_the_daemon(gate):
    firewall = Firewall(gate)
    serve(gate, 8083, 80)
    firewall.use("tcp_in = [80]\n")
    gate.host.run("nft", "flush", "ruleset")
    firewall.opens(STRANGER, 8083)
    gate.host.run(gate.binary, "firewall", "load", "--state", gate.path("state"))
    firewall.shuts(STRANGER, 8083)
    firewall.opens(STRANGER, 80)
    gate.host.run("nft", "flush", "ruleset")
    gate.host.run("nft", "-f", gate.path("state/firewall.nft"))  # it is only nft
    firewall.shuts(STRANGER, 8083)


def test_refused_packets_are_judged(gate):
    """Through NFLOG, without any log; and public is what the policy opens."""
    firewall = Firewall(gate)
    serve(gate, 80, 8083)
    firewall.use("tcp_in = [80]\n", source=None, ban={"for": "1h"}, detect={"blocked": {"after": 1}})
    gate.start()
    equal(gate.status()["open_ports"]["tcp"], ["80"], "what is open to the public")
    for source in (gate.stranger(), gate.stranger6()):
        firewall.shuts(source, 8083)
        ban = gate.wait_until_banned(source)
        equal(ban["scope"], "quiet", "a packet that may be forged")
        firewall.opens(source, 80)
    check(any(one["name"] == "nflog:1111" and "lost_lines" in one for one in gate.status()["sources"]), gate.status())


def test_lines_as_csf_wrote_them(gate):
    from needs import require_kernel_lines
    require_kernel_lines()
    firewall = Firewall(gate)
    gate.syslog_kernel_lines()
    firewall.use('tcp_in = [80]\nlog = "csf"\nlog_rate = "5/minute"\n')
    stranger = gate.stranger()
    for port in range(9000, 9020):
        firewall.knock(stranger, port)

    def lines():
        with open(gate.log.path, encoding="utf-8") as file:
            return [line for line in file if f" SRC={stranger} " in line and "Firewall: *TCP_IN Blocked* " in line]
    wait_until(lambda: len(lines()) >= 5, "CSF's lines", 5)
    check(len(lines()) <= 6, f"no more than the rate: {len(lines())}")


def test_gateway_is_protected(gate):
    firewall, _ = guarded(gate)
    firewall.configure(OLD + f'[[firewall.rule]]\naction = "deny"\npeer = ["{GATEWAY}"]\n')
    reply = firewall.say("apply")
    equal(reply.code, 1, reply)
    check(f"the gateway {GATEWAY} would be denied by the rule of line" in reply.err, reply)
    stays(lambda: firewall.tcp(ADMIN, 22) == "accepted", "nothing was changed", 0.3)
