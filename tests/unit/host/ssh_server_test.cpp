#include "host/ssh_server.hpp"

#include <gtest/gtest.h>

namespace palang {
namespace {

TEST(SshConnection, IsReadAsSshdWritesIt) {
  EXPECT_EQ(connection_of_environment("198.51.100.7 50022 192.0.2.1 22"), "198.51.100.7:50022-192.0.2.1:22");
  EXPECT_EQ(connection_of_environment("fe80::1%eth0 50022 fe80::2%eth0 22"), "fe80::1:50022-fe80::2:22");
  EXPECT_EQ(connection_of_environment("::ffff:198.51.100.7 1 ::ffff:192.0.2.1 22"), "198.51.100.7:1-192.0.2.1:22");
}

TEST(SshConnection, IsNoneWhereTheTextIsAnother) {
  for (const char* text : {"", " ", "198.51.100.7", "198.51.100.7 50022 192.0.2.1", "198.51.100.7 50022 192.0.2.1 22 x",
                           "198.51.100.7 70000 192.0.2.1 22", "x 1 y 2", "198.51.100.7 50022 192.0.2.1 "})
    EXPECT_EQ(connection_of_environment(text), "") << text;
}

TEST(SshConnection, IsTheSameAsThatOfItsSocket) {
  Socket socket;
  socket.remote = *Address::parse("198.51.100.7");
  socket.local = *Address::parse("192.0.2.1");
  socket.remote_port = 50022;
  socket.local_port = 22;
  EXPECT_EQ(connection_text(socket), connection_of_environment("198.51.100.7 50022 192.0.2.1 22"));
}

}  // namespace
}  // namespace palang
