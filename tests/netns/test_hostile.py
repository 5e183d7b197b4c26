"""Hostile lines, full disks, broken ledgers: a clear sentence each, and the gate still works."""

import os
import random
import re
import sqlite3
import subprocess

from expect import check, equal, wait_until
from gate import HOST, csf_line
from needs import require_kernel_lines
from wire import run, syn

MARK = "198.51.100."  # no line that is broken may ever ban an address of this network


def broken_lines(count, seed):
    """Bytes of every kind, each line naming an address that it must not get banned."""
    chance = random.Random(seed)

    def victim():
        return f"{MARK}{chance.randint(1, 254)}"

    def mangled():
        line = bytearray(csf_line(victim()).rstrip("\n").encode())
        for _ in range(3):
            line[chance.randrange(12)] = chance.randrange(256)  # the time
        # Digits by chance would be another time, and a sound line.
        line[chance.choice((0, 1, 2, 3, 5, 6, 8, 9, 11))] = chance.choice(b"\0\t -:/ATZaz\x7f\xff")
        return bytes(line).replace(b"\n", b"?")

    # A user process that writes what the kernel would write, and other ways to name a victim.
    kinds = [
        lambda: csf_line(victim()).replace(" kernel: ", " sshd[99]: ").rstrip("\n").encode(),
        lambda: csf_line(f"{MARK}300").rstrip("\n").encode(),
        lambda: csf_line("198.XXX.XXX.XXX").rstrip("\n").encode(),
        lambda: csf_line(victim()).replace(" SYN ", " ACK SYN ").rstrip("\n").encode(),
        lambda: csf_line(victim()).replace("IN=eth0 OUT=", "IN= OUT=eth0").rstrip("\n").encode(),
        lambda: csf_line(victim())[:chance.randint(1, 150)].rstrip("\n").encode(),
        lambda: chance.randbytes(chance.randint(1, 300)).replace(b"\n", b"") or b"?",
        lambda: b"\0" * chance.randint(1, 100),
        lambda: b"SRC=" * chance.randint(1, 500),
        lambda: csf_line(victim()).replace("DPT=8083", "DPT=99999").rstrip("\n").encode(),
        lambda: csf_line("255.255.255.255").rstrip("\n").encode(),
        lambda: csf_line("224.0.0.5").rstrip("\n").encode(),
        mangled,
    ]
    lines = [chance.choice(kinds)() for _ in range(count - 3)]
    for size in (64 * 1024 - 1, 64 * 1024 + 1, 3 << 20):
        lines.insert(chance.randrange(len(lines)), b"A" * size)
    return lines


def expect_unimpressed(gate, good):
    wait_until(lambda: set(good) <= set(gate.bans()), "good lines between are judged", 20)
    wrong = [prefix for prefix in gate.bans() if prefix not in good]
    equal(wrong, [], "bans from broken lines")
    counters = gate.counters()
    equal(counters["events_decided"], len(good), "decisions")
    for kind in ("lines_not_ours", "lines_no_header", "lines_broken", "lines_backscatter", "lines_outbound"):
        check(counters[kind] > 100, f"{kind} counted: {counters[kind]}")
    total = sum(value for name, value in counters.items() if name.startswith("lines_"))
    source = gate.status()["sources"][0]
    equal(total, source["lines"], "every line has one fate")
    equal(source["cut_lines"], 2, "lines cut")
    check(gate.status()["healthy"], "healthy")
    return total


def with_good_lines(gate, lines):
    good = [gate.stranger() for _ in range(20)]
    step = len(lines) // len(good)
    for number, source in enumerate(good):
        lines.insert(number * step, csf_line(source).rstrip("\n").encode())
    return good


def test_promise_8_ten_thousand_broken_lines_in_a_file(gate):
    gate.config(ban={"widen": {"after": 0}})
    gate.start()
    lines = broken_lines(10_000, seed=random.randrange(1 << 30))
    good = with_good_lines(gate, lines)
    text = b"\n".join(lines) + b"\n"
    for at in range(0, len(text), 100_000):
        gate.log.append(text[at:at + 100_000])
    equal(expect_unimpressed(gate, good), len(lines), "lines")
    gate.log.append(csf_line(last := gate.stranger()))
    gate.wait_until_banned(last)


