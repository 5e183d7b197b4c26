#include "base/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/guarded.hpp"

namespace palang {
namespace {

bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, ClosesWhatItOwnsOnce) {
  int number = -1;
  {
    Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = fd.get();
    Fd moved(std::move(fd));
    EXPECT_EQ(moved.get(), number);
    Fd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int second = other.get();
    other = std::move(moved);
    EXPECT_FALSE(is_open(second)) << "what was held before is closed";
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, ReleasesWithoutClosing) {
  Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fd.release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  fd.reset(number);
  fd.reset();
  EXPECT_FALSE(is_open(number));
}

TEST(Guarded, LetsOneInAtATime) {
  Guarded<int> counter;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) counter.with([](int& value) { ++value; });
      });
  }
  EXPECT_EQ(counter.with([](const int& value) { return value; }), 4000);
}

}  // namespace
}  // namespace palang
