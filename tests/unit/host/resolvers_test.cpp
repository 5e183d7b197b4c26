#include "host/resolvers.hpp"

#include <gtest/gtest.h>

#include "temp_root.hpp"

namespace palang {
namespace {

std::vector<std::string> texts(const std::vector<Address>& addresses) {
  std::vector<std::string> out;
  for (const Address& address : addresses) out.push_back(address.text());
  return out;
}
using Texts = std::vector<std::string>;

TEST(Resolvers, AreTheNameserverLines) {
  EXPECT_EQ(texts(parse_resolv_conf("# nameserver 192.0.2.1\n"
                                    "search example.org\n"
                                    "nameserver 192.0.2.53\n"
                                    "nameserver\tfe80::1%eth0\n"
                                    "nameserver 2001:db8::53 # note\r\n"
                                    "nameservers 192.0.2.2\n"
                                    "nameserver example.org\n"
                                    "nameserver")),
            (Texts{"192.0.2.53", "fe80::1", "2001:db8::53"}));
}

TEST(Resolvers, BehindTheStubAreThoseOfResolved) {
  const TempRoot host;
  host.write("/etc/resolv.conf", "nameserver 127.0.0.53\n");
  host.write("/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.54\nnameserver 192.0.2.53\n");
  EXPECT_EQ(texts(resolvers(host.root())), (Texts{"192.0.2.53", "192.0.2.54"}));
  host.write("/etc/resolv.conf", "nameserver 198.51.100.1\nnameserver 198.51.100.1\n");
  EXPECT_EQ(texts(resolvers(host.root())), (Texts{"198.51.100.1"}));
}

TEST(Resolvers, AHostWithoutTheFilesHasNone) {
  const TempRoot host;
  EXPECT_TRUE(resolvers(host.root()).empty());
}

}  // namespace
}  // namespace palang
