#include "api/server.hpp"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "api/metrics.hpp"

namespace palang {
namespace {

constexpr int idle_seconds = 60;        // a client that neither asks nor reads for so long is hung up on
constexpr timeval accept_pause{2, 0};   // at most, after running out of file descriptors
constexpr size_t publish_changes = 64;  // watchers are told of so many at a time
constexpr ev_uint16_t all_methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                    EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT |
                                    EVHTTP_REQ_PATCH;  // 405 for most, but said by us

struct FreeBuffer {
  void operator()(evbuffer* buffer) const { evbuffer_free(buffer); }
};
using Buffer = std::unique_ptr<evbuffer, FreeBuffer>;

Buffer buffer_of(std::string_view text) {
  Buffer buffer(evbuffer_new());
  evbuffer_add(buffer.get(), text.data(), text.size());
  return buffer;
}

std::string_view method_name(evhttp_cmd_type method) {
  switch (method) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_DELETE: return "DELETE";
    default: return "other";
  }
}

struct Status {
  int code;
  const char* words;
};

constexpr Status ok{200, "OK"};
constexpr Status bad_request{400, "Bad Request"};
constexpr Status forbidden{403, "Forbidden"};
constexpr Status not_found{404, "Not Found"};
constexpr Status wrong_method{405, "Method Not Allowed"};
constexpr Status bad_configuration{422, "Unprocessable Entity"};
constexpr Status broken{500, "Internal Server Error"};
constexpr Status busy{503, "Service Unavailable"};

Status status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return bad_request;
    case ErrorKind::not_found: return not_found;
    case ErrorKind::bad_config: return bad_configuration;
    case ErrorKind::fault: return broken;
  }
  return broken;
}

void add_header(evhttp_request* request, const char* name, const char* value) {
  evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

void send(evhttp_request* request, Status status, const std::string& body, const char* type = "application/json") {
  add_header(request, "Content-Type", type);
  evhttp_send_reply(request, status.code, status.words, buffer_of(body).get());
}

void send_error(evhttp_request* request, Status status, const Error& error) {
  send(request, status, error_json(error) + "\n");
}

// A reply of many pieces: the connection ends with it, and its pace is the reader's.
void begin_stream(evhttp_request* request, evhttp_connection* connection, const char* type, bool may_stall) {
  add_header(request, "Content-Type", type);
  add_header(request, "Connection", "close");
  evhttp_send_reply_start(request, ok.code, ok.words);
  const timeval patience{idle_seconds, 0};
  bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), nullptr, may_stall ? nullptr : &patience);
}

std::string records(std::span<const Change> changes) {
  std::string lines;
  for (const Change& change : changes) lines.append(change_json(change)).push_back('\n');
  return lines;
}

// Most likely there are no file descriptors left. The connection stays in the queue: without a pause this would spin.
void pause_accepting(evconnlistener* listener, void*) noexcept {
  evconnlistener_disable(listener);
}

void resume_accepting(evutil_socket_t, short, void* listener) noexcept {
  evconnlistener_enable(static_cast<evconnlistener*>(listener));
}

}  // namespace

void ApiServer::FreeHttp::operator()(evhttp* http) const {
  evhttp_free(http);
}

void ApiServer::FreeEvent::operator()(event* timer) const {
  event_free(timer);
}

Result<std::unique_ptr<ApiServer>> ApiServer::listen(event_base* base, const ApiEndpoint& endpoint,
                                                     CommandHandler& handler) {
  Result<ListeningSocket> socket = ListeningSocket::bind(endpoint);
  if (!socket) return Failure(socket.error());
  std::unique_ptr<ApiServer> server(new ApiServer(std::move(*socket), handler));
  if (auto started = server->start(base); !started) return Failure(started.error());
  return server;
}

