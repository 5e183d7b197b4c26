"""Network namespaces, and what is sent through them: packets with any source address, connections, pings."""

import ctypes
import errno
import os
import select
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
IP_FREEBIND = 15
IPV6_FREEBIND = 78
SO_RCVBUFFORCE = 33
PATIENCE = 0.3  # seconds after which no answer counts as silence

_libc = ctypes.CDLL(None, use_errno=True)


def run(*command, text=None):
    """Runs a program to its end and returns what it printed; raises if it failed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _enter(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """`with namespace:` puts the calling thread there; sockets and processes made inside stay there."""

    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        self._fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self._outside = []
        self._listeners = []

    def __enter__(self):
        self._outside.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        _enter(self._fd)
        return self

    def __exit__(self, *_):
        outside = self._outside.pop()
        _enter(outside)
        os.close(outside)

    def remove(self):
        os.close(self._fd)
        run("ip", "netns", "del", self.name)

    def run(self, *command, text=None):
        with self:
            return run(*command, text=text)

    def ip(self, *lines):
        self.run("ip", "-batch", "-", text="\n".join(lines) + "\n")

    def sysctl(self, **values):
        with self:
            for name, value in values.items():
                with open("/proc/sys/" + name.replace("__", "/"), "w", encoding="ascii") as file:
                    file.write(str(value))

    def listen(self, address, port):
        """A TCP listener, open as long as the namespace."""
        family = family_of(address)
        with self:
            listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _freebind(listener, family)
        listener.bind((address, port))
        listener.listen(16)
        listener.settimeout(5)
        self._listeners.append(listener)
        return listener

    def udp(self, address, port=0):
        """A UDP socket bound to an address, its own or not."""
        family = family_of(address)
        with self:
            bound = socket.socket(family, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        _freebind(bound, family)
        bound.bind((address, port))
        return bound

    def connect(self, source, address, port, patience=PATIENCE):
        """A TCP connection from `source`, or how it failed: "refused", "silence"."""
        family = family_of(address)
        with self:
            attempt = socket.socket(family, socket.SOCK_STREAM)
        _freebind(attempt, family)
        attempt.settimeout(patience)
        try:
            if source:
                attempt.bind((source, 0))
            attempt.connect((address, port))
        except TimeoutError:
            attempt.close()
            return "silence"
        except ConnectionRefusedError:
            attempt.close()
            return "refused"
        attempt.settimeout(5)
        return attempt

    def reaches(self, source, address, port, patience=PATIENCE):
        """"accepted", "refused" or "silence"."""
        answer = self.connect(source, address, port, patience)
        if isinstance(answer, str):
            return answer
        answer.close()
        return "accepted"

    def pings(self, source, address, patience=PATIENCE):
        """Whether one echo request from `source` is answered."""
        family = family_of(address)
        v6 = family == socket.AF_INET6
        with self:
            raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
        with raw:
            _freebind(raw, family)
            raw.bind((source, 0))
            identity = os.urandom(4)
            body = struct.pack("!BBH", 128 if v6 else 8, 0, 0) + identity
            if not v6:
                body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
            raw.sendto(body, (address, 0))
            end = time.monotonic() + patience
            while (left := end - time.monotonic()) > 0:
                if not select.select([raw], [], [], left)[0]:
                    return False
                answer = raw.recv(2048)[0 if v6 else 20:]
                if answer[0] == (129 if v6 else 0) and answer[4:8] == identity:
                    return True
            return False

    def send_raw(self, *packets):
        """Sends IPv4 packets as they are, whoever they say they come from."""
        with self:
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw:
            for packet in packets:
                raw.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _freebind(sock, family):
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ipv4(source, destination, protocol, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 4242, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def _with_checksum(source, destination, protocol, payload, at):
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!BBH", 0, protocol, len(payload))
    return payload[:at] + struct.pack("!H", checksum(pseudo + payload)) + payload[at + 2:]


def tcp(source, destination, port, flags, source_port=40000):
    segment = struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 5 << 4, flags, 1024, 0, 0)
    return _ipv4(source, destination, 6, _with_checksum(source, destination, 6, segment, 16))


def syn(source, destination, port, source_port=40000):
    return tcp(source, destination, port, 0x02, source_port)


def udp(source, destination, port, source_port=40000, text=b"x"):
    datagram = struct.pack("!HHHH", source_port, port, 8 + len(text), 0) + text
    return _ipv4(source, destination, 17, _with_checksum(source, destination, 17, datagram, 6))


def icmp(source, destination, kind=8):
    body = struct.pack("!BBHI12x", kind, 0, 0, 1)
    return _ipv4(source, destination, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


def echoes(connection, listener_side):
    """Whether a word passes over an established connection, both ways."""
    try:
        connection.sendall(b"ping")
        if listener_side.recv(16) != b"ping":
            return False
        listener_side.sendall(b"pong")
        return connection.recv(16) == b"pong"
    except OSError:
        return False


def was_cut(connection, patience=5.0):
    """Whether the kernel has destroyed this connection: it ends with an error, not in silence."""
    connection.settimeout(patience)
    try:
        return connection.recv(16) == b""
    except TimeoutError:
        return False
    except OSError as error:
        return error.errno in (errno.ECONNABORTED, errno.ECONNRESET)
