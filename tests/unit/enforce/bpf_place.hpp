#pragma once

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "base/fd.hpp"
#include "enforce/bpffs.hpp"
#include "namespaces.hpp"

namespace palang::testing {

// A program of two instructions: return `verdict`.
inline Fd tiny_program(bpf_prog_type type, int verdict) {
  std::array<bpf_insn, 2> code{};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[0].imm = verdict;
  code[1].code = BPF_JMP | BPF_EXIT;
  return Fd(bpf_prog_load(type, "palang_tiny", "GPL", code.data(), code.size(), nullptr));
}

inline uint32_t id_of_program(const Fd& program) {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 ? info.id : 0;
}

// A network namespace and a BPF file system of our own, which go with the test.
class BpfPlace : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_NAMESPACE(namespace_);
    SKIP_WITHOUT_PROGRAM("ip");
    inside_.emplace(namespace_);
    std::string name = "/tmp/palang-bpffs-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    mount_ = name;
    if (const auto mounted = mount_bpffs(mount_); !mounted) GTEST_SKIP() << mounted.error().text;
    if (!tiny_program(BPF_PROG_TYPE_XDP, XDP_PASS)) GTEST_SKIP() << "this process may load no BPF programs";
  }
  void TearDown() override {
    if (mount_.empty()) return;
    (void)::umount2(mount_.c_str(), MNT_DETACH);
    (void)::rmdir(mount_.c_str());
  }

  [[nodiscard]] Bpffs pins() const {
    auto opened = Bpffs::open(mount_ + "/palang");
    EXPECT_TRUE(opened) << opened.error().text;
    return *std::move(opened);
  }
  static void ip(const std::vector<std::string>& words) {
    std::vector<std::string> command{"ip"};
    command.insert(command.end(), words.begin(), words.end());
    const auto ran = run(command);
    ASSERT_EQ(ran.code, 0) << ran.out;
  }

  Namespace namespace_;
  std::optional<Inside> inside_;
  std::string mount_;
};

}  // namespace palang::testing
