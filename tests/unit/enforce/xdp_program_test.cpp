#include "enforce/xdp_program.hpp"

#include <gtest/gtest.h>

#include "xdp_packets.hpp"

namespace palang {
namespace {

using testing::Gatekeeper;

class XdpProgramTest : public Gatekeeper {};

TEST_F(XdpProgramTest, LoadsAndLetsEverybodyPassWhileNothingIsSet) {
  EXPECT_EQ(pass(std::string(64, '\0')), XDP_PASS);
}

}  // namespace
}  // namespace palang
