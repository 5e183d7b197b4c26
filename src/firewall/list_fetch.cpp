#include "firewall/list_fetch.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "firewall/list_file.hpp"

namespace palang {
namespace {

constexpr size_t longest_etag = 256;
constexpr size_t longest_origin = 8'192;
constexpr long most_redirects = 3;

// What is known of a copy: where it came from, and when.
struct Origin {
  std::string url;
  std::string etag;
  int64_t seconds = 0;  // since 1970
};

std::string copy_path(const FirewallList& list, const std::string& directory) {
  return fmt::format("{}/{}.txt", directory, list.name);
}

std::string origin_path(const FirewallList& list, const std::string& directory) {
  return fmt::format("{}/{}.origin", directory, list.name);
}

// Nothing is known of a copy from another URL.
Origin read_origin(const FirewallList& list, const std::string& directory) {
  const auto text = read_small_file(origin_path(list, directory), longest_origin);
  if (!text) return {};
  Origin origin;
  std::string_view rest = *text;
  const auto line = [&] {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    return one;
  };
  origin.url = line();
  const std::string_view seconds = line();
  origin.etag = line();
  const auto [end, status] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), origin.seconds);
  if (status != std::errc{} || end != seconds.data() + seconds.size() || origin.url != list.url) return {};
  return origin;
}

Result<void> save(const std::string& path, std::string_view text) {
  const std::string draft = path + ".new";
  const Fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return fail_os("write", draft, errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail_os("write", draft, errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(file.get()) != 0) return fail_os("save", draft, errno);
  if (::rename(draft.c_str(), path.c_str()) != 0) return fail_os("replace", path, errno);
  return {};
}

Result<void> save_origin(const FirewallList& list, const std::string& directory, const Origin& origin) {
  return save(origin_path(list, directory), fmt::format("{}\n{}\n{}\n", origin.url, origin.seconds, origin.etag));
}

struct Answer {
  long status = 0;
  std::string etag;
  std::string body;
};

// One transfer, as the callbacks see it.
struct Download {
  Answer answer;
  size_t most_bytes;
  bool too_long = false;
};

size_t on_body(char* bytes, size_t, size_t count, void* given) noexcept {
  auto& download = *static_cast<Download*>(given);
  if (download.answer.body.size() + count > download.most_bytes) {
    download.too_long = true;
    return 0;  // ends the transfer
  }
  download.answer.body.append(bytes, count);
  return count;
}

size_t on_header(char* bytes, size_t, size_t count, void* given) noexcept {
  constexpr std::string_view name = "etag:";
  const std::string_view line(bytes, count);
  const bool is_etag = line.size() > name.size() &&
                       std::ranges::equal(line.substr(0, name.size()), name, {}, [](char c) { return c | 0x20; });
  const std::string_view value = is_etag ? trim(line.substr(name.size())) : std::string_view{};
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!value.empty() && value.size() <= longest_etag && printable) static_cast<Download*>(given)->answer.etag = value;
  return count;
}

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct CloseHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void set_up_transfer(CURL* curl, const FirewallList& list, const FetchOptions& options, Download& download) {
  curl_easy_setopt(curl, CURLOPT_URL, list.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, most_redirects);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, std::min(options.seconds, 20L));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, options.seconds);
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.most_bytes));
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "palang");
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &download);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &download);
}

Result<Answer> ask_server(const FirewallList& list, const Origin& origin, const FetchOptions& options) {
  const std::unique_ptr<CURL, CloseCurl> curl(curl_easy_init());
  if (!curl) return fail("libcurl could not be set up");
  Download download{{}, options.most_bytes};
  set_up_transfer(curl.get(), list, options, download);
  const std::string condition = "If-None-Match: " + origin.etag;
  const std::unique_ptr<curl_slist, CloseHeaders> headers(
      origin.etag.empty() ? nullptr : curl_slist_append(nullptr, condition.c_str()));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  std::array<char, CURL_ERROR_SIZE> cause{};
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, cause.data());
  const CURLcode done = curl_easy_perform(curl.get());
  if (download.too_long || done == CURLE_FILESIZE_EXCEEDED)
    return fail(fmt::format("it is larger than {} bytes", options.most_bytes));
  if (done != CURLE_OK) return fail(cause[0] != '\0' ? escape_controls(cause.data()) : curl_easy_strerror(done));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &download.answer.status);
  return std::move(download.answer);
}

Result<Answer> ask(const FirewallList& list, const Origin& origin, const FetchOptions& options) {
  constexpr std::string_view file_scheme = "file://";
  if (!list.url.starts_with(file_scheme)) return ask_server(list, origin, options);
  auto text = read_small_file(list.url.substr(file_scheme.size()), options.most_bytes);
  if (!text) return Failure(text.error());
  return Answer{200, "", std::move(*text)};
}

Failure refused(const FirewallList& list, const Origin& origin, const std::string& why) {
  const std::string rest =
      origin.seconds == 0
          ? "it was never fetched, and is empty"
          : fmt::format("the copy of {} stays", format_utc(WallTime{std::chrono::seconds{origin.seconds}}));
  return fail(fmt::format("fetch list {} from {}: {}; {}", list.name, list.url, why, rest));
}

}  // namespace

WallTime fetched_at(const FirewallList& list, const std::string& directory) {
  return WallTime{std::chrono::seconds{read_origin(list, directory).seconds}};
}

Result<FetchedList> fetch_list(const FirewallList& list, const FetchOptions& options, WallTime now) {
  const Origin origin = read_origin(list, options.directory);
  const WallTime last{std::chrono::seconds{origin.seconds}};
  if (!options.now && last <= now && now - last < list.refresh) return FetchedList{};
  const auto answer = ask(list, origin, options);
  if (!answer) return refused(list, origin, answer.error().text);
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (answer->status == 304 && origin.seconds != 0) {
    if (const auto done = save_origin(list, options.directory, {list.url, origin.etag, seconds}); !done)
      return Failure(done.error());
    return FetchedList{FetchedList::Outcome::unchanged, 0};
  }
  if (answer->status != 200) return refused(list, origin, fmt::format("the server answered {}", answer->status));
  const auto content = parse_list(answer->body, list.url, list.most);
  if (!content) return refused(list, origin, content.error().text);
  const size_t entries = content->prefixes.size() + content->hosts.size();
  if (entries == 0) return refused(list, origin, "it has no entries");
  // First the copy: should the second fail, it is only fetched once more.
  if (const auto done = save(copy_path(list, options.directory), answer->body); !done) return Failure(done.error());
  if (const auto done = save_origin(list, options.directory, {list.url, answer->etag, seconds}); !done)
    return Failure(done.error());
  return FetchedList{FetchedList::Outcome::updated, entries};
}

}  // namespace palang
