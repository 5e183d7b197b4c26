"""Each kind of rule of the standing firewall: the packet that must pass passes, the one that must not does not."""

import os
import pwd
import re
import socket

from expect import check, equal, wait_until
from firewall import ADMIN, ADMIN6, BOTH, STRANGER, STRANGER6, Firewall, serve
from gate import GATEWAY, GATEWAY6, HOST, HOST6
from wire import PATIENCE, tcp as tcp_packet


def test_open_ports_ranges_and_services(gate):
    firewall = Firewall(gate)
    serve(gate, 80, 443, 2000, 2100, 2101, 8083)
    firewall.use('tcp_in = [80, "https", "2000-2100"]\nudp_in = ["5000-5010"]\n')
    for source, _ in BOTH:
        firewall.opens(source, 80, 443, 2000, 2100)
        firewall.shuts(source, 2101, 8083)
        check(firewall.udp(source, 5010), f"{source} to udp/5010")
        check(not firewall.udp(source, 5011), f"{source} to udp/5011")


def test_reject_answers(gate):
    firewall = Firewall(gate)
    firewall.use('policy = "reject"\ntcp_in = [80]\n')
    for source, _ in BOTH:
        equal(firewall.tcp(source, 8083), "refused", f"{source} to tcp/8083")


def test_ssh_only_from_two_addresses(gate):
    firewall = Firewall(gate)
    serve(gate, 22, 80)
    firewall.use(f"""tcp_in = [80]
[[firewall.rule]]
protocol = "tcp"
ports = [22]
peer = ["{ADMIN}", "{ADMIN6}"]
note = "the office"
""")
    for admin, stranger in ((ADMIN, STRANGER), (ADMIN6, STRANGER6)):
        firewall.opens(admin, 22)
        firewall.shuts(stranger, 22)
        firewall.opens(stranger, 80)


def test_prefixes_denies_and_their_order(gate):
    firewall = Firewall(gate)
    serve(gate, 80)
    firewall.use(f"""tcp_in = [80]
[[firewall.rule]]
peer = ["{STRANGER}", "{STRANGER6}"]
[[firewall.rule]]
action = "deny"
peer = ["203.0.113.0/24", "2001:db8:bad:2::/64"]
""")
    for allowed, denied in ((STRANGER, "203.0.113.10"), (STRANGER6, "2001:db8:bad:2::a")):
        firewall.opens(allowed, 80)
        firewall.shuts(denied, 80)


def test_lists_allow_deny_and_by_name(gate):
    firewall = Firewall(gate)
    serve(gate, 22, 80, 81)
    for name, text in (("deny", "203.0.113.0/25 # bad\n2001:db8:bad:2::9\n"), ("allow", f"{ADMIN}\n{ADMIN6}\n"),
                       ("office", "198.51.100.0/24\n2001:db8:bad:5::/64\n")):
        with open(gate.path(name), "w", encoding="utf-8") as file:
            file.write(text)
    firewall.use("tcp_in = [80]\n" + "".join(f"""[[firewall.list]]
name = "{name}"
file = "{gate.path(name)}"
action = "{action}"
""" for name, action in (("deny", "deny"), ("allow", "allow"), ("office", "none"))) + """[[firewall.rule]]
protocol = "tcp"
ports = [22]
peer = ["list:office"]
""")
    for allowed, denied, office, other in ((ADMIN, STRANGER, "198.51.100.8", "203.0.113.200"),
                                           (ADMIN6, STRANGER6, "2001:db8:bad:5::1", "2001:db8:bad:2::a")):
        firewall.opens(allowed, 81, 22, 80)
        firewall.shuts(denied, 80)
        firewall.opens(office, 22, 80)
        firewall.shuts(office, 81)
        firewall.opens(other, 80)
        firewall.shuts(other, 22)


def test_source_ports_and_until(gate):
    firewall = Firewall(gate)
    serve(gate, 80, 81, 82)
    firewall.use(f"""[[firewall.rule]]
protocol = "tcp"
ports = [80]
source_ports = ["40000-40100"]
[[firewall.rule]]
protocol = "tcp"
ports = [81]
until = "2020-01-01T00:00:00Z"
[[firewall.rule]]
protocol = "tcp"
ports = [82]
until = "2100-01-01T00:00:00+07:00"
""")
    for source, host in BOTH:
        firewall.shuts(source, 80, 81)
        firewall.opens(source, 82)
        with gate.world:
            attempt = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        with attempt:
            attempt.settimeout(2)
            if ":" in host:
                attempt.setsockopt(socket.IPPROTO_IPV6, 78, 1)
            else:
                attempt.setsockopt(socket.IPPROTO_IP, 15, 1)
            attempt.bind((source, 40050))
            attempt.connect((host, 80))


