#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <string>
#include <vector>

#include "base/fd.hpp"

namespace palang::testing {

// A network namespace without a name: it goes when its last descriptor, socket and interface does.
class Namespace {
 public:
  // Null descriptor where the process may not make one.
  Namespace();
  [[nodiscard]] bool made() const { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string path() const;  // as `ip link ... netns` takes it

 private:
  Fd fd_;
};

// This thread is in that namespace while this lives.
class Inside {
 public:
  explicit Inside(const Namespace& where);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Fd home_;
};

struct Ran {
  int code = -1;
  std::string out;
};
// Runs a program (no shell) in this thread's namespace, within ten seconds.
Ran run(const std::vector<std::string>& words, const std::string& input = {});

bool has_program(const std::string& name);

}  // namespace palang::testing

#define SKIP_WITHOUT_NAMESPACE(ns) \
  if (!(ns).made()) GTEST_SKIP() << "needs CAP_SYS_ADMIN and CAP_NET_ADMIN to make network namespaces"
#define SKIP_WITHOUT_PROGRAM(name) \
  if (!::palang::testing::has_program(name)) GTEST_SKIP() << "the program `" name "` is not installed"
