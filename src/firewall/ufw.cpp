#include "firewall/ufw.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "firewall/csf_filter.hpp"
#include "firewall/ipset_save.hpp"
#include "firewall/port_ranges.hpp"

namespace palang::foreign {

namespace {

constexpr std::string_view tuple_mark = "### tuple ###";

// ufw keeps comments as the hexadecimal digits of their bytes.
std::string from_hex(std::string_view digits) {
  const auto value = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string text;
  for (size_t i = 0; i + 1 < digits.size() && text.size() < 200; i += 2) {
    const int high = value(digits[i]);
    const int low = value(digits[i + 1]);
    if (high < 0 || low < 0) return "";
    text += static_cast<char>(high * 16 + low);
  }
  return text;
}

bool read_ufw_ports(std::string_view text, std::vector<std::string>& ports) {
  if (text == "any") return true;
  for (const std::string_view piece : csf::split(text, ',')) {
    const auto range = read_port_range(piece, ':');
    if (!range || range->first == 0) return false;
    ports.push_back(port_text(*range));
  }
  return true;
}

bool is_all(std::string_view network) {
  return network == "0.0.0.0/0" || network == "::/0";
}

class TupleReader {
 public:
  TupleReader(Import& import, bool both) : import_(import), both_(both) {}

  // allow tcp 22 0.0.0.0/0 any 192.0.2.0/24 in comment=6f6666
  void read(const Place& place, std::string_view line, bool v6) {
    const std::vector<std::string> words = shell_words(line.substr(tuple_mark.size()));
    const std::string what(trim(line.substr(tuple_mark.size())));
    ImportReport& report = import_.report;
    if (words.size() < 7) return report.fault(place, what, "this is no tuple of ufw");
    const std::string action = words[0].substr(0, words[0].find('_'));
    if (action.starts_with("route:"))
      return report.left_out(place, what, "forwarded traffic is none of this policy's business");
    if (action != "allow" && action != "deny" && action != "reject" && action != "limit")
      return report.fault(place, what, "the action in it is none of ufw's");
    ImportedRule rule;
    rule.allow = action == "allow" || action == "limit";
    rule.protocol = words[1];
    bool widened = false;
    const auto destination = csf::read_network(words[3], &widened);
    const auto source = csf::read_network(words[5], &widened);
    if (!read_ufw_ports(words[2], rule.ports) || !read_ufw_ports(words[4], rule.source_ports) || !destination ||
        !source)
      return report.fault(place, what, "a port or an address in it is none");
    // "in", "out", "in_eth0"; between address and direction there may be names of application profiles.
    std::string direction;
    for (size_t i = 6; i < words.size(); ++i) {
      if (words[i].starts_with("comment=")) rule.note = from_hex(words[i].substr(8));
      if (words[i] == "in" || words[i] == "out" || words[i].starts_with("in_") || words[i].starts_with("out_"))
        direction = words[i];
    }
    if (direction != "in" && direction != "out") return report.left_out(place, what, "a rule holds on every interface");
    rule.out = direction == "out";
    const std::string& peer = rule.out ? *destination : *source;
    const std::string& own = rule.out ? *source : *destination;
    if (!is_all(own)) return report.left_out(place, what, "a rule can't tell the addresses of this host apart");
    if (rule.protocol != "tcp" && rule.protocol != "udp" && rule.protocol != "any")
      return report.left_out(place, what, "rules are for tcp and udp");
    add(place, what, std::move(rule), is_all(peer) ? "" : peer, v6, action == "limit");
  }

 private:
  void add(const Place& place, const std::string& what, ImportedRule rule, const std::string& peer, bool v6,
           bool limited) {
    ImportReport& report = import_.report;
    if (!peer.empty())
      rule.peer = {peer};
    else if (both_ || rule.ports.empty())
      rule.peer = {v6 ? "::/0" : "0.0.0.0/0"};
    const bool everyone = peer.empty();
    if (everyone && rule.ports.empty() && !rule.out)
      return rule.allow ? report.left_out(place, what, "it opens every port to everyone")
                        : report.left_out(place, what,
                                          "it denies everything to everyone: what no rule opens is refused anyway");
    if (limited) {
      for (const std::string_view protocol : {"tcp", "udp"})
        if (!rule.ports.empty() && (rule.protocol == protocol || (rule.protocol == "any" && protocol == "tcp")))
          import_.policy.limits.push_back({std::string(protocol), rule.ports, 0, "6/30s"});
    }
    // Ports need a protocol.
    const bool each = rule.protocol == "any" && (!rule.ports.empty() || !rule.source_ports.empty());
    for (const std::string_view protocol : {"tcp", "udp"}) {
      if (!each && protocol == "udp") break;
      ImportedRule one = rule;
      if (each) one.protocol = protocol;
      import_.policy.rules.push_back(std::move(one));
    }
    report.taken_over(place, what,
                      limited      ? "a rule that allows it, and a limit of 6 in 30 s for each source"
                      : rule.allow ? "a rule that allows it"
                                   : "a rule that denies it");
  }

  Import& import_;
  bool both_;
};

void read_defaults(const std::string& path, const csf::ReadFile& read, Import& import) {
  const auto text = read(path);
  import.policy.out_policy = "accept";
  if (!text) {
    import.report.approximated({path, 0}, "",
                               "it can't be read: ufw's defaults are taken, nothing in and everything out");
    return;
  }
  uint32_t number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const Place place{path, ++number};
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.front() == '#') continue;
    const std::string_view name = line.substr(0, equals);
    std::string_view value = trim(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    const std::string word = value == "REJECT" ? "reject" : value == "DROP" ? "drop" : "accept";
    if (name == "DEFAULT_INPUT_POLICY") {
      import.policy.policy = word == "reject" ? "reject" : "drop";
      if (word == "accept")
        import.report.approximated(place, std::string(line),
                                   "what no rule refused came in: palang's policy refuses it");
      else
        import.report.taken_over(place, std::string(line), "firewall.policy = \"" + import.policy.policy + "\"");
    } else if (name == "DEFAULT_OUTPUT_POLICY") {
      import.policy.out_policy = word;
      import.report.taken_over(place, std::string(line), "firewall.out_policy = \"" + word + "\"");
    } else if (name == "DEFAULT_FORWARD_POLICY") {
      import.report.left_out(place, std::string(line), "forwarded traffic is left alone");
    }
  }
}

}  // namespace

Result<Import> import_ufw(const std::string& directory, const csf::ReadFile& read) {
  Import import;
  import.policy.origin = "ufw";
  const std::string parent = directory.substr(0, directory.rfind('/'));
  read_defaults(parent + "/default/ufw", read, import);
  const auto v4 = read(directory + "/user.rules");
  const auto v6 = read(directory + "/user6.rules");
  if (!v4 && !v6) return Failure(v4.error());
  TupleReader reader(import, v4 && v6);
  for (const bool second : {false, true}) {
    const auto& text = second ? v6 : v4;
    if (!text) continue;
    uint32_t number = 0;
    for (std::string_view rest = *text; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      ++number;
      if (line.starts_with(tuple_mark))
        reader.read({directory + (second ? "/user6.rules" : "/user.rules"), number}, line, second);
    }
  }
  import.report.approximated(
      {directory + "/before.rules", 0}, "",
      "ufw's own rules before those of its user (ICMP, mDNS, DHCP) aren't read; palang has its own");
  return import;
}

}  // namespace palang::foreign
