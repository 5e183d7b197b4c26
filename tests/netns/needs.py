"""What a machine must have for these tests; without it they are skipped with the reason."""

import os
import shutil

from expect import Skip
from wire import run


def binary():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.environ.get("PALANG_BINARY", os.path.join(root, "build/release/palang"))
    if not os.access(path, os.X_OK):
        raise Skip(f"no palang at {path}: build it, or name it in PALANG_BINARY")
    return os.path.abspath(path)


def require_namespaces():
    if os.geteuid() != 0:
        raise Skip("needs root")
    for program in ("ip", "nft"):
        if shutil.which(program) is None:
            raise Skip(f"needs the program {program}")
    name = f"palang-netns-{os.getpid()}-probe"
    try:
        run("ip", "netns", "add", name)
    except RuntimeError as error:
        raise Skip(f"needs network namespaces: {error}") from None
    try:
        run("ip", "netns", "exec", name, "nft", "add", "table", "inet", "probe")
        run("ip", "-n", name, "link", "add", "cable0", "type", "veth", "peer", "name", "cable1")
    except RuntimeError as error:
        raise Skip(f"needs nftables and veth: {error}") from None
    finally:
        run("ip", "netns", "del", name)


def require_kernel_lines():
    """The kernel logs packets of other network namespaces only when told so."""
    try:
        with open("/proc/sys/net/netfilter/nf_log_all_netns", encoding="ascii") as file:
            told = file.read().strip() == "1"
    except OSError:
        told = False
    if not told:
        raise Skip("needs 'sysctl net.netfilter.nf_log_all_netns=1', or the kernel logs no packets of namespaces")
    if not os.access("/dev/kmsg", os.R_OK):
        raise Skip("needs /dev/kmsg")
