#include "host/live_admins.hpp"

#include <gtest/gtest.h>
#include <utmp.h>

#include <cstring>

#include "host/processes.hpp"
#include "temp_root.hpp"

namespace palang {
namespace {

using Texts = std::vector<std::string>;

Texts texts(const std::vector<Address>& addresses) {
  Texts out;
  for (const Address& address : addresses) out.push_back(address.text());
  return out;
}

TEST(SessionTitle, IsThatOfAUserWhoHasBeenLetIn) {
  for (const char* const title : {"sshd: root@pts/0", "sshd: deploy@notty", "sshd-session: root@pts/1,pts/2",
                                  "sshd: anna@example.org@pts/0", "sshd: root@tty1"})
    EXPECT_TRUE(is_session_title(title)) << title;
}

TEST(SessionTitle, IsNotThatOfAnyEarlierStage) {
  for (const char* const title :
       {"sshd: [accepted]", "sshd: root [net]", "sshd: root [priv]", "sshd: root [pam]", "sshd: unknown [net]",
        "sshd-session: root@pts/0 [preauth]", "sshd-auth: root@pts/0", "sshd: a@notty [net]",
        "sshd: /usr/sbin/sshd -D -o X=a@pts/0 [listener] 0 of 10-100 startups", "sshd: a@exam", "sshd: root",
        "sshd: ", "sshd: @pts/0", "", "/usr/sbin/sshd -D -R", "bash sshd: root@pts/0"})
    EXPECT_FALSE(is_session_title(title)) << title;
}

TEST(LoginSessions, CountWhileTheyLast) {
  const std::vector<LoginSession> sessions{{"active", "sshd", "198.51.100.7"},
                                           {"online", "sshd", "fe80::2%eth0"},
                                           {"closing", "sshd", "198.51.100.8"},
                                           {"active", "sshd", "client.example.org"},
                                           {"active", "sshd", ""},
                                           {"active", "cron", "198.51.100.9"},
                                           {"active", "sshd", "127.0.0.1"}};
  EXPECT_EQ(texts(addresses_of_sessions(sessions)), (Texts{"198.51.100.7", "fe80::2"}));
}

std::string utmp_record(short type, pid_t pid, const char* address, const char* host) {
  utmp record{};
  record.ut_type = type;
  record.ut_pid = pid;
  std::strncpy(record.ut_host, host, sizeof record.ut_host - 1);
  if (const auto parsed = Address::parse(address)) {
    const auto bytes = parsed->bytes();
    if (parsed->is_v4())
      std::memcpy(record.ut_addr_v6, bytes.data() + 12, 4);
    else
      std::memcpy(record.ut_addr_v6, bytes.data(), bytes.size());
  }
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

TEST(Utmp, HoldsUsersWithTheirAddresses) {
  const auto entries = parse_utmp(
      utmp_record(BOOT_TIME, 0, "", "6.1.0") + utmp_record(USER_PROCESS, 100, "198.51.100.7", "client") +
      utmp_record(DEAD_PROCESS, 101, "198.51.100.8", "") + utmp_record(USER_PROCESS, 102, "2001:db8::7", "") +
      utmp_record(USER_PROCESS, 103, "", "198.51.100.9") + utmp_record(USER_PROCESS, 104, "127.0.0.1", "") + "cut");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].pid, 100);
  EXPECT_EQ(entries[0].from.text(), "198.51.100.7");
  EXPECT_EQ(entries[1].from.text(), "2001:db8::7");
  EXPECT_EQ(entries[2].from, Address{});
  EXPECT_EQ(entries[2].host, "198.51.100.9");
  EXPECT_EQ(entries[3].from, Address{}) << "loopback is nobody's address";
}

TEST(ProcessStatus, GivesNameParentAndEffectiveUser) {
  const auto process = parse_status("Name:\tsshd\nState:\tS\nPPid:\t6949\nUid:\t1000\t1001\t1000\t1000\nGid:\t1\n");
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(process->name, "sshd");
  EXPECT_EQ(process->parent, 6949);
  EXPECT_EQ(process->user, 1001U);
  EXPECT_FALSE(parse_status("Name:\tsshd\nPPid:\t1\n").has_value());
  EXPECT_FALSE(parse_status("Name:\tsshd\nPPid:\tx\nUid:\t0\t0\t0\t0\n").has_value());
  EXPECT_FALSE(parse_status("Name:\tsshd\nPPid:\t1\nUid:\t0\n").has_value());
}

TEST(ProcessSockets, AreNamedByTheirLinks) {
  EXPECT_EQ(socket_inode("socket:[4711]"), 4711U);
  EXPECT_EQ(socket_inode("pipe:[4711]"), std::nullopt);
  EXPECT_EQ(socket_inode("socket:[]"), std::nullopt);
  EXPECT_EQ(socket_inode("socket:[1"), std::nullopt);
}

Socket connection(uint16_t local_port, const char* remote, uint64_t inode) {
  return {Address::v4(0xc6336401), *Address::parse(remote), local_port, 50000, SocketState::established, inode};
}
Socket listener(uint16_t port, uint64_t inode) {
  return {Address{}, Address{}, port, 0, SocketState::listening, inode};
}

TEST(SessionPeers, AreTheOtherEndsOfTheSessionsOwnConnections) {
  const std::vector<SessionProcess> sessions{{{10, 99}}, {{11}}};
  const std::vector<Socket> sockets{listener(22, 1), connection(22, "198.51.100.7", 10),
                                    connection(22, "198.51.100.8", 11), connection(22, "198.51.100.66", 12)};
  EXPECT_EQ(texts(peers_of_sessions(sessions, sockets)), (Texts{"198.51.100.7", "198.51.100.8"}));
}

TEST(SessionPeers, AreNotThoseWhoseConnectionsAreForwarded) {
  const std::vector<SessionProcess> sessions{{{10, 20, 21, 30}}};
  const std::vector<Socket> sockets{listener(22, 1), connection(22, "198.51.100.7", 10), listener(8080, 20),
                                    connection(8080, "198.51.100.66", 21), connection(41234, "198.51.100.67", 30)};
  EXPECT_EQ(texts(peers_of_sessions(sessions, sockets)), (Texts{"198.51.100.7"}));
}

TEST(SessionPeers, OutliveTheSshdThatLetThemIn) {
  const std::vector<SessionProcess> sessions{{{10}}};
  EXPECT_EQ(texts(peers_of_sessions(sessions, std::vector{connection(22, "198.51.100.7", 10)})),
            (Texts{"198.51.100.7"}));
}

// A host's /proc with sshd and some sessions.
class AdminsOfAHost : public testing::Test {
 protected:
  TempRoot host_;
  std::string tcp_ = "  sl  local_address rem_address   st\n" + tcp_line("00000000:0016", "00000000:0000", "0A", 1);

