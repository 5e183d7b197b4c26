"""How XDP is had, and what takes its place where it can't be: the mode, the reason, and nothing of others touched."""

import os

from expect import check, equal
from xdp import attach_behind_dispatcher, behind_dispatcher, empty_place, filters_on, mount_bpffs, pin_program_of_another, pinned, require_xdp, xdp_on


def start(gate, backend="xdp", bpffs=None, by=(), **enforce):
    require_xdp()
    gate.config(enforce={"backend": backend, "bpffs": bpffs or mount_bpffs(gate), **enforce})
    gate.start(by=by)
    return gate.status()


def expect_nftables(gate, status, *reasons):
    """nftables took the place of XDP, each reason is told, and nothing hangs on the interface."""
    equal(status["enforcer"], "nftables", "the enforcer")
    told = "\n".join(status["enforcement"]["reasons"])
    for reason in reasons:
        check(reason in told, f"the reason tells {reason!r}: {told!r}")
        check(reason in gate.palang("status").out.replace("\n              ", " "), f"people are told {reason!r}")
    check(gate.kernel() is not None, "our nftables table is there")
    equal(xdp_on(gate.host, gate.interface), None, "XDP on the interface")


def without(*capabilities):
    return ("setpriv", "--bounding-set", ",".join("-" + one for one in capabilities))


def test_native_on_the_interface_of_the_default_route(gate):
    status = start(gate)
    equal(status["enforcer"], "xdp", "the enforcer")
    equal(status["enforcement"]["interfaces"], [{"name": gate.interface, "mode": "native", "reasons": []}],
          "what is guarded")
    check(status["enforcement"]["kernel_bytes"] > 0, "what it costs")
    equal(xdp_on(gate.host, gate.interface)[0], "xdp", "what ip shows")
    equal(gate.kernel(), None, "our nftables table beside it")


def test_auto_takes_native_xdp_where_it_does_no_harm(gate):
    gate.host.ip("tuntap add dev tap0 mode tap", "link set tap0 up")
    status = start(gate, "auto", interfaces=["tap0"])
    equal(status["enforcer"], "xdp", "the enforcer")
    equal(status["enforcement"]["interfaces"], [{"name": "tap0", "mode": "native", "reasons": []}], "what is guarded")
    gate.stop()
    gate.config(enforce={"backend": "auto", "bpffs": gate.path("bpf"), "interfaces": ["tap0", gate.interface]})
    gate.start()
    expect_nftables(gate, gate.status(), f"{gate.interface}: native XDP would keep it from merging received packets")
    equal(xdp_on(gate.host, "tap0"), None, "XDP on the other interface")


def test_generic_where_the_driver_has_none_and_nftables_where_that_is_too_slow(gate):
    gate.host.ip("link add br0 type bridge", "link set br0 up")
    status = start(gate, interfaces=["br0"])
    [one] = status["enforcement"]["interfaces"]
    equal((one["name"], one["mode"]), ("br0", "generic"), "how it is guarded")
    check("native XDP is not to be had: operation not supported" in one["reasons"][0], f"why: {one['reasons']}")
    equal(xdp_on(gate.host, "br0")[0], "xdpgeneric", "what ip shows")
    gate.stop()
    gate.config(enforce={"backend": "auto", "bpffs": gate.path("bpf"), "interfaces": ["br0"]})
    gate.start()
    expect_nftables(gate, gate.status(), "br0: native XDP is not to be had")
    equal(xdp_on(gate.host, "br0"), None, "what the earlier daemon had hung on it")
    equal(pinned(gate.path("bpf")), [], "what it had pinned")


def test_an_interface_without_ethernet_gets_nftables_beside(gate):
    status = start(gate, interfaces=["lo", gate.interface])
    equal(status["enforcer"], "xdp and nftables", "the enforcer")
    modes = {one["name"]: (one["mode"], one["reasons"]) for one in status["enforcement"]["interfaces"]}
    equal(modes, {"lo": (None, ["lo carries no Ethernet frames"]), gate.interface: ("native", [])}, "how")


def test_another_xdp_program_stays_and_tc_guards(gate):
    bpffs = mount_bpffs(gate)
    other = pin_program_of_another(os.path.join(bpffs, "other"))
    gate.host.run("ip", "link", "set", "dev", gate.interface, "xdpdrv", "pinned", other)
    before = xdp_on(gate.host, gate.interface)
    status = start(gate, bpffs=bpffs)
    [one] = status["enforcement"]["interfaces"]
    equal((status["enforcer"], one["mode"]), ("xdp", "tc"), "how")
    check("another XDP program has the interface" in one["reasons"][0], f"why: {one['reasons']}")
    equal(xdp_on(gate.host, gate.interface), before, "the other program")
    check("palang_tc" in filters_on(gate.host, gate.interface), "our filter is there")
    gate.stop("--lift")
    equal(xdp_on(gate.host, gate.interface), before, "the other program after all is lifted")
    check("clsact" not in gate.host.run("tc", "qdisc", "show", "dev", gate.interface), "the hook is gone")


