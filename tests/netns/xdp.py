"""What the tests of XDP share: a BPF file system of their own, programs of others, and a look past the daemon."""

import ctypes
import os
import platform
import re
import shutil
import socket
import struct

from expect import Skip
from wire import run

BPF_PROG_LOAD, BPF_OBJ_PIN = 5, 6
BPF_PROG_TYPE_XDP = 6
XDP_DROP, XDP_PASS = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


def require_xdp():
    for program in ("bpftool", "tc"):
        if shutil.which(program) is None:
            raise Skip(f"needs the program {program}")


def mount_bpffs(gate):
    """A BPF file system that goes with the gate; its path."""
    path = empty_place(gate)
    run("mount", "-t", "bpf", "bpf", path)
    return path


def empty_place(gate):
    """A directory where a BPF file system can be mounted; what is mounted there goes with the gate."""
    path = gate.path("bpf")
    os.makedirs(path, exist_ok=True)
    gate.finally_do(lambda: os.path.ismount(path) and run("umount", "--lazy", path))
    return path


def pinned(path):
    """Names of what is pinned for palang."""
    place = os.path.join(path, "palang")
    return sorted(os.listdir(place)) if os.path.isdir(place) else []


def xdp_on(namespace, interface):
    """(mode, id) of the interface's XDP program, as ip shows it: ("xdp", 7) native, ("xdpgeneric", 7); None: no XDP."""
    shown = namespace.run("ip", "link", "show", "dev", interface)
    found = re.search(r" (xdp\w*) .*prog/xdp id (\d+)", shown, re.DOTALL)
    return (found[1], int(found[2])) if found else None


def filters_on(namespace, interface):
    return namespace.run("tc", "filter", "show", "dev", interface, "ingress")


def _bpf(command, attribute):
    number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
    buffer = ctypes.create_string_buffer(attribute.ljust(128, b"\0"))
    done = _libc.syscall(number, command, buffer, 128)
    if done < 0:
        raise OSError(ctypes.get_errno(), f"bpf {command}")
    return done


def pin_program_of_another(path, verdict=XDP_PASS):
    """Loads an XDP program that gives every packet this verdict, and pins it."""
    code = struct.pack("<BBhi", 0xb7, 0, 0, verdict) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    instructions, licence = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    fd = _bpf(BPF_PROG_LOAD, struct.pack("<IIQQ", BPF_PROG_TYPE_XDP, 2, ctypes.addressof(instructions),
                                         ctypes.addressof(licence)))
    name = ctypes.create_string_buffer(path.encode())
    _bpf(BPF_OBJ_PIN, struct.pack("<QI", ctypes.addressof(name), fd))
    os.close(fd)
    return path


def libxdp():
    """libxdp, by which programs share an interface."""
    try:
        library = ctypes.CDLL("libxdp.so.1", use_errno=True)
    except OSError:
        raise Skip("needs libxdp") from None
    library.xdp_program__find_file.restype = ctypes.c_void_p
    library.xdp_program__find_file.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    library.xdp_program__attach.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_uint]
    library.libxdp_get_error.argtypes = [ctypes.c_void_p]
    library.libxdp_get_error.restype = ctypes.c_long
    return library


def attach_behind_dispatcher(namespace, interface, bpffs):
    """A program of libxdp's own, behind its dispatcher, that lets every packet pass to whoever comes after it."""
    library = libxdp()
    os.environ["LIBXDP_BPFFS"] = bpffs  # for the daemon, too
    _libc.setenv(b"LIBXDP_BPFFS", bpffs.encode(), 1)
    with namespace:
        index = socket.if_nametoindex(interface)
        program = library.xdp_program__find_file(b"xsk_def_xdp_prog.o", None, None)
        if library.libxdp_get_error(program) != 0:
            raise Skip("needs libxdp's own program xsk_def_xdp_prog.o")
        done = library.xdp_program__attach(program, index, 1, 0)  # XDP_MODE_NATIVE
    if done != 0:
        raise Skip(f"libxdp can't attach its own program: {os.strerror(-done)}")
    if behind_dispatcher(namespace, interface) == 0:
        raise Skip("libxdp attached its program without a dispatcher: this kernel refuses programs that extend others")


def behind_dispatcher(namespace, interface):
    """How many programs libxdp's dispatcher runs on the interface; 0: there is none."""
    library = libxdp()
    library.xdp_multiprog__get_from_ifindex.restype = ctypes.c_void_p
    library.xdp_multiprog__program_count.argtypes = [ctypes.c_void_p]
    library.xdp_multiprog__is_legacy.argtypes = [ctypes.c_void_p]
    with namespace:
        found = library.xdp_multiprog__get_from_ifindex(socket.if_nametoindex(interface))
    if library.libxdp_get_error(found) != 0 or library.xdp_multiprog__is_legacy(found):
        return 0
    return library.xdp_multiprog__program_count(found)
