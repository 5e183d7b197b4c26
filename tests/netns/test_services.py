"""What services log leads to bans: a real sshd and a real nginx, and strangers who try."""

import json
import os
import re
import shutil
import subprocess

from expect import Skip, check, equal, wait_until
from gate import HOST, LogFile
from services import Nginx, Sshd, bsd_stamp, guess_password, request

RULES = """
[[rule]]
name = "test-sshd"
about = "Failed logins to OpenSSH"
what = "failed ssh logins"
programs = ["sshd"]
patterns = [ '''^Failed password for (?:invalid user )?<USER> from <ADDR> port \\d+ ssh2$''' ]
after = 3
within = "10m"
[[rule]]
name = "test-probe"
about = "Requests for what only attackers look for"
files = ["@DIRECTORY@/nginx/*access.log"]
format = "access"
where = { path = ['''^/\\.env$''', '''^/\\.git/'''] }
after = 2
within = "10m"
"""


def rules(gate, text=RULES):
    """Rules of the test instead of those that come with palang."""
    directory = gate.path("rules.d")
    os.makedirs(directory, exist_ok=True)
    with open(directory + "/test.toml", "w", encoding="utf-8") as file:
        file.write(text.replace("@DIRECTORY@", gate.directory))
    return {"shipped": False, "directories": [directory], "follow": True}


def guess_until_banned(gate, stranger, threshold, user="root"):
    """Tries passwords until the stranger is out; how many attempts reached sshd."""
    for attempt in range(1, threshold + 3):
        guess_password(gate, stranger, user)
        if attempt < threshold:
            continue
        try:
            wait_until(lambda: stranger in (gate.kernel() or {}), "banned", 2)
            return attempt
        except AssertionError:
            continue
    raise AssertionError(f"not banned after {threshold + 2} attempts:\n{gate.said()}")


def test_failed_logins_to_a_real_sshd_are_banned(gate):
    log = LogFile(gate.path("auth.log"))
    gate.config(source=log.path, rules=rules(gate))
    gate.start()
    Sshd(gate, log)
    stranger, neighbour = gate.stranger(), gate.stranger()
    attempts = guess_until_banned(gate, stranger, 3, "admin")
    check(attempts <= 5, f"banned before the third next attempt: {attempts}")
    equal(gate.kernel()[stranger]["scope"], "full", "an application saw it: every port is closed")
    why = gate.ask("why", stranger)
    equal((why["ban"]["rule"], why["ban"]["reason"]), ("test-sshd", "3 failed ssh logins within 10 minutes"), "why, in words")
    told = subprocess.run([gate.binary, "why", stranger, "--socket", gate.socket], capture_output=True, text=True, check=True)
    check("3 failed ssh logins within 10 minutes" in told.stdout, f"and so it is told: {told.stdout}")
    lines = [one["line"] for one in why["evidence"]]
    check(len(lines) >= 3 and all("Failed password for" in line and stranger in line for line in lines),
          f"why shows the lines: {lines}")
    equal(gate.world.reaches(stranger, HOST, 22), "silence", "sshd is out of reach for it")
    equal(gate.world.reaches(neighbour, HOST, 22), "accepted", "and for nobody else")
    counters = gate.counters()
    check(counters["lines_matched"] >= 3 and counters["lines_unmatched"] > 0, f"lines are counted: {counters}")
    equal([ban["prefix"] for ban in gate.ask("list", "--rule", "test-sshd")["bans"]], [stranger], "list by rule")


def test_probes_of_a_real_nginx_are_banned_though_its_log_appears_later(gate):
    gate.config(rules=rules(gate))
    gate.start()
    Nginx(gate)
    gate.wait_for_message(r"reading log file .*/access.log: rules are for it")
    stranger, visitor = gate.stranger(), gate.stranger()
    for path in ("/", "/index.html", "/favicon.ico"):
        request(gate, visitor, path)
    equal(request(gate, stranger, "/.env"), 404, "the first probe is answered")
    request(gate, stranger, "/.git/config")
    gate.wait_until_banned(stranger)
    equal(gate.kernel()[stranger]["scope"], "full", "scope")
    equal(request(gate, stranger, "/"), None, "it gets no answer any more")
    equal(request(gate, visitor, "/"), 200, "others do")
    check("/.git/config" in gate.ask("why", stranger)["evidence"][0]["line"], "why shows the request")


def test_counts_of_rules_survive_kill(gate):
    log = LogFile(gate.path("auth.log"))
    gate.config(source=log.path, rules=rules(gate))
    gate.start()
    stranger = gate.stranger()

    def fail(count):
        log.append(*[f"{bsd_stamp()} web1 sshd[7]: Failed password for root from {stranger} port 64490 ssh2\n"] * count)
    fail(2)
    gate.wait_until_read(2)
    wait_until(lambda: gate.query("SELECT count(*) FROM pending WHERE rule = 'test-sshd'")[0][0] == 1, "saved", 5)
    gate.kill()
    gate.start()
    counts = gate.palang("explain", "x", "--config", gate.path("palang.toml"))
    equal(counts.code, 0, f"explain works ({counts})")
    fail(1)
    gate.wait_until_banned(stranger)
    equal(gate.ask("why", stranger)["ban"]["count"], 3, "two before, one after")