def test_libxdps_dispatcher_runs_the_other_program_and_ours(gate):
    bpffs = mount_bpffs(gate)
    attach_behind_dispatcher(gate.host, gate.interface, bpffs)
    equal(behind_dispatcher(gate.host, gate.interface), 1, "programs before")
    stranger = gate.stranger()
    for attempt in range(2):  # the second daemon takes over what the first left
        status = start(gate, bpffs=bpffs)
        [one] = status["enforcement"]["interfaces"]
        equal((status["enforcer"], one["mode"]), ("xdp", "shared"), "how")
        check("libxdp's dispatcher runs both" in "".join(one["reasons"]) or attempt > 0, f"why: {one['reasons']}")
        equal(behind_dispatcher(gate.host, gate.interface), 2, "programs now")
        if attempt == 0:
            check(gate.lets_in(stranger), "the stranger gets in before")
            gate.ask("ban", stranger, "--for", "1h")
        check(gate.shuts_out(stranger), "silence for the banned")
        check(gate.lets_in(gate.stranger()), "others get in")
        if attempt == 0:
            gate.kill()
            check(gate.shuts_out(stranger), "silence though the daemon is dead")
    gate.stop("--lift")
    equal(behind_dispatcher(gate.host, gate.interface), 1, "programs after all is lifted")
    check(gate.lets_in(stranger), "it gets in again")


def test_auto_leaves_an_interface_with_another_xdp_program_to_nftables(gate):
    bpffs = mount_bpffs(gate)
    other = pin_program_of_another(os.path.join(bpffs, "other"))
    gate.host.ip("tuntap add dev tap0 mode tap", "link set tap0 up")
    gate.host.run("ip", "link", "set", "dev", "tap0", "xdpdrv", "pinned", other)
    before = xdp_on(gate.host, "tap0")
    expect_nftables(gate, start(gate, "auto", bpffs=bpffs, interfaces=["tap0"]),
                    "tap0: another XDP program has the interface")
    equal(xdp_on(gate.host, "tap0"), before, "the other program")


def test_auto_leaves_a_host_that_forwards_to_nftables(gate):
    gate.host.sysctl(net__ipv4__ip_forward=1)
    expect_nftables(gate, start(gate, "auto"), "this host forwards packets")


def test_a_bpf_file_system_is_mounted_where_there_is_none(gate):
    place = empty_place(gate)
    equal(start(gate, bpffs=place)["enforcer"], "xdp", "the enforcer")
    check(os.path.ismount(place), "it is mounted")


def test_no_bpf_file_system_and_no_right_to_mount_one(gate):
    place = empty_place(gate)
    expect_nftables(gate, start(gate, bpffs=place, by=without("sys_admin")), f"no BPF file system is mounted at {place}")
    check(not os.path.ismount(place), "nothing is mounted")


def test_no_right_to_load_programs(gate):
    expect_nftables(gate, start(gate, by=without("sys_admin", "bpf")), "operation not permitted (EPERM)", "CAP_BPF")


def test_the_verifier_refuses(gate):
    """Without CAP_PERFMON it is stricter than the program can bear."""
    expect_nftables(gate, start(gate, by=without("sys_admin", "perfmon")), "the kernel's verifier refused it: ")


def test_no_types_of_the_kernel(gate):
    hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$@\""
    status = start(gate, by=("unshare", "--mount", "sh", "-c", hide, "sh"))
    expect_nftables(gate, status, "this kernel doesn't tell its types (BTF; /sys/kernel/btf/vmlinux is missing)")


def test_a_limit_of_locked_memory_is_none_to_maps(gate):
    equal(start(gate, by=("prlimit", "--memlock=0"))["enforcer"], "xdp", "the enforcer")


def test_lift_takes_all_away(gate):
    bpffs = mount_bpffs(gate)
    start(gate, bpffs=bpffs)
    check(pinned(bpffs), "something is pinned")
    gate.stop("--lift")
    equal(pinned(bpffs), [], "what is pinned")
    check(not os.path.exists(os.path.join(bpffs, "palang")), "our directory is gone")
    equal(xdp_on(gate.host, gate.interface), None, "XDP on the interface")


def test_another_enforcer_takes_over_completely(gate):
    bpffs = mount_bpffs(gate)
    for backend, enforcer in (("xdp", "xdp"), ("nftables", "nftables"), ("xdp", "xdp")):
        gate.config(enforce={"backend": backend, "bpffs": bpffs})
        gate.start()
        equal(gate.status()["enforcer"], enforcer, "the enforcer")
        equal(gate.kernel() is not None, backend == "nftables", "our nftables table")
        equal(xdp_on(gate.host, gate.interface) is not None, backend == "xdp", "XDP on the interface")
        gate.stop()


def test_both_together(gate):
    status = start(gate, nftables_too=True)
    equal(status["enforcer"], "xdp and nftables", "the enforcer")
    check(gate.kernel() is not None, "our nftables table is there")
