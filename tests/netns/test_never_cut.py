"""Promises 1 and 2: who is never cut, whatever lines say."""

import os
import re
import shutil
import subprocess
import time

from expect import Skip, check, equal, stays, wait_until
from gate import CLOSED_PORT, GATEWAY, HOST, HOST6, OPEN_PORT
from needs import require_kernel_lines
from wire import echoes, icmp, run, syn, udp, was_cut

FRIEND = "203.0.113.9"
PROFILES = {"default": {}, "classic": {"profile": "classic"}}


def add_friend(gate):
    """A third host on another cable: what the world sends in its name is none of its doing."""
    friend = gate.namespace("friend")
    gate.host.ip(f"link add eth1 type veth peer name eth0 netns {friend.name}", "link set eth1 up",
                 f"route add {FRIEND}/32 dev eth1")
    gate.host.sysctl(net__ipv4__conf__eth1__proxy_arp=1)
    friend.ip("link set lo up", f"address add {FRIEND}/32 dev eth0", "link set eth0 up",
              f"route add {HOST}/32 dev eth0", f"route add default via {HOST} dev eth0 onlink")
    wait_until(lambda: friend.pings(FRIEND, HOST), "the friend reaches the host")
    return friend


def test_promise_1_forged_packets_close_no_open_port(gate):
    require_kernel_lines()
    gate.host.listen("0.0.0.0", OPEN_PORT)
    friend = add_friend(gate)
    gate.syslog_kernel_lines()
    gate.config()
    gate.start()
    gate.world.send_raw(syn(FRIEND, HOST, CLOSED_PORT))
    ban = gate.wait_until_banned(FRIEND, seconds=5)
    equal((ban["scope"], ban["proof"]), ("quiet", "forgeable"), "what a forged packet leads to")
    gate.world.send_raw(*[syn(FRIEND, HOST, port) for port in range(7000, 7030)], udp(FRIEND, HOST, 53),
                        icmp(FRIEND, HOST), *[syn(FRIEND, HOST, OPEN_PORT, p) for p in range(30000, 30050)])
    time.sleep(0.2)
    equal(gate.bans()[FRIEND]["scope"], "quiet", "scope after a storm of forged packets")
    for _ in range(5):
        equal(friend.reaches(FRIEND, HOST, OPEN_PORT, 3), "accepted", "the friend on the open port")
    equal(friend.reaches(FRIEND, HOST, CLOSED_PORT), "silence", "the friend on a closed port")


def test_promise_1_a_port_that_the_firewall_refuses_is_not_open(gate):
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.host.listen("0.0.0.0", 9999)
    gate.syslog_kernel_lines()
    gate.config()
    gate.start()
    equal(gate.status()["open_ports"]["tcp"], ["80", "9999"], "open as far as anybody knows")
    stranger = gate.stranger()
    gate.world.send_raw(syn(stranger, HOST, 9999))
    gate.wait_until_banned(stranger)
    wait_until(lambda: gate.status()["open_ports"]["tcp"] == ["80"], "the refused port is not taken for open")
    refused = gate.refused()
    equal(gate.world.reaches(stranger, HOST, 9999), "silence", "a banned one on the refused port")
    equal(gate.refused(), refused, "packets that came as far as the firewall")
    equal(gate.world.reaches(stranger, HOST, OPEN_PORT, 3), "accepted", "a banned one on the open port")


def test_promise_1_a_new_service_is_open_within_seconds(gate):
    gate.config()
    gate.start()
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    equal(gate.world.reaches(stranger, HOST, OPEN_PORT), "silence", "a port where nothing listens")
    gate.host.listen("0.0.0.0", OPEN_PORT)
    wait_until(lambda: gate.world.reaches(stranger, HOST, OPEN_PORT) == "accepted", "the new service is open", 6)