def test_promise_8_ten_thousand_broken_lines_on_standard_input(gate):
    gate.config(source=None, ban={"widen": {"after": 0}})
    gate.start("--stdin", stdin=subprocess.PIPE)
    lines = broken_lines(10_000, seed=random.randrange(1 << 30))
    good = with_good_lines(gate, lines)
    gate.daemon.stdin.write(b"\n".join(lines) + b"\n")
    gate.daemon.stdin.flush()
    equal(expect_unimpressed(gate, good), len(lines), "lines")


def test_promise_8_what_is_logged_cannot_steer_a_terminal(gate):
    gate.config()
    gate.start()
    stranger = gate.stranger()
    gate.log.append(csf_line(stranger).replace("MAC=", "\x1b[2J\x1b]0;owned\x07\u202e<b> MAC="))
    gate.wait_until_banned(stranger)
    people = gate.palang("why", stranger).out
    check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", people), f"no control character reaches the terminal: {people!r}")
    check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", gate.said()), "nor the daemon's log")


def test_promise_8_what_a_process_writes_into_the_kernel_log_is_not_the_kernels(gate):
    require_kernel_lines()
    gate.config(source=None, ban={"widen": {"after": 0}})
    gate.start()
    victim, stranger = gate.stranger(), gate.stranger()
    message = csf_line(victim).split("kernel: ", 1)[1]
    for priority in ("<4>", "<0>", ""):
        with open("/dev/kmsg", "wb", buffering=0) as device:
            device.write((priority + message).encode())
    gate.world.send_raw(syn(stranger, HOST, 8083))
    gate.wait_until_banned(stranger)
    check(victim not in gate.bans(), "the line of a process bans nobody")


def test_half_a_line_is_not_a_line(gate):
    gate.config()
    gate.start()
    stranger, witness = gate.stranger(), gate.stranger()
    line = csf_line(stranger)
    gate.log.append(line[:line.index("SRC=") + 9])  # "SRC=198.1": an address, too, if it were the end
    gate.wait_until_read(0)
    equal(gate.bans(), {}, "bans after half a line")
    gate.kill()
    gate.start()
    gate.log.append(line[line.index("SRC=") + 9:], csf_line(witness))
    gate.wait_until_banned(stranger, witness)
    equal(len(gate.bans()), 2, "bans")


def small_disk(gate, size="3m"):
    directory = os.path.dirname(gate.ledger_path)
    os.makedirs(directory, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "palang-netns", directory)
    gate.finally_do(lambda: run("umount", "-l", directory))
    return directory


