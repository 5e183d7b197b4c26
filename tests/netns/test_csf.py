"""What users of CSF bring along: the csf command, the limit of connections, lists by URL, and an import with its ports."""

import os
import subprocess

from expect import Skip, check, equal, wait_until
from gate import GATEWAY, HOST

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "firewall", "csf")


def csf(gate, *arguments):
    """`csf …`, the second name of the binary."""
    link = gate.path("csf")
    if not os.path.islink(link):
        os.symlink(os.path.abspath(gate.binary), link)
    with gate.host:
        return subprocess.run([link, *arguments], capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, "PALANG_SOCKET": gate.socket})


def test_the_habits_of_csf(gate):
    gate.config()
    gate.start()
    one, two, three = gate.stranger(), gate.stranger(), gate.stranger()
    done = csf(gate, "-d", one, "too", "loud")
    equal((done.returncode, done.stderr), (0, ""), "csf -d")
    check(f"Adding {one} to csf.deny and iptables DROP...\nDROP  all opt -- in !lo out *  {one}  -> 0.0.0.0/0" in done.stdout,
          done.stdout)
    gate.wait_until_banned(one)
    check(gate.shuts_out(one), "who is denied is dropped")

    equal(csf(gate, "--TempDeny", two, "1h", "a", "test").returncode, 0, "csf -td")
    equal(csf(gate, "-ta", three, "600", "a guest").returncode, 0, "csf -ta")
    table = csf(gate, "-t").stdout.splitlines()
    equal(table[1], "A/D   IP address                               Port   Dir   Time To Live     Comment", "head of csf -t")
    check(any(line.startswith(f"DENY  {two} ") and line.endswith("a test") for line in table), table)
    check(any(line.startswith(f"ALLOW {three} ") and line.endswith("a guest") for line in table), table)
    check(not any(one in line for line in table), "what is denied for good is not temporary")

    found = csf(gate, "-g", one).stdout
    check("filter DENYIN " in found and f"csf.deny: {one} # too loud" in found, found)
    check(f"Temporary Blocks: IP:{two} Port: Dir:in TTL:" in csf(gate, "-g", two).stdout, "csf -g of a temporary one")
    check(f"No matches found for {GATEWAY} in iptables" in csf(gate, "-g", GATEWAY).stdout, "csf -g of a stranger")

    equal(csf(gate, "-tr", two).returncode, 0, "csf -tr")
    equal(csf(gate, "-tr", two).returncode, 3, "csf -tr of what is gone")
    equal(csf(gate, "-tf").returncode, 0, "csf -tf")
    equal(csf(gate, "-t").stdout, "csf: There are no temporary IP entries\n", "csf -t of nothing")
    check(one in gate.bans(), "csf -tf leaves what is denied for good")
    equal(csf(gate, "-dr", one).returncode, 0, "csf -dr")
    wait_until(lambda: gate.lets_in(one), "who is denied no longer gets in", 5)
    equal(csf(gate, "-a", one, "a friend").returncode, 0, "csf -a")
    check(f"csf.allow: {one} # a friend" in csf(gate, "-g", one).stdout, "csf -g of a friend")
    equal(csf(gate, "-ar", one).returncode, 0, "csf -ar")
    equal(csf(gate, "-d", "192.0.2.300").stdout, "deny failed: [192.0.2.300] is not a valid PUBLIC IP/CIDR\n", "no address")
    equal(csf(gate, "--frobnicate").returncode, 2, "an option that csf doesn't have")


def test_too_many_connections_of_one_address(gate):
    gate.config(detect={"connections": {"limit": 20, "interval": "1s", "for": "1h"}}, allow={"prefixes": ["203.0.113.0/24"]})
    listener = gate.host.listen("0.0.0.0", 80)
    gate.start()
    busy, modest, friend = gate.stranger(), gate.stranger(), "203.0.113.7"
    held = []
    for source, connections in ((modest, 15), (friend, 40), (busy, 25)):
        for _ in range(connections):
            connection = gate.world.connect(source, HOST, 80)
            if isinstance(connection, str):
                break  # banned already
            held += [connection, listener.accept()[0]]
    ban = gate.wait_until_banned(busy)
    equal((ban["rule"], ban["scope"], ban["proof"]), ("connections", "full", "handshake"), "the ban")
    check(ban["count"] >= 21, f"so many connections: {ban['count']}")
    check(modest not in gate.bans() and friend not in gate.bans(), "who stays below the limit, or is allowed, is not banned")
    check(gate.shuts_out(busy), "and dropped")
    for connection in held:
        connection.close()


