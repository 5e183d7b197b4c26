"""The standing firewall of a gate: a policy in TOML, applied by the real command, tried by real packets."""

import os
import subprocess
import sys

from expect import equal, wait_until
from gate import HOST, HOST6, Reply
from wire import PATIENCE

ADMIN, ADMIN6 = "198.51.100.7", "2001:db8:bad:1::7"
STRANGER, STRANGER6 = "203.0.113.9", "2001:db8:bad:2::9"
BOTH = ((STRANGER, HOST), (STRANGER6, HOST6))

_SSHD = """
import socket, sys, time
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, int(sys.argv[1])))
    s.listen(64)
    globals()[address] = s
print("ready", flush=True)
time.sleep(600)
"""


class Firewall:
    """`rules`: what stands below [firewall] in palang.toml."""

    def __init__(self, gate):
        self.gate = gate
        # Fresh interfaces need a moment until neighbours find one another.
        wait_until(lambda: gate.world.pings(STRANGER6, HOST6, 1), "IPv6 works")
        gate.host.run("nft", "delete", "table", "inet", "firewall")

    def configure(self, rules, **sections):
        path = self.gate.config(**sections)
        with open(path, "a", encoding="utf-8") as file:
            file.write("[firewall]\n" + rules)

    def say(self, *arguments, connection=None):
        """`palang firewall …` on the host; `connection`: an ssh connection that it is said in."""
        environment = {key: value for key, value in os.environ.items() if key != "SSH_CONNECTION"}
        if connection is not None:
            environment["SSH_CONNECTION"] = ssh_connection(connection)
        with self.gate.host:
            return Reply(subprocess.run(
                [self.gate.binary, "firewall", *arguments, "--config", self.gate.path("palang.toml")],
                capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, env=environment))

    def must(self, *arguments, **options):
        reply = self.say(*arguments, **options)
        equal(reply.code, 0, f"palang firewall {' '.join(arguments)} ({reply})")
        return reply

    def use(self, rules, **sections):
        """Applies and confirms, from the console."""
        os.makedirs(self.gate.path("state"), exist_ok=True)
        self.configure(rules, **sections)
        self.must("apply")
        self.must("confirm")

    def sshd(self, port=22):
        """A process that calls itself sshd listens on the port."""
        name = self.gate.path("sshd")
        if not os.path.exists(name):
            os.symlink(os.path.realpath(sys.executable), name)
        with self.gate.host:
            process = subprocess.Popen([name, "-c", _SSHD, str(port)], stdout=subprocess.PIPE, text=True)
        self.gate.finally_do(lambda: (process.kill(), process.wait(), process.stdout.close()))
        equal(process.stdout.readline().strip(), "ready", "the sshd")
        return process

    def listing(self):
        return self.gate.host.run("nft", "-s", "list", "ruleset")

    def counted(self, chain):
        """Packets of the counters of a chain of the policy in force."""
        listing = self.gate.host.run("nft", "list", "ruleset")
        part = listing.split(f"chain fw_{chain}_")[1].split("\n\t}")[0]
        return sum(int(piece.split()[0]) for piece in part.split("packets ")[1:])

    def knock(self, source, *ports):
        for port in ports:
            self.gate.world.reaches(source, HOST6 if ":" in source else HOST, port, 0.05)

    def tcp(self, source, port, patience=PATIENCE):
        return self.gate.world.reaches(source, HOST6 if ":" in source else HOST, port, patience)

    def udp(self, source, port):
        """Whether a datagram arrives at the host."""
        address = HOST6 if ":" in source else HOST
        inside = self.gate.host.udp(address, port)
        inside.settimeout(PATIENCE)
        outside = self.gate.world.udp(source)
        with inside, outside:
            outside.sendto(b"word", (address, port))
            try:
                return inside.recv(16) == b"word"
            except TimeoutError:
                return False

    def opens(self, source, *ports):
        for port in ports:
            equal(self.tcp(source, port), "accepted", f"{source} to tcp/{port}")

    def shuts(self, source, *ports):
        for port in ports:
            equal(self.tcp(source, port), "silence", f"{source} to tcp/{port}")


def ssh_connection(connected):
    """As sshd would tell it of the client's socket."""
    client, server = connected.getsockname(), connected.getpeername()
    return f"{client[0]} {client[1]} {server[0]} {server[1]}"


def serve(gate, *ports):
    for port in ports:
        gate.host.listen(HOST, port)
        gate.host.listen(HOST6, port)


def wait_until_back(probe, seconds):
    wait_until(probe, "what was in force before is back", seconds)
