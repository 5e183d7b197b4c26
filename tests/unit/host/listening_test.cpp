#include "host/listening.hpp"

#include <gtest/gtest.h>

#include "host/established.hpp"
#include "temp_root.hpp"

namespace palang {
namespace {

Socket bound(const char* address, uint16_t port, uint64_t inode = 7) {
  Socket socket;
  socket.local = Address::parse(address).value();
  socket.local_port = port;
  socket.inode = inode;
  return socket;
}

using Ports = std::vector<uint16_t>;

TEST(Listening, TcpBeyondLoopbackIsAService) {
  ListeningCollector collector({});
  collector.add_tcp(bound("0.0.0.0", 80));
  collector.add_tcp(bound("::", 443));
  collector.add_tcp(bound("203.0.113.5", 40000));
  collector.add_tcp(bound("127.0.0.1", 3306));
  collector.add_tcp(bound("::1", 631));
  EXPECT_EQ(collector.listening().services.tcp.list(), (Ports{80, 443, 40000}));
}

TEST(Listening, UdpKnowsServicesFromClients) {
  ListeningCollector collector({32768, 60999});
  collector.add_udp(bound("0.0.0.0", 53));
  collector.add_udp(bound("127.0.0.53", 5353));
  collector.add_udp(bound("0.0.0.0", 68));
  collector.add_udp(bound("fe80::1", 546));
  collector.add_udp(bound("0.0.0.0", 51820, 0));
  collector.add_udp(bound("0.0.0.0", 40001, 99));
  Socket connected = bound("192.0.2.1", 123);
  connected.remote_port = 123;
  collector.add_udp(connected);
  EXPECT_EQ(collector.listening().services.udp.list(), (Ports{53, 51820})) << "the kernel's own socket is a service";
  EXPECT_EQ(collector.listening().ephemeral_udp, (std::vector<EphemeralSocket>{{40001, 99}}));
}

TEST(Listening, TheEphemeralRangeIsReadFromTheKernel) {
  EXPECT_EQ(parse_port_range("1024\t65535\n"), (PortRange{1024, 65535}));
  EXPECT_EQ(parse_port_range(""), PortRange{});
  EXPECT_EQ(parse_port_range("70000 80000"), PortRange{});
  EXPECT_EQ(parse_port_range("50000 40000"), PortRange{});
}

constexpr std::string_view heading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
constexpr std::string_view rest = " 00000000:00000000 00:00000000 00000000     0        0 ";

std::string line(std::string_view local, std::string_view remote, std::string_view state, std::string_view inode) {
  return "   0: " + std::string(local) + " " + std::string(remote) + " " + std::string(state) + std::string(rest) +
         std::string(inode) + "\n";
}

TEST(Listening, IsFoundInTheTablesOfAHost) {
  const TempRoot host;
  host.write("/proc/sys/net/ipv4/ip_local_port_range", "40000\t50000\n");
  host.write("/proc/net/tcp", std::string(heading) + line("00000000:0016", "00000000:0000", "0A", "1") +
                                  line("0100007F:0019", "00000000:0000", "0A", "2") +
                                  line("010033C6:0050", "076433C6:C8D2", "01", "3"));
  host.write("/proc/net/tcp6", std::string(heading) + line("00000000000000000000000000000000:01BB",
                                                           "00000000000000000000000000000000:0000", "0A", "4"));
  host.write("/proc/net/udp", std::string(heading) + line("00000000:0035", "00000000:0000", "07", "5") +
                                  line("00000000:AFC8", "00000000:0000", "07", "6"));
  const auto listening = find_listening(host.root());
  ASSERT_TRUE(listening.has_value()) << listening.error().text;
  EXPECT_EQ(listening->services.tcp.list(), (Ports{22, 443}));
  EXPECT_EQ(listening->services.udp.list(), (Ports{53}));
  EXPECT_EQ(listening->ephemeral_udp, (std::vector<EphemeralSocket>{{45000, 6}}));
}

TEST(Listening, OfThisHostCanBeRead) {
  const auto listening = find_listening(HostRoot());
  ASSERT_TRUE(listening.has_value()) << listening.error().text;
  EXPECT_FALSE(listening->services.udp.contains(68));
}

TEST(Established, NamesThePortsThatStrangersUse) {
  const TempRoot host;
  host.write("/proc/net/tcp", std::string(heading) + line("010033C6:0050", "076433C6:C8D2", "01", "3") +
                                  line("010033C6:0016", "086433C6:C8D2", "01", "4") +
                                  line("010033C6:01BB", "0100007F:C8D2", "01", "5") +
                                  line("010033C6:0CEA", "076433C6:C8D2", "06", "6"));
  PortSet asked;
  for (const uint16_t port : {uint16_t{22}, uint16_t{80}, uint16_t{443}, uint16_t{3306}}) asked.add(port);
  const auto is_admin = [](const Address& address) { return address.text() == "198.51.100.8"; };
  const auto used = ports_in_use_by_strangers(host.root(), asked, is_admin);
  ASSERT_TRUE(used.has_value()) << used.error().text;
  EXPECT_EQ(used->list(), (Ports{80})) << "neither the admin, nor loopback, nor a closing connection";
  EXPECT_TRUE(ports_in_use_by_strangers(host.root(), PortSet{}, is_admin)->list().empty());
}

}  // namespace
}  // namespace palang
