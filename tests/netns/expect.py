"""What tests say of what they see, and how they wait for it: always bounded."""

import time


class Skip(Exception):
    """This machine can't show it; the reason is the text."""


class CheckFailed(AssertionError):
    pass


def check(truth, sentence):
    if not truth:
        raise CheckFailed(sentence)


def equal(found, expected, what):
    if found != expected:
        raise CheckFailed(f"{what}: {found!r}, expected {expected!r}")


def wait_until(probe, what, seconds=10.0, every=0.01):
    """Calls `probe` until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        last = probe()
        if last:
            return last
        if time.monotonic() > end:
            raise CheckFailed(f"after {seconds} s still not: {what} (last: {last!r})")
        time.sleep(every)


def stays(probe, what, seconds):
    """Calls `probe` for a while; it must be true every time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(probe(), f"no longer: {what}")
        time.sleep(0.02)
