"""Logs for ./bench.sh rules: what a server's services really write, with numbers and names that vary."""

import random

USERS = ["root", "admin", "ubuntu", "test", "oracle", "postgres", "git", "deploy", "pi", "user", "ftpuser", "www-data", "mysql", "guest", "support", "jenkins", "hadoop", "minecraft", "steam", "nagios"]
CIPHERS = "kex_exchange_identification", "ssh-rsa", "ecdsa-sha2-nistp256"


def address(rng):
    return f"{rng.choice((198, 203))}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def stamps(rng, count):
    """BSD syslog times of one day, ascending."""
    seconds = sorted(rng.randint(0, 86_399) for _ in range(count))
    return [f"Jan 12 {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in seconds]


def failure(rng):
    user, source, port = rng.choice(USERS), address(rng), rng.randint(1024, 65_535)
    return rng.choice((
        f"Failed password for invalid user {user} from {source} port {port} ssh2",
        f"Failed password for invalid user {user} from {source} port {port} ssh2",
        f"Failed password for {user} from {source} port {port} ssh2",
        f"Failed password for {user} from {source} port {port} ssh2",
        f"Failed password for root from {source} port {port} ssh2",
        f"Invalid user {user} from {source} port {port}",
        f"Invalid user {user} from {source} port {port}",
        f"Connection closed by authenticating user {user} {source} port {port} [preauth]",
    ))


def other_auth(rng):
    user, source, port = rng.choice(USERS), address(rng), rng.randint(1024, 65_535)
    return rng.choice((
        f"Received disconnect from {source} port {port}:11: disconnected by user",
        f"Disconnected from user {user} {source} port {port}",
        f"Accepted publickey for {user} from {source} port {port} ssh2: ED25519 SHA256:{rng.getrandbits(200):050x}",
        f"pam_unix(sshd:session): session opened for user {user}(uid=1000) by (uid=0)",
        f"pam_unix(sshd:session): session closed for user {user}",
        f"Accepted password for {user} from {source} port {port} ssh2",
        f"Starting session: shell on pts/{rng.randint(0, 9)} for {user} from {source} port {port} id 0",
        f"pam_unix(sshd:auth): check pass; user unknown",
    ))


def auth_lines(count, share, seed=1):
    """Lines of OpenSSH, of which `share` are failures."""
    rng = random.Random(seed)
    for stamp in stamps(rng, count):
        text = failure(rng) if rng.random() < share else other_auth(rng)
        yield f"{stamp} web1 sshd[{rng.randint(300, 4_000_000)}]: {text}"


def everyday(rng):
    """A line of a healthy server that no rule is about: (tag, message)."""
    user, source = rng.choice(USERS), address(rng)
    queue = f"{rng.getrandbits(40):010X}"
    return rng.choice((
        ("CRON", f"({user}) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)"),
        ("CRON", f"pam_unix(cron:session): session opened for user {user}(uid=0) by (uid=0)"),
        ("systemd", "Started Session 4711 of user deploy."),
        ("systemd", f"run-docker-runtime\\x2drunc-moby-{rng.getrandbits(128):032x}.mount: Deactivated successfully."),
        ("postfix/qmgr", f"{queue}: from=<{user}@example.org>, size={rng.randint(500, 90_000)}, nrcpt=1 (queue active)"),
        ("postfix/smtp", f"{queue}: to=<{user}@example.net>, relay=mx.example.net[{source}]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {queue})"),
        ("postfix/smtpd", f"connect from mail.example.org[{source}]"),
        ("postfix/smtpd", f"disconnect from mail.example.org[{source}] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"),
        ("postfix/cleanup", f"{queue}: message-id=<{rng.getrandbits(100):025x}@example.org>"),
        ("dovecot", f"imap-login: Login: user=<{user}@example.org>, method=PLAIN, rip={source}, lip=192.0.2.1, mpid={rng.randint(1, 99_999)}, TLS, session=<{rng.getrandbits(80):020x}>"),
        ("dovecot", f"imap({user}@example.org)<{rng.randint(1, 99_999)}><x>: Disconnected: Logged out in=512 out=2931 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0"),
        ("named", f"client @0x7f{rng.getrandbits(40):010x} {source}#53211 (example.org): query: example.org IN A +E(0)K (192.0.2.1)"),
        ("dockerd", f'time="2025-01-12T00:30:41.{rng.randint(0, 999_999_999):09}+07:00" level=info msg="ignoring event" container={rng.getrandbits(256):064x} module=libcontainerd namespace=moby topic=/tasks/delete'),
        ("sshd", f"Accepted publickey for {user} from {source} port 50122 ssh2: ED25519 SHA256:{rng.getrandbits(200):050x}"),
        ("sshd", f"pam_unix(sshd:session): session opened for user {user}(uid=1000) by (uid=0)"),
        ("sudo", f"  {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/journalctl -u nginx"),
    ))


def server_lines(count, share, seed=2):
    """Lines of many services, of which `share` are failures to log in."""
    rng = random.Random(seed)
    for stamp in stamps(rng, count):
        tag, text = ("sshd", failure(rng)) if rng.random() < share else everyday(rng)
        yield f"{stamp} web1 {tag}[{rng.randint(300, 4_000_000)}]: {text}"


BEGINNINGS = (
    ("sshd", "Failed password for invalid user ", " from 198.51.100.9 port 22 ssh2x"),
    ("sshd", "Failed password for ", " from 198.51.100.9 port 22"),
    ("sshd", "Invalid user ", " from 198.51.100.9 port 2 2"),
    ("sshd", "Connection closed by authenticating user ", " 198.51.100.9 port 22 [preauth"),
    ("sshd", "User ", " from 198.51.100.9 not allowed because"),
    ("sshd", "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=", "198.51.100.9  user="),
    ("sshd", "Unable to negotiate with ", "198.51.100.9 port 22: "),
    ("dovecot", "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<", ">, method=PLAIN, rip=198.51.100.9, lip=x "),
    ("postfix/smtpd", "warning: ", "x[198.51.100.9]: SASL LOGIN authentication failed "),
    ("postfix/smtpd", "NOQUEUE: reject: RCPT from ", "x[198.51.100.9]: 554 5.7.1 "),
    ("proftpd", "web1 (", "x[198.51.100.9]) - USER x: "),
    ("exim4", "login authenticator failed for (", ") [198.51.100.9]: 535 "),
    ("named", "client @0x7f ", "198.51.100.9#1 (x): query "),
    ("mysqld", "Access denied for user '", "'@'198.51.100.9' (using "),
)


def hostile_lines(count, seed=3):
    """Lines built to make patterns backtrack: beginnings that rules know, and then a tail that nearly fits again and again."""
    rng = random.Random(seed)
    for stamp in stamps(rng, count):
        tag, begin, part = rng.choice(BEGINNINGS)
        yield f"{stamp} web1 {tag}[1]: {begin}{part * rng.randint(1, 40)}"


def long_lines(length):
    """The same at their longest, and one in which the tail fits every time."""
    fits = ("sshd", "Failed password for invalid user ", "x from 198.51.100.9 port 22 ssh2 ")
    for tag, begin, part in (*BEGINNINGS, fits):
        yield f"Jan 12 00:30:41 web1 {tag}[1]: {begin}{part * (length // len(part))}"


def access_lines(count, seed=5):
    """Combined access lines: visitors of a site, some crawlers, a few probes."""
    rng = random.Random(seed)
    paths = ("/", "/index.html", "/assets/app.3f2a.js", "/assets/site.css", "/images/logo.png", "/blog/2024/11/a-post/",
             "/api/v1/items?page=3", "/wp-login.php", "/favicon.ico", "/robots.txt", "/.env", "/shop/cart")
    agents = ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
              "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
              "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "curl/7.88.1")
    for stamp in stamps(rng, count):
        time = stamp[7:]
        yield (f'{address(rng)} - - [12/Jan/2025:{time} +0700] "{rng.choice(("GET", "GET", "GET", "POST"))} {rng.choice(paths)} HTTP/1.1" '
               f'{rng.choice((200, 200, 200, 304, 404, 301))} {rng.randint(100, 90_000)} "https://example.org/" "{rng.choice(agents)}"')