def test_promise_1_forwarded_ports_are_open_too(gate):
    """A container behind the host, as Docker does it: quiet bans leave its ports, full ones do not."""
    container = gate.namespace("container")
    gate.host.ip(f"link add docker0 type veth peer name eth0 netns {container.name}", "link set docker0 up",
                 "address add 172.17.0.1/16 dev docker0")
    container.ip("link set lo up", "address add 172.17.0.2/16 dev eth0", "link set eth0 up",
                 "route add default via 172.17.0.1")
    gate.host.sysctl(net__ipv4__ip_forward=1)
    gate.host.run("nft", "-f", "-", text="""
table ip docker {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    tcp dport 8443 dnat to 172.17.0.2:443
  }
}
""")
    container.listen("0.0.0.0", 443)
    gate.config()
    gate.start()
    stranger, worse = gate.stranger(), gate.stranger()
    for source in (stranger, worse):
        equal(gate.world.reaches(source, HOST, 8443, 3), "accepted", "the forwarded port before")
    gate.log.blocked(stranger)
    equal(gate.wait_until_banned(stranger)["scope"], "quiet", "scope")
    equal(gate.world.reaches(stranger, HOST, 8443, 3), "accepted", "the forwarded port with a quiet ban")
    check(gate.shuts_out(stranger), "but it is banned")
    gate.ask("ban", worse)
    equal(gate.world.reaches(worse, HOST, 8443), "silence", "the forwarded port with a full ban")


def never_banned(gate, **config):
    listed, listed6 = gate.stranger(), gate.stranger6()
    commanded = gate.stranger()
    gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config(allow={"prefixes": [listed, listed6]}, **config)
    gate.start()
    gate.ask("allow", commanded)
    with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
        resolvers = re.findall(r"^nameserver\s+([0-9a-f.:]+)\s*$", file.read(), re.MULTILINE)
    exempt = [listed, listed6, commanded, HOST, HOST6, GATEWAY, "127.0.0.1", *resolvers]
    gate.log.blocked(*exempt, *exempt)
    witness = gate.stranger()
    gate.log.blocked(witness)
    wait_until(lambda: witness in str(gate.bans()) or any(witness.rsplit(".", 1)[0] in p for p in gate.bans()),
               "the line behind them is judged")
    equal(len(gate.bans()), 1, "bans")
    for address in (listed, commanded, GATEWAY):
        check(gate.lets_in(address), f"{address} is not cut")
        equal(gate.world.reaches(address, HOST, OPEN_PORT, 3), "accepted", f"{address} on the open port")
    check(gate.lets_in(listed6), f"{listed6} is not cut")
    # Their neighbours' bans leave them alone, too: here the whole network is banned, but not they.
    for address in (listed, commanded):
        network = address.rsplit(".", 1)[0] + "."
        gate.log.blocked(*[f"{network}{host}" for host in range(10, 20) if f"{network}{host}" != address])
        gate.wait_until_banned(f"{network}0/24")
        check(gate.lets_in(address), f"{address} is not cut with its network")
        check(gate.shuts_out(f"{network}99"), "its neighbours are")
    gate.log.blocked(*[f"192.0.2.{host}" for host in range(70, 80)])
    gate.wait_until_banned("192.0.2.0/24")
    check(gate.lets_in(GATEWAY), "the gateway is not cut with its network")
    check(gate.host.pings(HOST, GATEWAY), "nor the host from its gateway")


def test_promise_2_allowed_own_and_gateway_default_profile(gate):
    never_banned(gate)


def test_promise_2_allowed_own_and_gateway_classic_profile(gate):
    never_banned(gate, profile="classic")


def test_promise_2_allowing_ends_a_ban_and_removing_it_ends_the_grace(gate):
    gate.config()
    gate.start()
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    equal(gate.ask("allow", stranger, "--for", "2s", "--note", "a friend")["lifted"], 1, "bans it ends")
    check(gate.lets_in(stranger), "it is let in at once")
    check("a friend" in gate.ask("why", stranger)["exempt"], "why tells")
    gate.log.blocked(stranger)
    gate.wait_until_read(2)
    check(stranger not in gate.bans(), "it is not banned while it is allowed")
    wait_until(lambda: gate.ask("why", stranger)["exempt"] is None, "its time is over", 5)
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    gate.ask("allow", stranger)
    gate.kill()
    gate.start()
    check("allowed by a command" in gate.ask("why", stranger)["exempt"], "it is remembered over kill -9")
    equal(gate.palang("allow", stranger, "--remove").code, 0, "allow --remove")
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)


