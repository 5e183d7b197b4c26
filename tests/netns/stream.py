"""Numbered datagrams without a pause, and a count of those that arrive: what slips through, what is lost."""

import select
import struct
import threading
import time

BURST, PAUSE = 10, 0.0025  # 4,000 a second


class Stream:
    """Datagrams of one source to one port of the host, all the while it runs; every one has a number."""

    def __init__(self, gate, source, host, port):
        self._to = (host, port)
        self._sender = gate.world.udp(source)
        self._receiver = gate.host.udp(host, port)
        self.sent, self._arrived = 0, set()
        self.unsent = 0  # refused by the sender's own kernel: it knew no way to the host
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._receive)]
        gate.finally_do(self.close)
        for thread in self._threads:
            thread.start()

    def _send(self):
        while not self._closing.is_set():
            for _ in range(BURST):
                try:
                    self._sender.sendto(struct.pack("!I", self.sent + self.unsent), self._to)
                    self.sent += 1
                except OSError:
                    self.unsent += 1
            time.sleep(PAUSE)

    def _receive(self):
        while not self._closing.is_set():
            if select.select([self._receiver], [], [], 0.05)[0]:
                self._arrived.add(struct.unpack("!I", self._receiver.recv(64))[0])

    @property
    def arrived(self):
        return len(self._arrived)

    def close(self):
        """Ends the sending, and waits for what is under way."""
        if self._closing.is_set():
            return
        time.sleep(0.2)
        self._closing.set()
        for thread in self._threads:
            thread.join()
        while select.select([self._receiver], [], [], 0.2)[0]:
            self._arrived.add(struct.unpack("!I", self._receiver.recv(64))[0])
        self._sender.close()
        self._receiver.close()

    @property
    def lost(self):
        return self.sent - self.arrived


class Watched:
    """A banned stream and one that is welcome, while something is done to the daemon or the interface."""

    def __init__(self, gate, banned, welcome, host):
        self.banned, self.welcome = Stream(gate, banned, host, 5000), Stream(gate, welcome, host, 5001)

    def __enter__(self):
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.banned.close()
        self.welcome.close()
