#include "cli/client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <memory>

#include "cli/json.hpp"

namespace palang {
namespace {

constexpr long connect_seconds = 10;
constexpr long silent_seconds = 120;
constexpr size_t longest_error = 65'536;  // bytes

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, FreeCurl>;
using Headers = std::unique_ptr<curl_slist, FreeList>;

// One transfer, as the write callback sees it.
struct Transfer {
  CURL* curl;
  const ApiClient::Sink& sink;
  std::string refusal;  // the body, where the status is not 200
};

long status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

size_t on_bytes(char* bytes, size_t, size_t count, void* given) noexcept {
  auto& transfer = *static_cast<Transfer*>(given);
  if (status_of(transfer.curl) == 200)
    transfer.sink({bytes, count});
  else if (transfer.refusal.size() + count <= longest_error)
    transfer.refusal.append(bytes, count);
  return count;
}

void set_up(CURL* curl, const std::string& socket_path, const ApiRequest& request, const curl_slist* headers) {
  curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path.c_str());
  curl_easy_setopt(curl, CURLOPT_URL, ("http://palang" + request.target.text()).c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever http_proxy says
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, request.body.c_str());
  } else {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

}  // namespace

Target& Target::add(std::string_view name, std::string_view value) {
  text_.push_back(std::exchange(separator_, '&'));
  text_.append(name).push_back('=');
  for (const char c : value) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                            c == '.' || c == '_' || c == '~';  // RFC 3986 §2.3
    if (unreserved)
      text_.push_back(c);
    else
      text_.append(fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c))));
  }
  return *this;
}

Target& Target::add_if_given(std::string_view name, std::string_view value) {
  return value.empty() ? *this : add(name, value);
}

Error ApiClient::unreachable(int os_error, std::string_view cause) const {
  if (os_error == EACCES || os_error == EPERM) {
    return Error{
        fmt::format("{}: permission denied; palang answers only root and members of the group palang", socket_path_),
        ErrorKind::fault, os_error};
  }
  if (os_error == ENOENT) cause = "there is no such socket";
  if (os_error == ECONNREFUSED) cause = "connection refused";
  return Error{fmt::format("the daemon does not answer on {}: {}; start it with 'systemctl start palang' or './run.sh'",
                           socket_path_, cause),
               ErrorKind::fault, os_error};
}

Result<void> ApiClient::stream(const ApiRequest& request, const Sink& sink, Patience patience) const {
  if (socket_path_.empty() || socket_path_.size() >= sizeof(sockaddr_un::sun_path))
    return Failure(Error::usage(fmt::format("'{}': the path of a unix socket has 1 to 107 bytes", socket_path_)));
  const Curl curl(curl_easy_init());
  if (!curl) return fail("set up the connection to the daemon: out of memory");
  const Headers headers(curl_slist_append(curl_slist_append(nullptr, "Content-Type: application/json"), "Expect:"));
  set_up(curl.get(), socket_path_, request, headers.get());
  if (patience == Patience::usual) {
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, silent_seconds);
  }
  std::array<char, CURL_ERROR_SIZE> cause{};
  Transfer transfer{curl.get(), sink, {}};
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, cause.data());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &on_bytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);

  const CURLcode code = curl_easy_perform(curl.get());
  const long status = status_of(curl.get());
  if (code == CURLE_COULDNT_CONNECT) {
    long os_error = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_OS_ERRNO, &os_error);
    return Failure(unreachable(static_cast<int>(os_error), cause.data()));
  }
  if (code != CURLE_OK && (status == 0 || status == 200)) {
    const std::string_view said = cause[0] != '\0' ? cause.data() : curl_easy_strerror(code);
    return fail(fmt::format("the daemon on {} hung up: {}", socket_path_, said));
  }
  if (status != 200) return Failure(read_error(transfer.refusal, status));
  return {};
}

Result<std::string> ApiClient::fetch(const ApiRequest& request) const {
  std::string body;
  const auto collect = [&](std::string_view bytes) { body.append(bytes); };
  if (auto done = stream(request, collect, Patience::usual); !done) return Failure(done.error());
  return body;
}

}  // namespace palang