def replies_pass(gate, ban):
    """What this host opened itself goes on, and new connections of its own work, whoever it speaks to is banned."""
    peer = gate.stranger()
    listener = gate.world.listen(peer, 7000)
    before = gate.host.connect(None, peer, 7000, 3)
    before_there = listener.accept()[0]
    check(echoes(before, before_there), "a connection of our own, before")
    ban(peer)
    check(gate.shuts_out(peer), "the peer is banned")
    check(echoes(before, before_there), "the connection from before the ban goes on")
    after = gate.host.connect(None, peer, 7000, 3)
    check(echoes(after, listener.accept()[0]), "a connection from after the ban works")
    check(gate.host.pings(HOST, peer, 2), "our ping is answered")
    with gate.world.udp(peer, 5353) as server, gate.host.udp(HOST) as client:
        server.settimeout(3)
        client.settimeout(3)
        client.sendto(b"question", (peer, 5353))
        server.sendto(b"answer", server.recvfrom(100)[1])
        equal(client.recv(100), b"answer", "the answer to our question")


def by_line(gate):
    def ban(peer):
        gate.log.blocked(peer)
        wait_until(lambda: gate.shuts_out(peer), "banned by a line")
    return ban


def by_command(gate, scope):
    return lambda peer: gate.ask("ban", peer, "--scope", scope)


def test_promise_2_replies_to_our_own_connections_default_profile(gate):
    gate.config()
    gate.start()
    replies_pass(gate, by_line(gate))
    replies_pass(gate, by_command(gate, "quiet"))
    replies_pass(gate, by_command(gate, "full"))


def test_promise_2_replies_to_our_own_connections_classic_profile(gate):
    gate.config(profile="classic")
    gate.start()
    replies_pass(gate, by_line(gate))
    replies_pass(gate, by_command(gate, "full"))


def start_sshd(gate):
    for program in ("sshd", "ssh", "ssh-keygen"):
        if shutil.which(program) is None and not os.path.exists(f"/usr/sbin/{program}"):
            raise Skip(f"needs the program {program}")
    os.makedirs("/run/sshd", exist_ok=True)
    for key in ("host_key", "admin_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", gate.path(key))
    with open(gate.path("sshd_config"), "w", encoding="ascii") as file:
        file.write(f"Port 22\nListenAddress 0.0.0.0\nHostKey {gate.path('host_key')}\nUsePAM no\nStrictModes no\n"
                   f"PermitRootLogin yes\nAuthorizedKeysFile {gate.path('admin_key.pub')}\nPidFile none\n"
                   "PasswordAuthentication no\nLoginGraceTime 60\nUseDNS no\n")
    with gate.host:
        sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", gate.path("sshd_config")],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end():
        sshd.terminate()
        sshd.wait(10)
    gate.finally_do(end)
    wait_until(lambda: gate.world.reaches(GATEWAY, HOST, 22) == "accepted", "sshd listens")


