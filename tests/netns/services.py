"""Real services on the guarded host, and clients of theirs at strangers' addresses."""

import base64
import os
import shutil
import subprocess
import threading
import time

from expect import Skip, wait_until
from gate import HOST

SSHD_CONFIG = """
Port 22
ListenAddress 0.0.0.0
HostKey {directory}/host_key
PidFile none
UsePAM no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication no
MaxAuthTries 6
LogLevel INFO
"""

NGINX_CONFIG = """
daemon off;
master_process off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 256; }}
http {{
  access_log {directory}/access.log combined;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{
    listen 80;
    location / {{ root {directory}/www; }}
    location /private {{ auth_basic "private"; auth_basic_user_file {directory}/passwords; root {directory}/www; }}
  }}
}}
"""


def need(program):
    path = shutil.which(program)
    if path is None:
        raise Skip(f"needs the program {program}")
    return path


def bsd_stamp():
    return time.strftime("%b %e %H:%M:%S")


class Sshd:
    """sshd on tcp/22, and the syslog daemon that writes what it says to auth.log."""

    def __init__(self, gate, log):
        self.path = need("sshd")
        self.log = log
        directory = gate.path("sshd")
        os.makedirs(directory)
        os.makedirs("/run/sshd", exist_ok=True)  # where sshd confines those who are not logged in yet
        subprocess.run([need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", directory + "/host_key"], check=True)
        with open(directory + "/config", "w", encoding="utf-8") as file:
            file.write(SSHD_CONFIG.format(directory=directory))
        with gate.host:
            self.process = subprocess.Popen([self.path, "-D", "-e", "-f", directory + "/config"],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        gate.finally_do(self.stop)
        self.syslog = threading.Thread(target=self._pump, daemon=True)
        self.syslog.start()
        wait_until(lambda: gate.world.reaches(None, HOST, 22) == "accepted", "sshd answers", 10, every=0.1)

    def _pump(self):
        for line in self.process.stderr:
            text = line.decode(errors="replace").rstrip("\r\n")
            self.log.append(f"{bsd_stamp()} web1 sshd[{self.process.pid}]: {text}\n")

    def stop(self):
        self.process.kill()
        self.process.wait(10)


def guess_password(gate, source, user="root"):
    """One login with a wrong password, as an attacker's tool does it; returns ssh's exit code."""
    script = gate.path("askpass")
    if not os.path.exists(script):
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho wrong\n")
        os.chmod(script, 0o755)
    with gate.world:
        return subprocess.run(
            [need("ssh"), "-b", source, "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=2",
             f"{user}@{HOST}", "true"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False, start_new_session=True,
            env={**os.environ, "SSH_ASKPASS": script, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}).returncode


class Nginx:
    """nginx on tcp/80."""

    def __init__(self, gate):
        program = need("nginx")
        self.directory = gate.path("nginx")
        os.makedirs(self.directory + "/www")
        os.chmod(gate.directory, 0o755)
        for name, text in (("www/index.html", "hello\n"), ("passwords", "someone:$apr1$x$x\n")):
            with open(f"{self.directory}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        config = self.directory + "/nginx.conf"
        with open(config, "w", encoding="ascii") as file:
            file.write(NGINX_CONFIG.format(directory=self.directory))
        with gate.host:
            self.process = subprocess.Popen([program, "-p", self.directory, "-e", self.directory + "/error.log", "-c", config],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
        gate.finally_do(self.stop)
        wait_until(lambda: gate.world.reaches(None, HOST, 80) == "accepted", "nginx answers", 10, every=0.1)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def request(gate, source, path, user=None):
    """The status of one HTTP request from `source`; None if there was no answer."""
    connection = gate.world.connect(source, HOST, 80, 1.0)
    if isinstance(connection, str):
        return None
    credentials = ""
    if user is not None:
        credentials = "Authorization: Basic " + base64.b64encode(f"{user}:wrong".encode()).decode() + "\r\n"
    with connection:
        connection.settimeout(2)
        try:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: web1\r\n{credentials}Connection: close\r\n\r\n".encode())
            answer = connection.recv(64)
        except OSError:
            return None
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else None
