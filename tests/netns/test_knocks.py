"""Quiet ends a ban, not the calendar; and ends that are moved by hand."""

import time

from expect import check, equal, wait_until
from gate import HOST
from wire import syn

# Seconds by which an end may be late: knocks are read from the kernel's counters, at most a second apart.
LATE = 2.5


def expires(gate, prefix):
    return gate.kernel()[prefix]["expires"]


def ended_after(gate, prefix, since):
    wait_until(lambda: prefix not in (gate.kernel() or {}), f"{prefix} is free in the kernel", 30, every=0.02)
    return time.monotonic() - since


def test_ban_ends_only_after_quiet(gate):
    gate.config(ban={"for": "2s", "quiet": "3s", "at_most": "1h"})
    gate.start()
    loud, silent = gate.stranger(), gate.stranger()
    gate.log.blocked(loud, silent)
    gate.wait_until_banned(loud, silent)
    start = time.monotonic()
    free_silent = None
    while time.monotonic() - start < 6:
        gate.world.send_raw(syn(loud, HOST, 8083))
        last_knock = time.monotonic()
        held = gate.kernel()
        check(loud in held, "who keeps knocking stays out")
        if silent not in held and free_silent is None:
            free_silent = time.monotonic() - start
        time.sleep(0.2)
    check(free_silent is not None and free_silent < 2 + 1, f"who is quiet is free on time: {free_silent}")
    check(loud in gate.bans(), "the daemon knows")
    quiet_for = ended_after(gate, loud, last_knock)
    check(3 - 0.3 <= quiet_for <= 3 + LATE, f"free after three quiet seconds: {quiet_for}")
    wait_until(lambda: loud not in gate.bans(), "it is off the list", 2)
    decisions = gate.ask("why", loud)["decisions"]
    equal([(one["how_it_ended"], one["repeat"]) for one in decisions], [("ended", 0)], "it was one decision all along")


def test_a_knock_counts_though_the_daemon_was_dead_meanwhile(gate):
    gate.config(ban={"for": "6s", "quiet": "6s", "at_most": "1h"})
    gate.start()
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    start = time.monotonic()
    gate.kill()
    time.sleep(2)
    gate.world.send_raw(*[syn(stranger, HOST, 8083)] * 3)
    gate.start()
    wait_until(lambda: gate.bans()[stranger]["hits"] >= 3, "the knocks are known", 3)
    held_for = ended_after(gate, stranger, start)
    check(held_for >= 7.5, f"the knock at 2 s moved the end to 8 s: {held_for}")


def test_moved_end_survives_kill(gate):
    gate.config(ban={"for": "4s", "quiet": "60s", "at_most": "1h"})
    gate.start()
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    gate.world.send_raw(syn(stranger, HOST, 8083))
    wait_until(lambda: expires(gate, stranger) > 50, "the end is moved in the kernel", 6)
    wait_until(lambda: gate.query("SELECT (until - since) / 1000000 FROM decisions")[0][0] > 50, "and in the ledger", 3)
    gate.kill()
    gate.start()
    check(expires(gate, stranger) > 50, "it is still moved after kill -9")


def test_ban_without_quiet_ends_by_the_calendar(gate):
    gate.config(ban={"for": "2s", "quiet": "0s"})
    gate.start()
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
    start = time.monotonic()
    while stranger in gate.kernel():
        check(time.monotonic() - start < 4, "it ends although it knocks")
        gate.world.send_raw(syn(stranger, HOST, 8083))
        time.sleep(0.05)


def test_ban_again_by_hand_sets_the_new_end(gate):
    gate.config()
    gate.start()
    stranger = gate.stranger()
    for length, seconds in (("10s", 10), ("1h", 3600), ("20s", 20), ("3d", 3 * 86400)):
        gate.ask("ban", stranger, "--for", length)
        check(seconds - 5 <= expires(gate, stranger) <= seconds, f"{length}: {expires(gate, stranger)} s in the kernel")
        equal(list(gate.bans()), [stranger], "bans")
    gate.ask("ban", stranger, "--for", "1h", "--scope", "quiet")
    equal(gate.kernel()[stranger]["scope"], "quiet", "another scope")
    equal(len(gate.kernel()), 1, "elements: it is in one set only")
    gate.kill()
    gate.start()
    check(3500 < expires(gate, stranger) <= 3600 and len(gate.kernel()) == 1, "the last word holds after kill -9")


def test_short_ban_by_hand_ends_on_time(gate):
    gate.config()
    gate.start()
    stranger = gate.stranger()
    start = time.monotonic()
    gate.ask("ban", stranger, "--for", "1500ms")
    free_after = ended_after(gate, stranger, start)
    check(1.3 < free_after < 3, f"free after 1.5 s: {free_after}")
    wait_until(lambda: stranger not in gate.bans(), "it is off the list", 2)
    check(gate.lets_in(stranger), "it is let in")