def test_a_rule_ends_by_itself(gate):
    """The kernel knows the end: nobody has to be there."""
    import datetime
    firewall = Firewall(gate)
    serve(gate, 80)
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
    firewall.use(f"""[[firewall.rule]]
protocol = "tcp"
ports = [80]
until = "{until:%Y-%m-%dT%H:%M:%SZ}"
""")
    firewall.opens(STRANGER, 80)
    wait_until(lambda: firewall.tcp(STRANGER, 80) == "silence", "the rule is over", 10)


def test_ping_and_its_rate(gate):
    firewall = Firewall(gate)
    firewall.use('ping = "1/minute burst 2"\n')
    for source, host in BOTH:
        answers = [gate.world.pings(source, host, 0.2) for _ in range(4)]
        equal(answers, [True, True, False, False], f"pings of {source}")
    firewall.use('ping = "off"\n')
    check(not gate.world.pings(ADMIN, HOST), "ping is off")
    check(not gate.world.pings(ADMIN6, HOST6), "ping is off")
    firewall.use('ping = ""\n')
    check(all(gate.world.pings(source, host) for source, host in BOTH for _ in range(10)), "ping at any rate")


def test_neighbours_are_found(gate):
    """What IPv6 must have passes, though nothing else does."""
    firewall = Firewall(gate)
    firewall.use('ping = "off"\nipv6 = false\ntcp_in = [80]\n')
    gate.world.run("ip", "neigh", "flush", "dev", "eth0")
    gate.world.reaches(GATEWAY6, HOST6, 80, 0.2)
    wait_until(lambda: "lladdr" in gate.world.run("ip", "neigh", "show", HOST6), "the neighbour is known", 5)


def test_ipv6_off(gate):
    firewall = Firewall(gate)
    serve(gate, 80)
    firewall.use("ipv6 = false\ntcp_in = [80]\n")
    firewall.opens(STRANGER, 80)
    firewall.shuts(STRANGER6, 80)


def test_replies_pass(gate):
    firewall = Firewall(gate)
    gate.world.listen(GATEWAY, 7777)
    gate.world.listen(GATEWAY6, 7777)
    firewall.use("")
    for address in (GATEWAY, GATEWAY6):
        equal(gate.host.reaches("", address, 7777), "accepted", f"the host to {address}")


def test_odd_flags_and_invalid(gate):
    firewall = Firewall(gate)
    serve(gate, 80)
    firewall.use("tcp_in = [80]\n")
    before = firewall.counted("odd") + firewall.counted("in")
    for flags in (0x00, 0x01, 0x03, 0x29, 0x3F, 0x06, 0x20):
        gate.world.send_raw(tcp_packet(STRANGER, HOST, 80, flags))
    wait_until(lambda: firewall.counted("odd") + firewall.counted("in") >= before + 7, "odd packets are dropped")
    equal(gate.bans() if gate.daemon else {}, {}, "nobody is banned for it")
    firewall.opens(STRANGER, 80)


def test_connections_at_once(gate):
    firewall = Firewall(gate)
    serve(gate, 80, 81)
    firewall.use("tcp_in = [80, 81]\n[[firewall.limit]]\nports = [80]\nconnections = 2\n")
    for (source, host), other in zip(BOTH, (ADMIN, ADMIN6)):
        held = [gate.world.connect(source, host, 80) for _ in range(3)]
        equal([isinstance(one, str) for one in held], [False, False, True], f"connections of {source}")
        firewall.opens(source, 81)
        firewall.opens(other, 80)
        held[0].close()
        held[1].close()


def test_new_connections_per_time(gate):
    firewall = Firewall(gate)
    serve(gate, 80, 81)
    firewall.use('tcp_in = [80, 81]\n[[firewall.limit]]\nports = [80, 81]\nrate = "3/300s"\n')
    for (source, _), other in zip(BOTH, (ADMIN, ADMIN6)):
        equal([firewall.tcp(source, 80) for _ in range(4)], ["accepted"] * 3 + ["silence"], source)
        firewall.opens(source, 81)  # each port by itself
        firewall.opens(other, 80)


def test_syn_floods(gate):
    firewall = Firewall(gate)
    serve(gate, 80)
    firewall.use('tcp_in = [80]\nsyn_flood = "1/minute burst 2"\n')
    for (source, _), other in zip(BOTH, (ADMIN, ADMIN6)):
        equal([firewall.tcp(source, 80) for _ in range(3)], ["accepted"] * 2 + ["silence"], source)
        firewall.opens(other, 80)
    firewall.use('tcp_in = [80]\nsyn_flood_global = "1/minute burst 2"\n')
    equal([firewall.tcp(source, 80) for source in (STRANGER, ADMIN6, STRANGER6)], ["accepted"] * 2 + ["silence"],
          "all together")


