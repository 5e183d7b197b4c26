#include "firewall/firewalld.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "firewall/csf_filter.hpp"
#include "firewall/port_ranges.hpp"
#include "firewall/xml_tags.hpp"
#include "net/address.hpp"

namespace palang::foreign {

namespace {

struct ServicePorts {
  std::vector<std::string> tcp;
  std::vector<std::string> udp;
  [[nodiscard]] bool empty() const { return tcp.empty() && udp.empty(); }
};

bool is_file_word(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

bool add_port(const XmlTag& tag, ServicePorts& ports) {
  const auto range = read_port_range(tag.attribute("port"), '-');
  if (!range || range->first == 0) return false;
  if (tag.attribute("protocol") == "tcp") ports.tcp.push_back(port_text(*range));
  if (tag.attribute("protocol") == "udp") ports.udp.push_back(port_text(*range));
  return tag.attribute("protocol") == "tcp" || tag.attribute("protocol") == "udp";
}

class ZoneReader {
 public:
  ZoneReader(std::string base, const csf::ReadFile& read, Import& import)
      : base_(std::move(base)), read_(read), import_(import) {}

  void read_zone(const std::string& path, std::string_view text) {
    path_ = path;
    const std::vector<XmlTag> tags = read_tags(text);
    for (size_t i = 0; i < tags.size(); ++i) {
      if (tags[i].closes) continue;
      if (tags[i].name == "rule") {
        size_t end = i;
        while (tags[i].opens && end < tags.size() && !(tags[end].closes && tags[end].name == "rule")) ++end;
        read_rich({tags.begin() + static_cast<std::ptrdiff_t>(i),
                   tags.begin() + static_cast<std::ptrdiff_t>(std::min(end, tags.size()))});
        i = std::max(i, end);
      } else {
        read_one(tags[i]);
      }
    }
  }

 private:
  [[nodiscard]] Place place(const XmlTag& tag) const { return {path_, tag.line}; }

  void read_one(const XmlTag& tag) {
    ImportReport& report = import_.report;
    ServicePorts ports;
    if (tag.name == "zone") {
      const std::string_view target = tag.attribute("target");
      import_.policy.policy = target == "DROP" ? "drop" : "reject";
      if (target == "ACCEPT")
        report.approximated(place(tag), "target ACCEPT", "what no rule refused came in: palang's policy refuses it");
      else
        report.taken_over(place(tag), "zone", "firewall.policy = \"" + import_.policy.policy + "\"");
    } else if (tag.name == "service") {
      open(tag, std::string(tag.attribute("name")), service(tag));
    } else if (tag.name == "port") {
      if (!add_port(tag, ports))
        return report.fault(place(tag), std::string(tag.attribute("port")), "this is no port of tcp or udp");
      open(tag, std::string(tag.attribute("port")), ports);
    } else if (tag.name == "forward-port") {
      forward(tag);
    } else if (tag.name == "interface" || tag.name == "source") {
      report.left_out(place(tag), std::string(tag.attribute(tag.name == "source" ? "address" : "name")),
                      "there are no zones: the policy holds for everyone, on every interface");
    } else if (tag.name == "masquerade" || tag.name == "icmp-block" || tag.name == "icmp-block-inversion" ||
               tag.name == "protocol" || tag.name == "source-port" || tag.name == "helper") {
      report.left_out(place(tag), tag.name, "it has no counterpart");
    }
  }

  ServicePorts service(const XmlTag& tag) {
    ServicePorts ports;
    const std::string name(tag.attribute("name"));
    if (!is_file_word(name)) return ports;
    for (const std::string& directory : {base_ + "/services/", std::string("/usr/lib/firewalld/services/")}) {
      const auto text = read_(directory + name + ".xml");
      if (!text) continue;
      for (const XmlTag& one : read_tags(*text))
        if (one.name == "port" && !one.closes) (void)add_port(one, ports);
      break;
    }
    return ports;
  }

  void open(const XmlTag& tag, const std::string& what, const ServicePorts& ports) {
    if (ports.empty()) {
      import_.report.fault(place(tag), what, "there is no file that says which ports it has: it stays closed");
      return;
    }
    import_.policy.tcp_in.insert(import_.policy.tcp_in.end(), ports.tcp.begin(), ports.tcp.end());
    import_.policy.udp_in.insert(import_.policy.udp_in.end(), ports.udp.begin(), ports.udp.end());
    import_.report.taken_over(place(tag), what, "its ports are open to all");
  }

  void forward(const XmlTag& tag) {
    const auto from = read_port_range(tag.attribute("port"), '-');
    const auto to = tag.attribute("to-port").empty() ? from : read_port_range(tag.attribute("to-port"), '-');
    const std::string_view protocol = tag.attribute("protocol");
    const auto address = Address::parse(tag.attribute("to-addr"));
    if (!from || !to || from->first != from->last || to->first != to->last || from->first == 0 || to->first == 0 ||
        (protocol != "tcp" && protocol != "udp") || (!tag.attribute("to-addr").empty() && !address))
      return import_.report.left_out(place(tag), "forward-port",
                                     "a redirect leads from one port of tcp or udp to one port");
    import_.policy.redirects.push_back(
        {std::string(protocol), "", from->first, address ? address->text() : "", to->first});
    import_.report.taken_over(place(tag), fmt::format("forward-port {}", from->first), "a redirect");
  }

  void read_rich(std::vector<XmlTag> tags) {
    ImportedRule rule;
    ServicePorts ports;
    std::string verdict;
    std::string strange;
    for (const XmlTag& tag : tags) {
      if (tag.closes || tag.name == "rule" || tag.name == "log" || tag.name == "audit") continue;
      if (tag.name == "accept" || tag.name == "drop" || tag.name == "reject") {
        verdict = tag.name;
      } else if (tag.name == "source" && tag.attribute("invert").empty() && !tag.attribute("address").empty()) {
        bool widened = false;
        if (const auto network = csf::read_network(tag.attribute("address"), &widened))
          rule.peer = {*network};
        else
          strange = "its source";
      } else if (tag.name == "port") {
        if (!add_port(tag, ports)) strange = "its port";
      } else if (tag.name == "service") {
        ports = service(tag);
        if (ports.empty()) strange = "its service";
      } else {
        strange = tag.name;
      }
    }
    if (tags.empty()) return;
    const XmlTag& first = tags.front();
    const std::string_view family = first.attribute("family");
    if (rule.peer.empty() && !family.empty()) rule.peer = {family == "ipv6" ? "::/0" : "0.0.0.0/0"};
    rule.allow = verdict == "accept";
    const bool everyone = rule.peer.empty() || rule.peer[0] == "0.0.0.0/0" || rule.peer[0] == "::/0";
    if (verdict.empty() || !strange.empty() || (everyone && ports.empty()))
      return import_.report.left_out(
          place(first), "rich rule",
          fmt::format("a rule can't tell {}",
                      strange.empty() ? "what it is about: give it an address or a port" : strange));
    add(rule, ports);
    import_.report.taken_over(place(first), "rich rule",
                              rule.allow ? "a rule that allows it" : "a rule that denies it");
  }

  void add(const ImportedRule& rule, const ServicePorts& ports) {
    if (ports.empty()) import_.policy.rules.push_back(rule);
    for (const bool tcp : {true, false}) {
      const auto& some = tcp ? ports.tcp : ports.udp;
      if (some.empty()) continue;
      ImportedRule one = rule;
      one.protocol = tcp ? "tcp" : "udp";
      one.ports = some;
      import_.policy.rules.push_back(std::move(one));
    }
  }

  std::string base_;
  const csf::ReadFile& read_;
  Import& import_;
  std::string path_;
};

std::string default_zone(const std::string& directory, const csf::ReadFile& read) {
  const auto text = read(directory + "/firewalld.conf");
  std::string zone = "public";
  if (!text) return zone;
  for (std::string_view line : csf::split(*text, '\n')) {
    line = trim(line);
    constexpr std::string_view key = "DefaultZone=";
    if (line.starts_with(key) && is_file_word(trim(line.substr(key.size())))) zone = trim(line.substr(key.size()));
  }
  return zone;
}

}  // namespace

Result<Import> import_firewalld(const std::string& path, const csf::ReadFile& read) {
  Import import;
  import.policy.origin = "firewalld";
  import.policy.ping = "";
  std::string base = path;
  std::vector<std::string> candidates;
  if (path.ends_with(".xml")) {
    candidates = {path};
    const size_t zones = path.rfind("/zones/");
    base = zones == std::string::npos ? path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'))
                                      : path.substr(0, zones);
  } else {
    const std::string zone = default_zone(path, read);
    candidates = {fmt::format("{}/zones/{}.xml", path, zone), fmt::format("/usr/lib/firewalld/zones/{}.xml", zone)};
  }
  for (const std::string& file : candidates) {
    const auto text = read(file);
    if (!text) continue;
    ZoneReader(base, read, import).read_zone(file, *text);
    if (import.report.lines().empty()) return Failure(Error::bad_config(file + ": this is no zone of firewalld"));
    return import;
  }
  return Failure(Error::not_found(fmt::format("read {}: there is no such file", candidates.front())));
}

}  // namespace palang::foreign