def test_a_broken_rule_is_told_and_the_others_go_on(gate):
    log = LogFile(gate.path("auth.log"))
    settings = rules(gate, RULES + "[[rule]]\nname = 'test-broken'\nprograms = ['x']\npatterns = ['^(<ADDR>$']\n")
    gate.config(source=log.path, rules=settings)
    gate.start()
    check(any("test.toml" in trouble for trouble in gate.status()["troubles"]), "status names the file")
    checked = subprocess.run([gate.binary, "check", gate.path("palang.toml")], capture_output=True, text=True,
                             timeout=30, check=False)
    equal(checked.returncode, 4, f"check refuses it ({checked})")
    check("test.toml:" in checked.stderr, f"with file and line: {checked.stderr}")
    equal(gate.counters()["rules_loaded"], 2, "the others are loaded")


JAIL_LOCAL = """
[DEFAULT]
bantime = 1h
[sshd]
enabled = true
backend = auto
logpath = @DIRECTORY@/auth.log
[nginx-http-auth]
enabled = true
logpath = @DIRECTORY@/nginx/error.log
[postfix]
enabled = true
bantime = 2s
backend = auto
logpath = @DIRECTORY@/mail.log
[dovecot]
enabled = true
backend = auto
logpath = @DIRECTORY@/mail.log
[recidive]
enabled = true
maxretry = 2
[broken]
enabled = true
filter = sshd
failregex = ^(<HOST>$
logpath = @DIRECTORY@/auth.log
[missing]
enabled = true
filter = nobody-wrote-this
logpath = @DIRECTORY@/auth.log
[circle]
enabled = true
maxretri = 3
logpath = @DIRECTORY@/auth.log
"""

CIRCLE = {"circle.conf": "[INCLUDES]\nbefore = circle2.conf\n[Definition]\nfailregex = ^round <HOST>$\n",
          "circle2.conf": "[INCLUDES]\nbefore = circle.conf\n        nowhere.conf\n"}