Result<void> ApiServer::start(event_base* base) {
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return fail_os("ignore", "SIGPIPE", errno);
  http_.reset(evhttp_new(base));
  if (!http_) return fail("start the API server: out of memory");
  evhttp_set_max_headers_size(http_.get(), most_header_bytes);
  evhttp_set_max_body_size(http_.get(), most_body_bytes);
  evhttp_set_timeout(http_.get(), idle_seconds);
  evhttp_set_allowed_methods(http_.get(), all_methods);
  evhttp_set_gencb(http_.get(), &ApiServer::on_request, this);

  // Its backlog of 0 says that the socket listens already.
  evconnlistener* listener =
      evconnlistener_new(base, nullptr, nullptr, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, socket_.fd());
  if (listener == nullptr) return fail("start the API server: out of memory");
  [[maybe_unused]] const int owned_by_listener = socket_.release();
  if (evhttp_bind_listener(http_.get(), listener) == nullptr) {
    evconnlistener_free(listener);
    return fail("start the API server: out of memory");
  }
  evconnlistener_set_error_cb(listener, &pause_accepting);
  accept_again_.reset(event_new(base, -1, EV_PERSIST, &resume_accepting, listener));
  if (!accept_again_ || event_add(accept_again_.get(), &accept_pause) != 0)
    return fail("start the API server: out of memory");
  return {};
}

ApiServer::~ApiServer() {
  for (const auto& [connection, sending] : connections_) {
    evhttp_connection_set_closecb(connection, nullptr, nullptr);
    bufferevent* const stream = evhttp_connection_get_bufferevent(connection);
    std::string rest(evbuffer_get_length(bufferevent_get_output(stream)), '\0');
    evbuffer_copyout(bufferevent_get_output(stream), rest.data(), rest.size());
    // What the socket doesn't take now is lost; nobody is left to wait for it.
    [[maybe_unused]] const ssize_t sent =
        ::send(bufferevent_getfd(stream), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

void ApiServer::on_request(evhttp_request* request, void* self) noexcept {
  auto* const server = static_cast<ApiServer*>(self);
  evhttp_connection* const connection = evhttp_request_get_connection(request);
  if (server->connections_.try_emplace(connection).second)
    evhttp_connection_set_closecb(connection, &ApiServer::on_closed, server);
  server->answer(request, connection);
}

void ApiServer::answer(evhttp_request* request, evhttp_connection* connection) {
  if (!socket_.may_speak(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)))) {
    add_header(request, "Connection", "close");
    return send_error(request, forbidden, Error{"only root and members of the group may speak to palang"});
  }
  const evhttp_uri* const uri = evhttp_request_get_evhttp_uri(request);
  const char* const path = evhttp_uri_get_path(uri);
  const char* const query = evhttp_uri_get_query(uri);
  evbuffer* const input = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(input), '\0');
  evbuffer_remove(input, body.data(), body.size());
  const HttpRequest parsed{method_name(evhttp_request_get_command(request)), path == nullptr ? "" : path,
                           query == nullptr ? "" : query, body};

  const std::string methods = allowed_methods(parsed.path);
  if (!methods.empty() && methods.find(parsed.method) == std::string::npos) {
    add_header(request, "Allow", methods.c_str());
    return send_error(request, wrong_method, parse_request(parsed).error());
  }
  const bool watch = parsed.path == watch_path;
  if (!watch && parsed.path != metrics_path) return answer_command(request, connection, parsed);
  if (const auto bare = expect_no_query(parsed.query); !bare) return send_error(request, bad_request, bare.error());
  return watch ? start_watch(request, connection) : send_metrics(request);
}

void ApiServer::answer_command(evhttp_request* request, evhttp_connection* connection, const HttpRequest& parsed) {
  const Result<Command> command = parse_request(parsed);
  if (!command) return send_error(request, status_of(command.error().kind), command.error());
  if (std::holds_alternative<ListBans>(*command) && lists_ >= most_lists)
    return send_error(request, busy, Error{"too many lists are being sent already; try again"});
  Result<Reply> reply = handler_.handle(*command);
  if (!reply) return send_error(request, status_of(reply.error().kind), reply.error());
  if (auto* bans = std::get_if<BansReply>(&*reply)) return start_list(request, connection, std::move(*bans));
  send(request, ok, reply_json(*reply) + "\n");
}