  static std::string tcp_line(const std::string& local, const std::string& remote, const std::string& state,
                              int inode) {
    return "   0: " + local + " " + remote + " " + state + " 00000000:00000000 00:00000000 00000000 0 0 " +
           std::to_string(inode) + "\n";
  }

  void process(int pid, int parent, int user, const std::string& name, const std::string& title) {
    const std::string directory = "/proc/" + std::to_string(pid);
    const std::string u = std::to_string(user);
    host_.write(directory + "/status", "Name:\t" + name + "\nPPid:\t" + std::to_string(parent) + "\nUid:\t" + u + "\t" +
                                           u + "\t" + u + "\t" + u + "\n");
    host_.write(directory + "/cmdline", title + std::string(8, '\0'));
  }
  // `last` is the last byte of the peer's address, 198.51.100.x, in hex.
  void connected(int pid, int inode, const std::string& last) {
    host_.link("/proc/" + std::to_string(pid) + "/fd/4", "socket:[" + std::to_string(inode) + "]");
    tcp_ += tcp_line("016433C6:0016", last + "6433C6:C000", "01", inode);
    host_.write("/proc/net/tcp", tcp_);
  }
  [[nodiscard]] Texts admins() const { return texts(live_admins(host_.root())); }
};

TEST_F(AdminsOfAHost, AreTheirSessionsPeers) {
  process(1, 0, 0, "systemd", "/sbin/init");
  process(50, 1, 0, "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups");
  process(60, 50, 0, "sshd", "sshd: root@pts/0");
  connected(60, 1060, "07");
  process(70, 50, 0, "sshd", "sshd: anna [priv]");
  process(71, 70, 1000, "sshd", "sshd: anna@notty");
  connected(71, 1071, "08");
  process(80, 50, 0, "sshd-session", "sshd-session: root@pts/3");
  connected(80, 1080, "09");
  EXPECT_EQ(admins(), (Texts{"198.51.100.7", "198.51.100.8", "198.51.100.9"}));
}

TEST_F(AdminsOfAHost, AreNotThoseWhoOnlyHoldAConnectionOpen) {
  process(50, 1, 0, "sshd", "sshd: /usr/sbin/sshd -D [listener] 2 of 10-100 startups");
  process(60, 50, 0, "sshd", "sshd: [accepted]");
  connected(60, 1060, "07");
  process(70, 50, 0, "sshd", "sshd: root [priv]");
  connected(70, 1070, "08");
  EXPECT_TRUE(admins().empty());
}

TEST_F(AdminsOfAHost, AreNotWhoeverCallsHisProcessSshd) {
  process(1, 0, 0, "systemd", "/sbin/init");
  process(60, 1, 33, "sshd", "sshd: root@pts/0");
  connected(60, 1060, "07");
  process(61, 60, 33, "sshd", "sshd: root@pts/0");
  connected(61, 1061, "08");
  EXPECT_TRUE(admins().empty());
}

TEST_F(AdminsOfAHost, StandInUtmpWhileTheirProcessLives) {
  process(200, 1, 1000, "bash", "-bash");
  process(210, 1, 0, "dropbear", "dropbear");
  process(211, 210, 1000, "bash", "-bash");
  process(220, 1, 1000, "xterm", "xterm");
  host_.write("/run/utmp", utmp_record(USER_PROCESS, 200, "198.51.100.7", "") +
                               utmp_record(USER_PROCESS, 999, "198.51.100.8", "") +
                               utmp_record(USER_PROCESS, 211, "", "198.51.100.9") +
                               utmp_record(USER_PROCESS, 220, "", "198.51.100.66"));
  EXPECT_EQ(admins(), (Texts{"198.51.100.7", "198.51.100.9"})) << "no stale entry, no text a user chose";
}

TEST_F(AdminsOfAHost, AHostWithoutAnyWitnessHasNone) {
  EXPECT_TRUE(admins().empty());
}

}  // namespace
}  // namespace palang