def fail2ban(gate, jails=JAIL_LOCAL):
    """A copy of the configuration that the distribution's fail2ban comes with, and a jail.local."""
    if not os.path.exists("/etc/fail2ban/jail.conf"):
        raise Skip("needs the package fail2ban")
    directory = gate.path("fail2ban")
    shutil.copytree("/etc/fail2ban", directory)
    shutil.rmtree(directory + "/jail.d")  # Debian's enables a jail of its own
    for name, text in CIRCLE.items():
        with open(f"{directory}/filter.d/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    with open(directory + "/jail.local", "w", encoding="utf-8") as file:
        file.write(jails.replace("@DIRECTORY@", gate.directory))
    return directory


def local(gate, *arguments):
    """A command that needs no daemon."""
    done = subprocess.run([gate.binary, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def explain_what_was_counted(gate, log, config):
    """A stranger fails twice; then a third line is explained."""
    stranger = gate.stranger()
    for _ in range(2):
        guess_password(gate, stranger)
    line = f"{bsd_stamp()} web1 sshd[7]: Failed password for root from {stranger} port 64490 ssh2"

    def explained():
        code, out, err = local(gate, "explain", line, "--file", log.path, "--config", config, "--socket", gate.socket, "--json")
        equal(code, 0, f"explain ({err})")
        return {jail["jail"]: jail for jail in json.loads(out)["jails"]}
    wait_until(lambda: explained()["sshd"]["counted"] == 2, "what the daemon has counted", 5)
    jail = explained()["sshd"]
    equal((jail["source"], jail["user"], jail["counted_here"], jail["enough"]), (stranger, "root", 1, 5), "the jail's view")
    check("<HOST>" in jail["pattern"], "the failregex as the filter has it")
    check("circle" in explained() and "postfix" not in explained(), "only jails of this file are offered the line")


def test_jails_of_fail2ban_work_unmodified(gate):
    directory = fail2ban(gate)
    log, mail = LogFile(gate.path("auth.log")), LogFile(gate.path("mail.log"))
    config = gate.config(rules={"shipped": False, "directories": [], "follow": True})
    before = open(config, encoding="utf-8").read()
    code, out, err = local(gate, "import", "fail2ban", directory, "--config", config, "--json")
    equal(code, 0, f"import ({err})")
    report = {jail["jail"]: jail for jail in json.loads(out)["jails"]}
    equal({name for name, jail in report.items() if jail["carried_over"]},
          {"sshd", "nginx-http-auth", "postfix", "dovecot", "recidive", "circle"}, "what can be carried over")
    for jail, key, pattern in (("broken", "differs", r"jail\.local:\d+: failregex: .*missing closing parenthesis"),
                               ("missing", "differs", r"jail\.local:\d+: .*there is no .*/nobody-wrote-this\.conf"),
                               ("circle", "complaints", r"circle2\.conf:2: includes .*, which includes it"),
                               ("circle", "complaints", r"circle2\.conf:2: .*nowhere\.conf is missing"),
                               ("circle", "complaints", r'jail\.local:\d+: .*no option "maxretri"; did you mean "maxretry"')):
        check(any(re.search(pattern, sentence) for sentence in report[jail][key]), f"{jail}: {pattern} in {report[jail]}")
    equal(open(config, encoding="utf-8").read(), before, "the import changes nothing")

    gate.start()
    code, out, err = local(gate, "rules", "load-fail2ban", directory, "--config", config, "--socket", gate.socket)
    equal(code, 0, f"load-fail2ban ({err})")
    check("6 of 8 jails" in gate.said(), f"the daemon takes the jails on: {gate.said()}")
    check(any("broken" in trouble for trouble in gate.status()["troubles"]), "and names the broken ones")

    Sshd(gate, log)
    Nginx(gate)
    explain_what_was_counted(gate, log, config)
    guesser, visitor, relay = gate.stranger(), gate.stranger(), gate.stranger()
    attempts = guess_until_banned(gate, guesser, 5)
    check(attempts <= 7, f"banned before the third next attempt: {attempts}")
    why = gate.ask("why", guesser)
    equal((why["ban"]["rule"], why["ban"]["scope"]), ("jail:sshd", "full"), "the jail and its scope")
    equal(why["ban"]["reason"], "5 failures in fail2ban's jail sshd within 10 minutes", "a sentence")
    check(3590 < gate.kernel()[guesser]["expires"] <= 3600, "for as long as the jail says")
    check(any("Failed password" in one["line"] for one in why["evidence"]), f"why shows the lines: {why['evidence']}")

    gate.wait_for_message(r"reading log file .*/error.log: rules are for it")
    for _ in range(5):
        request(gate, visitor, "/private/x", user="mallory")
    gate.wait_until_banned(visitor)
    equal(gate.ask("why", visitor)["ban"]["rule"], "jail:nginx-http-auth", "the jail")

    def refuse_relay():
        mail.append(*[f"{bsd_stamp()} web1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{relay}]: 554 5.7.1 "
                      f"<a@example.net>: Relay access denied; from=<b@example.org> to=<a@example.net> proto=ESMTP "
                      f"helo=<x>\n"] * 5)
    refuse_relay()
    gate.wait_until_banned(relay)
    equal(gate.ask("why", relay)["ban"]["rule"], "jail:postfix", "the jail")

    wait_until(lambda: relay not in gate.bans(), "its ban is over", 10)
    refuse_relay()
    gate.wait_until_banned(relay)
    equal(gate.ask("why", relay)["ban"]["rule"], "jail:recidive", "its second ban")
    check(gate.kernel()[relay]["expires"] > 6 * 86400, "is a week")


def test_a_copied_log_is_read_by_its_programs(gate):
    config = gate.config(rules={"follow": False})
    line = "Jan 12 00:30:41 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, rip=203.0.113.9, lip=192.0.2.1\n"
    for name in ("copy.log", "mail.log.1", "dovecot"):
        LogFile(gate.path(name)).append(line)
        code, out, err = local(gate, "rules", "coverage", gate.path(name), "--config", config, "--json")
        equal((code, json.loads(out)["understood"]), (0, 1), f"a copy named {name} ({err})")
    LogFile(gate.path("nginx-error.log")).append('2025/01/12 00:30:41 [error] 7#7: *4 access forbidden by rule, client: 203.0.113.9, server: x, '
                                           'request: "GET /.git/config HTTP/1.1", host: "x"\n')
    code, out, err = local(gate, "rules", "coverage", gate.path("nginx-error.log"), "--config", config, "--json")
    equal((code, json.loads(out)["understood"]), (0, 1), f"one named like nginx's ({err})")
    code, out, err = local(gate, "explain", '203.0.113.9 - - [12/Jan/2025:00:30:41 +0100] "GET /.env HTTP/1.1" 404 1 "-" "-"',
                           "--file", "/var/log/nginx/access.log", "--config", config, "--socket", gate.socket, "--json")
    explained = json.loads(out)
    equal((code, explained["format"]), (0, "access"), f"which parser takes a line ({err})")
    probe = next(one for one in explained["rules"] if one["rule"] == "http-probe")
    equal((probe["matched"], probe["counted_here"], probe["enough"], probe["counted"]), (True, 1, 2, None), "how far it is, without a daemon")