void ApiServer::start_list(evhttp_request* request, evhttp_connection* connection, BansReply bans) {
  BansPages pages(std::move(bans));
  const std::string first = pages.next();
  if (pages.done()) return send(request, ok, first + "\n");
  begin_stream(request, connection, "application/json", /*may_stall=*/false);
  ++lists_;
  connections_[connection] = Listing{request, std::move(pages)};
  send_chunk(request, first);
}

void ApiServer::start_watch(evhttp_request* request, evhttp_connection* connection) {
  if (watchers_ >= most_watchers)
    return send_error(request, busy, Error{fmt::format("{} clients are watching already", watchers_)});
  begin_stream(request, connection, "application/x-ndjson", /*may_stall=*/true);
  ++watchers_;
  connections_[connection] = Watching{request};
}

void ApiServer::send_metrics(evhttp_request* request) {
  const Result<Reply> reply = handler_.handle(GetStatus{});
  if (!reply) return send_error(request, status_of(reply.error().kind), reply.error());
  const auto* const status = std::get_if<StatusReply>(&*reply);
  if (status == nullptr) return send_error(request, broken, Error{"the daemon gave no status"});
  send(request, ok, metrics_text(*status), "text/plain; version=0.0.4");
}

void ApiServer::send_chunk(evhttp_request* request, const std::string& text) {
  evhttp_send_reply_chunk_with_cb(request, buffer_of(text).get(), &ApiServer::on_drained, this);
}

void ApiServer::on_drained(evhttp_connection* connection, void* self) noexcept {
  static_cast<ApiServer*>(self)->send_next(connection);
}

void ApiServer::send_next(evhttp_connection* connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  if (auto* const watching = std::get_if<Watching>(&found->second)) {
    if (watching->dropped == 0) return;
    send_chunk(watching->request, dropped_json(std::exchange(watching->dropped, 0)) + "\n");
  } else if (auto* const listing = std::get_if<Listing>(&found->second)) {
    if (!listing->pages.done()) {
      const std::string page = listing->pages.next();
      return send_chunk(listing->request, listing->pages.done() ? page + "\n" : page);
    }
    // The end may close the connection, so the entry is cleared before.
    evhttp_request* const request = listing->request;
    found->second = std::monostate{};
    --lists_;
    evhttp_send_reply_end(request);
  }
}

void ApiServer::on_closed(evhttp_connection* connection, void* self) noexcept {
  auto* const server = static_cast<ApiServer*>(self);
  const auto found = server->connections_.find(connection);
  if (found == server->connections_.end()) return;
  evhttp_request* request = nullptr;
  if (const auto* const watching = std::get_if<Watching>(&found->second)) {
    request = watching->request;
    --server->watchers_;
  } else if (const auto* const listing = std::get_if<Listing>(&found->second)) {
    request = listing->request;
    --server->lists_;
  }
  server->connections_.erase(found);
  // A request whose reply had not ended was cut loose from its connection by libevent: this frees it.
  if (request != nullptr && evhttp_request_get_connection(request) == nullptr) evhttp_send_reply_end(request);
}

void ApiServer::publish(std::span<const Change> changes) {
  while (watchers_ > 0 && !changes.empty()) {
    const std::span<const Change> portion = changes.first(std::min(changes.size(), publish_changes));
    changes = changes.subspan(portion.size());
    std::string lines;  // written once somebody will read them
    for (auto& [connection, sending] : connections_) {
      auto* const watching = std::get_if<Watching>(&sending);
      if (watching == nullptr) continue;
      if (lines.empty() && watching->dropped == 0) lines = records(portion);
      tell(*watching, lines, portion.size());
    }
  }
}

void ApiServer::tell(Watching& watcher, const std::string& lines, uint64_t changes) {
  evhttp_connection* const connection = evhttp_request_get_connection(watcher.request);
  const evbuffer* const unread = bufferevent_get_output(evhttp_connection_get_bufferevent(connection));
  if (watcher.dropped > 0 || evbuffer_get_length(unread) + lines.size() > most_unread_bytes)
    watcher.dropped += changes;
  else
    send_chunk(watcher.request, lines);
}

}  // namespace palang
