"""The ports of an imported policy, by real probes: all 65,536, TCP and UDP, IPv4 and IPv6."""

import os
import re
import shutil
import subprocess

from expect import Skip, check, equal
from gate import GATEWAY, HOST, HOST6

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "firewall", "csf")


def import_and_apply(gate):
    """CSF's defaults and 5,000 denied addresses, imported and in force."""
    etc, out = gate.path("etc/csf"), gate.path("out")
    os.makedirs(etc)
    os.makedirs(os.path.dirname(gate.ledger_path), exist_ok=True)
    shutil.copy(os.path.join(FIXTURE, "etc/csf/csf.conf"), etc)
    with open(etc + "/csf.deny", "w", encoding="utf-8") as file:
        file.writelines(f"198.18.{number // 250}.{number % 250 + 1} # denied\n" for number in range(5000))
    with gate.host:
        subprocess.run([gate.binary, "import", "csf", etc, "--write", out], capture_output=True, check=True, timeout=60)
        done = subprocess.run([gate.binary, "firewall", "apply", "--config", out + "/palang.toml", "--ledger", gate.ledger_path],
                              capture_output=True, text=True, timeout=60, check=False)
    equal(done.returncode, 0, f"palang firewall apply: {done.stderr}")
    return out


def configured(out, key):
    with open(out + "/palang.toml", encoding="utf-8") as file:
        spans = re.search(rf"^{key} = \[(.*)\]$", file.read(), re.MULTILINE).group(1)
    ports = set()
    for first, last in re.findall(r'"(\d+)(?:-(\d+))?"', spans):
        ports.update(range(int(first), int(last or first) + 1))
    return ports


def answered(gate, kind, address):
    """Ports that answer a probe: nobody listens, so that each one that the policy lets through does."""
    with gate.world:
        done = subprocess.run(["nmap", kind, *(["-6"] if ":" in address else []), "-n", "-Pn", "--disable-arp-ping", "-p", "0-65535",
                               "--min-rate", "30000", "--max-retries", "2", "--host-timeout", "60s", "-oG", "-", address],
                              capture_output=True, text=True, timeout=100, check=False)
    equal(done.returncode, 0, done.stderr)
    ports = re.search(r"Ports: (.*?)(?:\t|$)", done.stdout, re.MULTILINE)
    return {int(one.split("/")[0]) for one in ports.group(1).split(", ")
            if one.split("/")[1] in ("closed", "open")} if ports else set()


def probe(gate, kind, key):
    if shutil.which("nmap") is None:
        raise Skip("nmap is not here")
    gate.host.run("nft", "delete", "table", "inet", "firewall")
    gate.host.sysctl(net__ipv4__icmp_ratelimit=0, net__ipv4__icmp_msgs_per_sec=1000000, net__ipv6__icmp__ratelimit=0)
    out = import_and_apply(gate)
    wanted = configured(out, key)
    check(len(wanted) >= 5, f"{key}: {wanted}")
    for address in (HOST, HOST6):
        equal(sorted(answered(gate, kind, address)), sorted(wanted), f"the ports of {address} that answer")


def test_every_tcp_port_that_csf_left_open_is_open_and_no_other(gate):
    probe(gate, "-sS", "tcp_in")


def test_every_udp_port_that_csf_left_open_is_open_and_no_other(gate):
    probe(gate, "-sU", "udp_in")