def test_syn_proxy(gate):
    firewall = Firewall(gate)
    serve(gate, 80, 81)
    gate.host.sysctl(net__netfilter__nf_conntrack_tcp_loose=0, net__ipv4__tcp_syncookies=1)
    firewall.use("tcp_in = [80, 81]\nsyn_proxy = [80]\n")
    for source, _ in BOTH:
        equal(firewall.tcp(source, 80, 3), "accepted", f"{source} by the proxy")
        firewall.opens(source, 81)
        firewall.shuts(source, 82)


def test_knocking(gate):
    firewall = Firewall(gate)
    serve(gate, 22)
    firewall.use('[[firewall.knock]]\nopens = 22\nsequence = [7000, 9000, 8000]\nwithin = "5s"\nopens_for = "1m"\n')
    for (source, _), other in zip(BOTH, (ADMIN, ADMIN6)):
        firewall.shuts(source, 22)
        firewall.knock(source, 7000, 9000, 8000)
        firewall.opens(source, 22)
        firewall.knock(other, 7000, 8000, 9000)
        firewall.shuts(other, 22)


def test_a_scan_of_all_ports_is_no_knocking(gate):
    firewall = Firewall(gate)
    serve(gate, 22)
    firewall.use("[[firewall.knock]]\nopens = 22\nsequence = [7000, 7010, 7020]\n")
    for source, _ in BOTH:
        firewall.knock(source, *range(6995, 7025))
        firewall.shuts(source, 22)


def test_what_the_host_sends(gate):
    firewall = Firewall(gate)
    for port in (25, 443, 8083):
        gate.world.listen(GATEWAY, port)
        gate.world.listen(GATEWAY6, port)
    firewall.use('out_policy = "reject"\ntcp_out = [443]\n')
    for address in (GATEWAY, GATEWAY6):
        equal([gate.host.reaches("", address, port) for port in (443, 8083)], ["accepted", "refused"], address)
    firewall.use('out_policy = "drop"\n[[firewall.rule]]\ndirection = "out"\nprotocol = "tcp"\nports = [25]\n'
                 f'peer = ["{GATEWAY}", "{GATEWAY6}"]\n')
    for address in (GATEWAY, GATEWAY6):
        equal([gate.host.reaches("", address, port) for port in (25, 443)], ["accepted", "silence"], address)


def reaches_as(gate, user, address, port):
    """A connection that a user of the host begins."""
    script = (f"import socket\ns=socket.socket(socket.AF_INET6 if ':' in {address!r} else socket.AF_INET)\n"
              f"s.settimeout(1)\ntry:\n s.connect(({address!r},{port}))\n print('accepted')\n"
              "except TimeoutError: print('silence')\nexcept OSError: print('refused')\n")
    account = pwd.getpwnam(user)
    return gate.host.run("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "/usr/bin/python3", "-c",
                         script).strip()


def test_mail_and_rules_by_owner(gate):
    firewall = Firewall(gate)
    for port in (25, 8083):
        gate.world.listen(GATEWAY, port)
        gate.world.listen(GATEWAY6, port)
    firewall.use("""[[firewall.rule]]
direction = "out"
action = "deny"
protocol = "tcp"
ports = [8083]
user = "nobody"
[firewall.smtp]
ports = [25, 465, 587]
users = ["mail"]
""")
    for address in (GATEWAY, GATEWAY6):
        equal([reaches_as(gate, user, address, 25) for user in ("mail", "root", "nobody")],
              ["accepted", "accepted", "refused"], f"mail to {address}")
        equal([reaches_as(gate, user, address, 8083) for user in ("mail", "nobody")], ["accepted", "refused"], address)


def test_udp_flood(gate):
    firewall = Firewall(gate)
    firewall.use('udp_flood = "1/minute burst 3"\n')
    for address in (GATEWAY, GATEWAY6):
        inside, outside = gate.world.udp(address, 5353), gate.host.udp(HOST6 if ":" in address else HOST)
        inside.settimeout(PATIENCE)
        for number in range(6):
            try:
                outside.sendto(bytes([number]), (address, 5353))
            except PermissionError:
                pass
        got = []
        try:
            while True:
                got.append(inside.recv(8)[0])
        except TimeoutError:
            pass
        equal(got, [0, 1, 2], f"datagrams to {address}")


