#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>

#include "api/json.hpp"
#include "api/request.hpp"
#include "api/socket.hpp"
#include "base/error.hpp"
#include "model/command.hpp"

struct event;
struct event_base;
struct evhttp;
struct evhttp_connection;
struct evhttp_request;

namespace palang {

// HTTP and JSON over a unix socket (docs/api.md), on the caller's event loop and in its thread.
//
// A client can cost us only so much: bodies and headers are capped, long lists are sent piece by piece as the client
// reads, a watcher that doesn't read loses changes (and is told how many), lists and watchers are capped in number.
class ApiServer {
 public:
  static constexpr size_t most_watchers = 32;
  static constexpr size_t most_lists = 4;                 // long lists under way at a time
  static constexpr size_t most_body_bytes = 65'536;       // of a request
  static constexpr size_t most_header_bytes = 16'384;     // of a request
  static constexpr size_t most_unread_bytes = 1'048'576;  // by one watcher

  // `base` and `handler` must outlive the server. Ignores SIGPIPE for the whole process: libevent writes to sockets
  // whose other end may be gone.
  [[nodiscard]] static Result<std::unique_ptr<ApiServer>> listen(event_base* base, const ApiEndpoint& endpoint,
                                                                 CommandHandler& handler);

  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;
  // Sends without waiting what is still to be sent (the reply to `stop` among it), hangs up and removes the socket.
  // Not to be called from within CommandHandler::handle.
  ~ApiServer();

  // Tells the watchers; may be called from within CommandHandler::handle.
  void publish(std::span<const Change> changes);

  [[nodiscard]] size_t watchers() const { return watchers_; }

 private:
  // What a connection is being sent beyond a single reply. The request belongs to libevent until the reply has ended.
  struct Listing {
    evhttp_request* request;
    BansPages pages;
  };
  struct Watching {
    evhttp_request* request;
    uint64_t dropped = 0;  // changes it was not told of
  };
  using Sending = std::variant<std::monostate, Listing, Watching>;

  struct FreeHttp {
    void operator()(evhttp* http) const;
  };
  struct FreeEvent {
    void operator()(event* timer) const;
  };

  ApiServer(ListeningSocket socket, CommandHandler& handler) : socket_(std::move(socket)), handler_(handler) {}
  [[nodiscard]] Result<void> start(event_base* base);

  static void on_request(evhttp_request* request, void* self) noexcept;
  static void on_drained(evhttp_connection* connection, void* self) noexcept;
  static void on_closed(evhttp_connection* connection, void* self) noexcept;

  void answer(evhttp_request* request, evhttp_connection* connection);
  void answer_command(evhttp_request* request, evhttp_connection* connection, const HttpRequest& parsed);
  void start_list(evhttp_request* request, evhttp_connection* connection, BansReply bans);
  void start_watch(evhttp_request* request, evhttp_connection* connection);
  void send_metrics(evhttp_request* request);
  void send_next(evhttp_connection* connection);
  void send_chunk(evhttp_request* request, const std::string& text);
  void tell(Watching& watcher, const std::string& lines, uint64_t changes);

  ListeningSocket socket_;
  CommandHandler& handler_;
  std::unique_ptr<evhttp, FreeHttp> http_;
  std::unique_ptr<event, FreeEvent> accept_again_;               // goes before the listener that http_ owns
  std::unordered_map<evhttp_connection*, Sending> connections_;  // those that have asked for something
  size_t watchers_ = 0;
  size_t lists_ = 0;
};

}  // namespace palang