def log_in(gate, source):
    """An ssh session of root from `source`: a cat that answers what it is told."""
    with gate.world:
        session = subprocess.Popen(
            ["ssh", "-F", "none", "-b", source, "-i", gate.path("admin_key"), "-o", "StrictHostKeyChecking=no", "-o",
             "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", f"root@{HOST}", "cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end():
        session.kill()
        session.wait(10)
    gate.finally_do(end)
    if not says_back(session):
        raise Skip(f"can't log in here by ssh: {session.stderr.read().decode().strip()}")
    return session


def says_back(session):
    try:
        session.stdin.write(b"still here\n")
        session.stdin.flush()
    except BrokenPipeError:
        return False
    return session.stdout.readline() == b"still here\n"


def live_admin_stays(gate, **config):
    start_sshd(gate)
    gate.config(**config)
    gate.start()
    admin, outsider = gate.stranger(), gate.stranger()
    session = log_in(gate, admin)
    half_open = gate.world.connect(outsider, HOST, 22, 3)  # never says who it is
    wait_until(lambda: any(f"{admin} (live ssh peer)" in one for one in gate.status()["protected"]),
               "the daemon knows who is logged in", 6)
    check(not any(outsider in one for one in gate.status()["protected"]), "who is not logged in is not protected")

    neighbour = admin.rsplit(".", 1)[0] + "."
    gate.log.blocked(admin, admin, outsider, *[f"{neighbour}{host}" for host in range(1, 9)])
    gate.wait_until_read(11)
    refusal = gate.palang("ban", admin)
    equal(refusal.code, 2, "banning the admin who is logged in")
    check("live ssh peer" in refusal.err, f"the refusal says why: {refusal}")
    check(says_back(session), "the session goes on")
    check(gate.lets_in(admin), "the admin is not cut")
    equal(gate.world.reaches(admin, HOST, 22, 3), "accepted", "the admin can log in once more")

    gate.kill()
    gate.log.blocked(admin)
    gate.start()
    check(says_back(session) and gate.lets_in(admin), "a restart with a line about the admin doesn't cut the session")

    gate.ask("ban", outsider, "--scope", "full")
    check(was_cut_on_server(gate, outsider), "who only connected to sshd is cut")
    half_open.close()
    session.stdin.close()
    wait_until(lambda: not any(admin in one for one in gate.status()["protected"]), "the admin has logged out", 6)
    gate.log.blocked(admin)
    wait_until(lambda: gate.shuts_out(admin), "from then on lines count", 5)


def was_cut_on_server(gate, peer):
    return wait_until(lambda: peer not in gate.host.run("ss", "-Htn"), "the host has no connection of the peer")


def test_promise_2_live_ssh_peer_default_profile(gate):
    live_admin_stays(gate)


def test_promise_2_live_ssh_peer_classic_profile(gate):
    live_admin_stays(gate, profile="classic")


def test_promise_2_an_admin_who_logged_in_a_moment_ago_is_not_cut(gate):
    start_sshd(gate)
    gate.config(profile="classic")
    gate.start()
    for _ in range(4):
        admin = gate.stranger()
        session = log_in(gate, admin)
        gate.log.blocked(admin)  # anybody can forge that
        wait_until(lambda: f"SRC={admin}" in str(gate.palang("why", admin).out) or gate.counters()["events_exempt"],
                   "the line is read")
        check(says_back(session), "the session goes on")
        time.sleep(0.3)
        check(says_back(session), "and on")


def test_full_ban_cuts_what_the_peer_opened_and_nothing_else(gate):
    listener = gate.host.listen("0.0.0.0", OPEN_PORT)
    gate.config()
    gate.start()
    peers = [gate.stranger() for _ in range(3)]
    connections = []
    for peer in peers:
        connection = gate.world.connect(peer, HOST, OPEN_PORT, 3)
        connections.append((connection, listener.accept()[0]))
    check(all(echoes(*pair) for pair in connections), "all three speak")
    gate.ask("ban", peers[0], "--scope", "quiet")
    check(echoes(*connections[0]), "a quiet ban leaves the connection to the open port")
    gate.ask("ban", peers[1], "--scope", "full")
    check(was_cut(connections[1][1]), "a full ban destroys the socket on the host")
    check(not echoes(*connections[1]), "nothing passes any more")
    check(echoes(*connections[0]) and echoes(*connections[2]), "the others speak on")
    network = peers[2].rsplit(".", 1)[0]
    gate.ask("ban", f"{network}.0/24")
    check(was_cut(connections[2][1]), "a network's ban destroys the socket, too")
    stays(lambda: echoes(*connections[0]), "the other speaks on", 0.3)