def test_redirects(gate):
    firewall = Firewall(gate)
    serve(gate, 8080)
    gate.world.listen("198.18.0.80", 9000)
    firewall.use("[[firewall.redirect]]\nport = 80\nto_port = 8080\n")
    for source, _ in BOTH:
        firewall.opens(source, 80)
        firewall.shuts(source, 8080, 81)


def test_raw_files(gate):
    firewall = Firewall(gate)
    serve(gate, 80, 81, 82)
    before, after = gate.path("before.nft"), gate.path("after.nft")
    for path, text in ((before, f"# mine\nip saddr {ADMIN} tcp dport 80 drop\nip6 saddr {ADMIN6} tcp dport 80 drop\n"),
                       (after, "tcp dport 81 accept\n")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    firewall.use(f'tcp_in = [80]\nraw_before = ["{before}"]\nraw_after = ["{after}"]\n')
    for (source, _), admin in zip(BOTH, (ADMIN, ADMIN6)):
        firewall.opens(source, 80, 81)
        firewall.shuts(source, 82)
        firewall.shuts(admin, 80)
    os.chmod(before, 0o666)
    reply = firewall.say("plan")
    equal(reply.code, 4, reply)
    check("must belong to root" in reply.err and "firewall.raw_before" in reply.err, reply)


def test_host_names(gate):
    firewall = Firewall(gate)
    serve(gate, 22)
    firewall.use("[[firewall.rule]]\nprotocol = \"tcp\"\nports = [22]\npeer = [\"nowhere.invalid\"]\n")
    firewall.shuts(STRANGER, 22)
    check("nowhere.invalid" in firewall.listing(), "its set is there, and empty")


def publish(gate):
    """As Docker publishes a container's port 8000 at the host's 8083, and 8001 at 8084, and lets it be forwarded."""
    box = gate.namespace("box")
    gate.host.ip(f"link add docker0 type veth peer name eth0 netns {box.name}", "address add 172.17.0.1/16 dev docker0",
                 "address add 2001:db8:17::1/64 dev docker0 nodad", "link set docker0 up")
    box.ip("link set lo up", "address add 172.17.0.2/16 dev eth0", "address add 2001:db8:17::2/64 dev eth0 nodad",
           "link set eth0 up", "route add default via 172.17.0.1", "route add default via 2001:db8:17::1")
    gate.host.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    gate.host.run("iptables", "-t", "nat", "-N", "DOCKER")
    gate.host.run("iptables", "-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "DOCKER")
    gate.host.run("ip6tables", "-t", "nat", "-N", "DOCKER")
    gate.host.run("ip6tables", "-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "DOCKER")
    for outside, inside in ((8083, 8000), (8084, 8001)):
        gate.host.run("iptables", "-t", "nat", "-A", "DOCKER", "-p", "tcp", "--dport", str(outside), "-j", "DNAT",
                      "--to-destination", f"172.17.0.2:{inside}")
        gate.host.run("ip6tables", "-t", "nat", "-A", "DOCKER", "-p", "tcp", "--dport", str(outside), "-j", "DNAT",
                      "--to-destination", f"[2001:db8:17::2]:{inside}")
        box.listen("172.17.0.2", inside)
        box.listen("2001:db8:17::2", inside)
    gate.host.run("iptables", "-A", "FORWARD", "-o", "docker0", "-j", "ACCEPT")


def test_published_ports_of_docker(gate):
    firewall = Firewall(gate)
    publish(gate)
    firewall.use("tcp_in = [80]\n")
    for source, _ in BOTH:
        firewall.opens(source, 8083, 8084)  # what is forwarded is left alone
    firewall.use('tcp_in = [80, 8083]\ndocker = "filter"\n')
    for source, _ in BOTH:
        firewall.opens(source, 8083)
        firewall.shuts(source, 8084)


def test_others_stay_byte_for_byte(gate):
    """Install, run, stop, off: chains of Docker and of iptables are as they were."""
    firewall = Firewall(gate)
    publish(gate)
    gate.host.run("iptables", "-A", "INPUT", "-s", "192.0.2.99", "-j", "DROP")

    def theirs():
        saved = "".join(gate.host.run(program) for program in ("iptables-save", "ip6tables-save"))
        rules = [re.sub(r" \[\d+:\d+\]$", "", line) for line in saved.splitlines() if not line.startswith("#")]
        return gate.tables_of_others(), rules
    before = theirs()
    firewall.use('tcp_in = [80]\ndocker = "filter"\n')
    equal(theirs(), before, "after apply")
    gate.start()
    equal(theirs(), before, "while it runs")
    gate.stop("--lift")
    equal(theirs(), before, "after stop")
    firewall.must("off")
    equal(theirs(), before, "after off")
    check("table inet palang" not in firewall.listing(), "our table is gone")
