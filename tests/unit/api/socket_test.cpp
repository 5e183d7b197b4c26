#include "api/socket.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "running_server.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

using ApiSocketTest = ApiServerTest;

TEST_F(ApiSocketTest, ASecondDaemonIsRefused) {
  Server server(path_);
  FakeDaemon daemon;
  const std::unique_ptr<event_base, FreeBase> base(event_base_new());
  const auto second = ApiServer::listen(base.get(), {path_, ""}, daemon);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().text, "another palang answers on " + path_);
  EXPECT_THAT(ask("GET", "/v1/status"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ApiSocketTest, AStaleSocketIsReplaced) {
  fs::create_directory(directory_ + "/run");
  {
    const Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(fs::exists(path_));
  Server server(path_);
  EXPECT_THAT(ask("GET", "/v1/status"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ApiSocketTest, OtherFilesAreNotReplaced) {
  fs::create_directory(directory_ + "/run");
  fs::create_symlink("/etc/passwd", path_);
  const auto socket = ListeningSocket::bind({path_, ""});
  ASSERT_FALSE(socket.has_value());
  EXPECT_THAT(socket.error().text, HasSubstr("not a socket is in the way"));
  EXPECT_TRUE(fs::is_symlink(path_));
}

TEST_F(ApiSocketTest, SocketHasItsModeAndGoesWithItsOwner) {
  {
    const auto socket = ListeningSocket::bind({path_, "no-such-group"});
    ASSERT_TRUE(socket.has_value()) << socket.error().text;
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    ASSERT_EQ(::stat((directory_ + "/run").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0755U);
  }
  EXPECT_TRUE(fs::is_empty(directory_ + "/run"));
}

TEST_F(ApiSocketTest, SocketBelongsToTheGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file to another group";
  const auto socket = ListeningSocket::bind({path_, "daemon"});
  ASSERT_TRUE(socket.has_value()) << socket.error().text;
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660U);
  EXPECT_EQ(status.st_gid, 1U);  // daemon, on every Debian
}

TEST_F(ApiSocketTest, ASocketOfSomeoneElseIsLeftAlone) {
  {
    const auto socket = ListeningSocket::bind({path_, ""});
    ASSERT_TRUE(socket.has_value());
    fs::remove(path_);
    fs::create_directory(path_);
  }
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(ApiSocketTest, TooLongAPathIsASentence) {
  const auto socket = ListeningSocket::bind({directory_ + "/" + std::string(120, 'x'), ""});
  ASSERT_FALSE(socket.has_value());
  EXPECT_THAT(socket.error().text, HasSubstr("the path of a unix socket has 1 to 107 bytes"));
}

// Even where somebody has opened the file to all, only root and the group are heard.
TEST_F(ApiSocketTest, StrangersAreNotHeard) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become a stranger";
  Server server(path_);
  fs::permissions(directory_, fs::perms::others_all, fs::perm_options::add);
  fs::permissions(path_, fs::perms::others_all, fs::perm_options::add);
  std::string reply;
  std::thread stranger([&] {
    // The bare system calls change this thread only; all of a process is what glibc's would change.
    ASSERT_EQ(::syscall(SYS_setgroups, 0, nullptr), 0);
    ASSERT_EQ(::syscall(SYS_setresgid, 65534, 65534, 65534), 0);
    ASSERT_EQ(::syscall(SYS_setresuid, 65534, 65534, 65534), 0);
    reply = ask("GET", "/v1/status");
  });
  stranger.join();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 403 "));
}

}  // namespace
}  // namespace palang