SERVER = r"""
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/list":
            if self.headers.get("If-None-Match") == '"one"':
                self.send_response(304); self.send_header("Content-Length", "0"); self.end_headers(); return
            body = b"# a list\n192.0.2.66\n198.51.100.0/24 # note\n"
            self.send_response(200); self.send_header("ETag", '"one"'); self.send_header("Content-Length", str(len(body)))
            self.end_headers(); self.wfile.write(body); return
        if self.path == "/huge":
            self.send_response(200); self.send_header("Content-Length", str(2 << 30)); self.end_headers(); return
        if self.path == "/endless":
            self.send_response(200); self.send_header("Connection", "close"); self.end_headers()
            try:
                for _ in range(1200): self.wfile.write(b"#" * 65536)
            except OSError: pass
            self.close_connection = True; return
        self.send_response(404); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer((sys.argv[1], 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True); server.serve_forever()
"""


def serve_lists(gate):
    """An https server in the world, whose certificate is cert.pem."""
    cert, key = gate.path("cert.pem"), gate.path("key.pem")
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lists", "-addext",
                           f"subjectAltName=IP:{GATEWAY}", "-keyout", key, "-out", cert], capture_output=True, check=False)
    if made.returncode != 0:
        raise Skip("openssl makes no certificate")
    with gate.world:
        server = subprocess.Popen(["python3", "-c", SERVER, GATEWAY, cert, key], stdout=subprocess.PIPE, text=True)

    def stop():
        server.kill()
        server.wait(5)
    gate.finally_do(stop)
    equal(server.stdout.readline(), "ready\n", "the server")
    return cert


def with_list(gate, path):
    gate.config()
    with open(gate.path("palang.toml"), "a", encoding="utf-8") as file:
        file.write('[firewall]\ntcp_in = ["22"]\n[[firewall.list]]\nname = "drop"\naction = "deny"\n'
                   f'url = "https://{GATEWAY}:8443{path}"\n')


def fetch(gate, *more):
    """`palang lists --fetch`: exit code, what it says of the list, what went wrong."""
    reply = gate.palang("lists", "--fetch", "--json", "--config", gate.path("palang.toml"), "--ca-file", gate.path("cert.pem"), *more)
    return reply.code, reply.json["lists"][0], reply.err


def test_lists_by_url(gate):
    serve_lists(gate)
    with_list(gate, "/gone")
    code, state, said = fetch(gate)
    equal((code, state["entries"]), (1, 0), "a list that was never there")
    check("the server answered 404; it was never fetched, and is empty" in said, said)
    with_list(gate, "/list")
    code, state, said = fetch(gate)
    equal((code, state["entries"], state["changed"]), (0, 2, True), f"a list ({said})")
    equal(fetch(gate)[1]["changed"], False, "a young list is not fetched")
    code, state, said = fetch(gate, "--now")
    equal((code, state["entries"], state["changed"]), (0, 2, False), f"the same list, by its ETag ({said})")
    for path, words in (("/gone", "the server answered 404"), ("/huge", "larger than 67108864 bytes"),
                        ("/endless", "larger than 67108864 bytes")):
        with_list(gate, path)
        code, state, said = fetch(gate, "--now")
        equal((code, state["entries"]), (1, 2), f"the last good copy after {path}")
        check(words in said, said)


def test_a_url_without_a_trusted_certificate(gate):
    serve_lists(gate)
    with_list(gate, "/list")
    reply = gate.palang("lists", "--fetch", "--config", gate.path("palang.toml"))
    equal(reply.code, 1, "a certificate that nobody trusts")
    check("fetch list drop from https://" in reply.err, reply.err)


def test_an_import_of_5000_denied_and_its_open_ports(gate):
    etc = gate.path("etc/csf")
    os.makedirs(etc)
    with open(os.path.join(FIXTURE, "etc/csf/csf.conf"), encoding="utf-8") as conf, open(etc + "/csf.conf", "w", encoding="utf-8") as file:
        file.write(conf.read())
    with open(etc + "/csf.deny", "w", encoding="utf-8") as file:
        for number in range(5000):
            file.write(f"198.18.{number // 250}.{number % 250 + 1} # lfd: (sshd) Failed SSH login: 5 in the last 3600 secs - do not delete\n")
    out = gate.path("out")
    with gate.host:
        done = subprocess.run([gate.binary, "import", "csf", etc, "--write", out], capture_output=True, text=True, timeout=60, check=False)
    equal(done.returncode, 0, done.stderr)
    check("All 65,536 ports compared, TCP and UDP, IPv4 and IPv6: every port that was open to all is open, and no other." in done.stdout,
          done.stdout[-600:])
    with open(out + "/lists/csf_deny.txt", encoding="utf-8") as file:
        equal(sum(1 for _ in file), 5000, "lines of the list")
    checked = subprocess.run([gate.binary, "check", out + "/palang.toml"], capture_output=True, text=True, timeout=60, check=False)
    equal(checked.returncode, 0, checked.stderr)
