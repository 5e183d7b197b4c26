#include "firewall/ipset_save.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "firewall/csf_filter.hpp"

namespace palang::foreign {

namespace {

constexpr size_t most_sets = 1'000;

class SetReader {
 public:
  explicit SetReader(Import& import) : import_(import) {}

  void read(const Place& place, const std::vector<std::string>& words) {
    if (words.size() >= 3 && words[0] == "create") return create(place, words);
    if (words.size() >= 3 && words[0] == "add") return add(place, words);
    import_.report.fault(place, words.empty() ? "" : words[0], "this is no line of 'ipset save'");
  }

 private:
  void create(const Place& place, const std::vector<std::string>& words) {
    const bool addresses = words[2] == "hash:ip" || words[2] == "hash:net" || words[2] == "bitmap:ip";
    if (!addresses) {
      import_.report.left_out(place, words[1], fmt::format("a list holds addresses and networks, no {}", words[2]));
      skipped_[words[1]] = true;
      return;
    }
    if (import_.policy.lists.size() >= most_sets) return;
    ImportedList list;
    list.name = "set_";
    for (const char c : std::string_view(words[1]).substr(0, 28)) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
      list.name += plain ? c : '_';
    }
    list.action = "none";
    for (const ImportedList& other : import_.policy.lists)
      if (other.name == list.name) list.name = fmt::format("set_{}", import_.policy.lists.size());
    import_.report.taken_over(place, words[1],
                              fmt::format("the list {}, which rules name as list:{}", list.name, list.name));
    index_[words[1]] = import_.policy.lists.size();
    import_.policy.lists.push_back(std::move(list));
  }

  void add(const Place& place, const std::vector<std::string>& words) {
    if (skipped_.contains(words[1])) return;
    const auto found = index_.find(words[1]);
    if (found == index_.end()) return import_.report.fault(place, words[1], "no set of this name was created");
    bool widened = false;
    const auto network = csf::read_network(words[2], &widened);
    if (!network) return import_.report.fault(place, words[2], network.error().text);
    if (*network == "0.0.0.0/0" || *network == "::/0")
      return import_.report.left_out(place, words[2], "a list doesn't hold everyone");
    ListEntry entry{*network, ""};
    for (size_t i = 3; i < words.size(); ++i) {
      if (words[i] == "nomatch") return import_.report.left_out(place, words[2], "a list has no exceptions");
      if (words[i] == "comment" && i + 1 < words.size()) entry.note = words[i + 1];
      if (words[i] == "timeout" && i + 1 < words.size() && words[i + 1] != "0")
        import_.report.approximated(
            place, words[2], fmt::format("it would have ended in {} s: entries of a list don't end", words[i + 1]));
    }
    import_.policy.lists[found->second].entries.push_back(std::move(entry));
  }

  Import& import_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, bool, std::less<>> skipped_;
};

}  // namespace

std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (c == '"') {
      quoted = !quoted;
      if (!open) words.emplace_back();
      open = true;
      continue;
    }
    if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
      open = false;
      continue;
    }
    if (c == '\\' && i + 1 < line.size()) c = line[++i];
    if (!open) words.emplace_back();
    open = true;
    words.back() += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return words;
}

Result<Import> import_ipset(const std::string& path, const csf::ReadFile& read) {
  const auto text = read(path);
  if (!text) return Failure(text.error());
  Import import;
  import.policy.origin = "ipset";
  SetReader reader(import);
  uint32_t number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (!line.empty() && line.front() != '#') reader.read({path, number}, shell_words(line));
  }
  if (import.policy.lists.empty()) return Failure(Error::bad_config(path + ": there is no set of addresses in it"));
  return import;
}

}  // namespace palang::foreign
