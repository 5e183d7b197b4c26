#include "api/server.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "running_server.hpp"

namespace palang {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string body_of(const std::string& reply) {
  return reply.substr(std::min(reply.find("\r\n\r\n"), reply.size() - 4) + 4);
}

// The body of a chunked reply (RFC 9112 §7.1).
std::string unchunked(const std::string& reply) {
  std::string rest = body_of(reply);
  std::string body;
  while (!rest.empty()) {
    const size_t size = std::stoul(rest, nullptr, 16);
    const size_t start = rest.find("\r\n") + 2;
    if (size == 0) break;
    body.append(rest, start, size);
    rest.erase(0, start + size + 2);
  }
  return body;
}

TEST_F(ApiServerTest, AnswersOverTheSocket) {
  Server server(path_);
  const std::string reply = ask("GET", "/v1/status");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_EQ(body_of(reply), std::string(golden::status) + "\n");
}

TEST_F(ApiServerTest, KindsOfErrorsHaveTheirStatus) {
  Server server(path_);
  EXPECT_THAT(ask("GET", "/v1/bans?limt=1"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("DELETE", "/v1/bans?prefix=198.51.100.9"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("GET", "/v1/elsewhere"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST", "/v1/reload"), StartsWith("HTTP/1.1 422 "));
  const std::string broken = ask("POST", "/v1/allow", R"({"prefix":"192.0.2.1"})");
  EXPECT_THAT(broken, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(broken, EndsWith(R"({"error":"write to the ledger: no space left on device","kind":"fault"})"
                               "\n"));
}

TEST_F(ApiServerTest, WrongMethodNamesTheRightOnes) {
  Server server(path_);
  for (const std::string_view method : {"PUT", "PATCH", "OPTIONS"}) {
    const std::string reply = ask(method, "/v1/bans");
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(reply, HasSubstr("Allow: GET, POST, DELETE\r\n"));
  }
  EXPECT_THAT(ask("DELETE", "/metrics"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(ApiServerTest, SeveralRequestsOnOneConnection) {
  Server server(path_);
  Client client(path_);
  client.send("GET /v1/bans HTTP/1.1\r\nHost: p\r\n\r\n");
  EXPECT_THAT(client.read_to("]}\n"), HasSubstr("\"total\":1"));
  client.send("POST /v1/stop HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(client.read_to("\"notes\""), HasSubstr(R"({"notes":["done"]})"));
}

TEST_F(ApiServerTest, OversizedRequestsAreRefused) {
  Server server(path_);
  const std::string large = R"({"prefix":"192.0.2.1","reason":")" + std::string(100'000, 'x') + "\"}";
  EXPECT_THAT(ask("POST", "/v1/bans", large), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("GET", "/v1/" + std::string(40'000, 'x')), testing::Not(HasSubstr(" 200 ")));
  EXPECT_THAT(ask("GET", "/v1/status"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ApiServerTest, GarbageHurtsNobody) {
  Server server(path_);
  for (const std::string_view bytes :
       {"\r\n\r\n", "GET\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "GET :%%%?%% HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02",
        "GET http://[::1/v1/status HTTP/1.1\r\n\r\n", "POST /v1/bans HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "CONNECT x:80 HTTP/1.1\r\n\r\n", "BREW /pot HTCPCP/1.0\r\n\r\n"}) {
    Client client(path_);
    client.send(bytes);
  }
  EXPECT_THAT(ask("GET", "/v1/status"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ApiServerTest, LongListsComeInPieces) {
  Server server(path_, 5000);
  const std::string reply = ask("GET", "/v1/bans");
  EXPECT_THAT(reply, HasSubstr("Transfer-Encoding: chunked\r\n"));
  const std::string body = unchunked(reply);
  EXPECT_THAT(body, EndsWith("]}\n"));
  EXPECT_EQ(nlohmann::json::parse(body)["bans"].size(), 5000U);
}

TEST_F(ApiServerTest, ClientsThatLeaveInTheMiddleOfAListCostNothing) {
  Server server(path_, 20'000);
  for (size_t round = 0; round < ApiServer::most_lists * 3; ++round) {
    Client client(path_);
    client.send("GET /v1/bans HTTP/1.1\r\nHost: p\r\n\r\n");
    EXPECT_THAT(client.read_to("\"total\":20000"), HasSubstr(" 200 "));
  }
  // Were their places not given back, this would be refused.
  std::string reply;
  for (int attempt = 0; attempt < 100 && reply.find(" 200 ") == std::string::npos; ++attempt)
    reply = ask("GET", "/v1/bans");
  EXPECT_THAT(reply, EndsWith("0\r\n\r\n"));
}

TEST_F(ApiServerTest, MetricsForPrometheus) {
  Server server(path_);
  const std::string reply = ask("GET", "/metrics");
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; version=0.0.4\r\n"));
  EXPECT_THAT(reply, HasSubstr("\npalang_bans_intended 1234\n"));
}

TEST_F(ApiServerTest, WatchersHearOfChanges) {
  Server server(path_);
  Client one(path_);
  Client two(path_);
  for (Client* client : {&one, &two}) {
    client->send("GET /v1/watch HTTP/1.1\r\nHost: p\r\n\r\n");
    EXPECT_THAT(client->read_to("\r\n\r\n"), HasSubstr("Content-Type: application/x-ndjson\r\n"));
  }
  EXPECT_TRUE(server.eventually([](ApiServer& api) { return api.watchers() == 2; }));
  const Change change{ChangeKind::lifted, sample_decision(), sample_decision().from, ""};
  server.in_loop([&](ApiServer& api) { api.publish({&change, 1}); });
  EXPECT_THAT(one.read_to("}\n"), HasSubstr(R"({"change":"lifted","at":"2025-01-11T17:30:41Z","id":7)"));
  EXPECT_THAT(two.read_to("}\n"), HasSubstr(R"("prefix":"198.51.100.0/24")"));
}

TEST_F(ApiServerTest, WatchersThatLeaveAreForgotten) {
  Server server(path_);
  {
    Client client(path_);
    client.send("GET /v1/watch HTTP/1.1\r\nHost: p\r\n\r\n");
    EXPECT_TRUE(server.eventually([](ApiServer& api) { return api.watchers() == 1; }));
  }
  EXPECT_TRUE(server.eventually([](ApiServer& api) { return api.watchers() == 0; }));
  const Change change{ChangeKind::added, sample_decision(), sample_decision().from, ""};
  server.in_loop([&](ApiServer& api) { api.publish({&change, 1}); });
  EXPECT_THAT(ask("GET", "/v1/status"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ApiServerTest, AWatcherThatDoesNotReadLosesChangesAndIsTold) {
  Server server(path_);
  Client client(path_);
  client.send("GET /v1/watch HTTP/1.1\r\nHost: p\r\n\r\n");
  EXPECT_TRUE(server.eventually([](ApiServer& api) { return api.watchers() == 1; }));
  constexpr size_t portion = 1000;
  constexpr size_t portions = 20;
  const std::vector<Change> changes(portion, {ChangeKind::added, sample_decision(), sample_decision().from, ""});
  for (size_t round = 0; round < portions; ++round) server.in_loop([&](ApiServer& api) { api.publish(changes); });

  const std::string all = client.read_to("{\"dropped\":");
  const size_t at = all.find("{\"dropped\":");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(all.size(), 3 * ApiServer::most_unread_bytes);
  size_t delivered = 0;
  for (size_t found = all.find("\"change\""); found < at; found = all.find("\"change\"", found + 1)) ++delivered;
  const std::string record = client.read_to("}\n\r\n").substr(at);
  EXPECT_EQ(std::stoul(record.substr(11)) + delivered, portion * portions);

  // And from then on it hears of changes again.
  server.in_loop([&](ApiServer& api) { api.publish({changes.data(), 1}); });
  const auto seen_again = [at](const std::string& seen) { return seen.find("\"change\"", at) != std::string::npos; };
  EXPECT_TRUE(seen_again(client.read_until(seen_again)));
}

TEST_F(ApiServerTest, WatchersAreCappedInNumber) {
  Server server(path_);
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < ApiServer::most_watchers; ++i) {
    clients.push_back(std::make_unique<Client>(path_));
    clients.back()->send("GET /v1/watch HTTP/1.1\r\nHost: p\r\n\r\n");
  }
  EXPECT_TRUE(server.eventually([](ApiServer& api) { return api.watchers() == ApiServer::most_watchers; }));
  EXPECT_THAT(ask("GET", "/v1/watch"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ApiServerTest, StoppingWithClientsConnectedIsClean) {
  Server server(path_, 50'000);
  Client watcher(path_);
  watcher.send("GET /v1/watch HTTP/1.1\r\nHost: p\r\n\r\n");
  Client reader(path_);
  reader.send("GET /v1/bans HTTP/1.1\r\nHost: p\r\n\r\n");
  EXPECT_TRUE(server.eventually([](ApiServer& api) { return api.watchers() == 1; }));
  server.stop();
  EXPECT_THAT(watcher.read_all(), HasSubstr(" 200 OK"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// The handler of `stop` ends the loop, so nothing but the server itself can still deliver the reply.
TEST_F(ApiServerTest, TheReplyToStopArrives) {
  class Stopping final : public CommandHandler {
   public:
    explicit Stopping(event_base* base) : base_(base) {}
    Result<Reply> handle(const Command&) override {
      event_base_loopbreak(base_);
      return DoneReply{{"bye"}};
    }

   private:
    event_base* base_;
  };
  const std::unique_ptr<event_base, FreeBase> base(event_base_new());
  Stopping daemon(base.get());
  auto server = ApiServer::listen(base.get(), {path_, ""}, daemon);
  ASSERT_TRUE(server.has_value());
  Client client(path_);
  client.send("POST /v1/stop HTTP/1.1\r\nHost: p\r\nContent-Length: 0\r\n\r\n");
  event_base_dispatch(base.get());
  server->reset();
  EXPECT_THAT(client.read_all(), EndsWith("{\"notes\":[\"bye\"]}\n"));
}

}  // namespace
}  // namespace palang