def fill(directory):
    """Leaves not a byte."""
    with open(os.path.join(directory, "filler"), "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def still_protects(gate, sentence):
    """In trouble: it says so, and bans all the same."""
    strangers = [gate.stranger() for _ in range(30)]
    gate.log.blocked(*strangers)
    gate.wait_until_banned(*strangers)
    check(gate.shuts_out(strangers[0]), "bans are in force")
    trouble = wait_until(lambda: gate.status()["troubles"], "status tells", 10)
    check(re.search(sentence, trouble[0]), f"a clear sentence: {trouble}")
    check(re.search(sentence, gate.said()), "in the log, too")
    check(not gate.status()["healthy"], "not healthy")
    return strangers


def recovers(gate, strangers):
    wait_until(lambda: gate.status()["healthy"], "the trouble is over", 20)
    wait_until(lambda: set(strangers) <= gate.ledger(), "what waited is in the ledger", 10)
    check(gate.everything_agrees(), "ledger, kernel and daemon agree")
    gate.kill()
    gate.start()
    check(set(strangers) <= set(gate.bans()), "nothing is lost over kill -9")
    equal(gate.counters()["events_decided"], 0, "nothing is decided twice")


def test_full_disk_while_it_runs(gate):
    directory = small_disk(gate)
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    fill(directory)
    strangers = still_protects(gate, r"palang\.db.*(full|no space)")
    os.unlink(os.path.join(directory, "filler"))
    recovers(gate, strangers)


def test_full_disk_at_the_start(gate):
    directory = small_disk(gate)
    fill(directory)
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    strangers = still_protects(gate, r"palang\.db.*(full|no space)")
    os.unlink(os.path.join(directory, "filler"))
    recovers(gate, strangers)


def test_bans_by_hand_are_honest_about_a_full_disk(gate):
    directory = small_disk(gate)
    gate.config()
    gate.start()
    fill(directory)
    still_protects(gate, r"palang\.db.*(full|no space)")
    stranger = gate.stranger()
    reply = gate.palang("ban", stranger)
    equal(reply.code, 1, "a ban that can't be saved")
    check(f"{stranger} is banned, but a restart forgets it unless it is saved" in reply.err,
          f"it says what holds and what doesn't: {reply.err}")
    check(stranger in gate.kernel(), "it is in force nevertheless")
    os.unlink(os.path.join(directory, "filler"))
    recovers(gate, [stranger])


def test_promise_4_kill_while_the_disk_is_full(gate):
    directory = small_disk(gate)
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    gate.log.blocked(first := gate.stranger())
    gate.wait_until_banned(first)
    wait_until(gate.everything_agrees, "saved")
    fill(directory)
    strangers = still_protects(gate, r"palang\.db.*(full|no space)")
    gate.kill()
    os.unlink(os.path.join(directory, "filler"))
    check(set(strangers) <= set(gate.kernel()), "the kernel goes on alone")
    gate.start()
    wait_until(gate.everything_agrees, "what was never saved is read and judged again")
    equal(set(gate.bans()), {first, *strangers}, "bans")


def test_read_only_ledger_directory(gate):
    directory = small_disk(gate)
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    kept = gate.stranger()
    gate.ask("ban", kept)
    gate.kill()
    run("mount", "-o", "remount,ro", directory)
    gate.start()
    check(kept in gate.bans() and kept in gate.kernel(), "what is there is read")
    strangers = still_protects(gate, r"read-only|readonly")
    run("mount", "-o", "remount,rw", directory)
    recovers(gate, [kept, *strangers])


def test_ledger_directory_that_may_not_be_written(gate):
    directory = os.path.dirname(gate.ledger_path)
    os.makedirs(directory)
    os.chmod(directory, 0o555)  # without CAP_DAC_OVERRIDE root obeys, too
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    strangers = still_protects(gate, r"permission denied")
    os.chmod(directory, 0o755)
    recovers(gate, strangers)


def damage(path):
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(os.urandom(os.path.getsize(path) - 100))
    for part in ("-wal", "-shm"):
        if os.path.exists(path + part):
            os.unlink(path + part)


def test_corrupt_ledger_is_set_aside_and_the_kernels_bans_adopted(gate):
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    strangers = [gate.stranger() for _ in range(5)]
    gate.log.blocked(*strangers)
    gate.wait_until_banned(*strangers)
    gate.ask("ban", "203.0.113.0/24", "--for", "2h")
    gate.stop()
    damage(gate.ledger_path)
    with open(gate.ledger_path, "rb") as file:
        damaged = file.read()
    held = set(gate.kernel())
    gate.start()
    kept = [name for name in os.listdir(os.path.dirname(gate.ledger_path)) if re.search(r"\.corrupt-\w+Z$", name)]
    equal(len(kept), 1, "files set aside")
    with open(os.path.join(os.path.dirname(gate.ledger_path), kept[0]), "rb") as file:
        equal(file.read() == damaged, True, "the damaged file is kept as it was")
    check(kept[0] in gate.said(), "the log names it")
    equal((set(gate.kernel()), set(gate.bans())), (held, held), "the kernel's bans are taken over")
    equal(gate.bans()["203.0.113.0/24"]["scope"], "full", "scope")
    check(7000 < gate.kernel()["203.0.113.0/24"]["expires"] <= 7200, "with the end that the kernel knew")
    wait_until(gate.everything_agrees, "the new ledger has them")
    check(gate.status()["healthy"], "healthy")
    gate.log.blocked(last := gate.stranger())
    gate.wait_until_banned(last)


def test_ledger_file_taken_away_while_it_runs(gate):
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    first, second = gate.stranger(), gate.stranger()
    gate.log.blocked(first)
    gate.wait_until_banned(first)
    wait_until(gate.everything_agrees, "saved")
    for part in ("", "-wal", "-shm"):
        os.unlink(gate.ledger_path + part)
    gate.log.blocked(second)
    gate.wait_until_banned(second)
    wait_until(lambda: os.path.exists(gate.ledger_path) and gate.everything_agrees(), "a new one holds everything", 15)
    gate.kill()
    gate.start()
    equal(set(gate.bans()), {first, second}, "bans")


def test_locked_ledger(gate):
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    first = gate.stranger()
    gate.log.blocked(first)
    gate.wait_until_banned(first)
    other = sqlite3.connect(gate.ledger_path, isolation_level=None)
    gate.finally_do(other.close)
    other.execute("BEGIN IMMEDIATE")
    strangers = still_protects(gate, r"palang\.db.*locked")
    other.execute("ROLLBACK")
    recovers(gate, [first, *strangers])


def test_locked_ledger_at_the_start(gate):
    gate.config(ban={"for": "1h", "widen": {"after": 0}})
    gate.start()
    gate.log.blocked(first := gate.stranger())
    gate.wait_until_banned(first)
    gate.stop()
    other = sqlite3.connect(gate.ledger_path, isolation_level=None)
    gate.finally_do(other.close)
    other.execute("BEGIN EXCLUSIVE")
    gate.start()
    check(first in gate.kernel(), "its ban stays")
    strangers = still_protects(gate, r"palang\.db.*locked")
    other.execute("ROLLBACK")
    recovers(gate, [first, *strangers])


def test_somebody_elses_database_is_left_alone(gate):
    os.makedirs(os.path.dirname(gate.ledger_path))
    database = sqlite3.connect(gate.ledger_path)
    database.execute("CREATE TABLE recipes (name TEXT)")
    database.commit()
    database.close()
    with open(gate.ledger_path, "rb") as file:
        before = file.read()
    gate.config()
    equal(gate.launch().wait(10), 1, "exit code")
    gate.daemon = None
    check("it is the database of another program" in gate.said(), f"a clear sentence: {gate.said()}")
    with open(gate.ledger_path, "rb") as file:
        check(file.read() == before, "not a byte is changed")


def test_promise_5_budget(gate):
    gate.config(ban={"for": "1h", "budget": 10, "widen": {"after": 0}})
    gate.start()
    by_hand = gate.stranger()
    gate.ask("ban", by_hand)
    strangers = [gate.stranger() for _ in range(50)]
    for stranger in strangers:
        gate.log.blocked(stranger)
    wait_until(lambda: gate.counters()["events_decided"] == 50, "all are judged")
    equal(set(gate.bans()), {by_hand, *strangers[-9:]}, "the newest nine and the one by hand")
    equal(set(gate.kernel()), set(gate.bans()), "in the kernel, too")
    equal(gate.counters()["bans_evicted"], 41, "evictions counted")
    equal(gate.status()["bans"]["intended"], 10, "bans")
    gate.kill()
    gate.start()
    wait_until(gate.everything_agrees, "the same after kill -9")
    equal(set(gate.bans()), {by_hand, *strangers[-9:]}, "after kill -9")


def test_a_log_that_cannot_be_read_is_said_and_waited_for(gate):
    missing = gate.path("later/kern.log")
    gate.log.path = missing
    gate.config()
    gate.start()
    equal(gate.palang("status").code, 0, "it runs without its log")
    status = gate.status()
    equal((status["healthy"], len(status["troubles"])), (False, 1), "and is not well")
    check(f"{missing} does not exist" in status["troubles"][0], f"it names the log: {status['troubles']}")
    gate.wait_for_message(f"{re.escape(missing)} does not exist")
    os.mkdir(gate.path("later"))
    gate.log.append()
    wait_until(lambda: gate.status()["healthy"], "it is well as soon as the log is there")
    os.unlink(missing)
    check(gate.status()["healthy"], "a log that is gone for a moment, as in a rotation, is no trouble")
    gate.log.append()
    stranger = gate.stranger()
    gate.log.blocked(stranger)
    gate.wait_until_banned(stranger)
