#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "enforce/xdp_program.hpp"

namespace palang::testing {

// The real program in the running kernel; packets are handed to it by BPF_PROG_TEST_RUN, no interface is touched.
class Gatekeeper : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to load a program into the kernel";
    XdpProgram::Options options;
    options.with_tc = true;
    auto loaded = XdpProgram::load(options);
    if (!loaded && (loaded.error().os == EPERM || loaded.error().os == ENOSYS)) GTEST_SKIP() << loaded.error().text;
    ASSERT_TRUE(loaded) << loaded.error().text;
    program_.emplace(std::move(*loaded));
  }

  // What the program says of a frame: XDP_PASS, XDP_DROP, ...
  uint32_t pass(const std::string& frame) {
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<uint32_t>(frame.size());
    options.repeat = 1;
    EXPECT_EQ(bpf_prog_test_run_opts(program_->xdp(), &options), 0);
    return options.retval;
  }

  std::optional<XdpProgram> program_;
};

}  // namespace palang::testing
