#include "firewall/imported_toml.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace palang::foreign {

namespace {

// Reads one code point of UTF-8 and moves on; -1: there is none.
int32_t take_code_point(std::string_view& text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  int32_t code = length == 1 ? first : first & (0x7f >> length);
  bool good = length > 0 && length <= text.size() && first < 0xf5;
  for (size_t i = 1; good && i < length; ++i) {
    good = (byte(i) & 0xc0) == 0x80;
    code = (code << 6) | (byte(i) & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  good = good && !surrogate && !overlong && code <= 0x10ffff;
  text.remove_prefix(good ? length : 1);
  return good ? code : -1;
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  quoted.reserve(texts.size());
  for (const std::string& text : texts) quoted.push_back(toml_text(text));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

void toml_key(std::string& out, std::string_view key, const std::string& text) {
  out += fmt::format("{} = {}\n", key, toml_text(text));
}

void toml_key_if(std::string& out, std::string_view key, const std::string& text) {
  if (!text.empty()) toml_key(out, key, text);
}

void toml_key_if(std::string& out, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) out += fmt::format("{} = {}\n", key, toml_list(texts));
}

void write_rule(std::string& out, const ImportedRule& rule) {
  out += "\n[[firewall.rule]]\n";
  toml_key(out, "action", rule.allow ? "allow" : "deny");
  if (rule.out) toml_key(out, "direction", "out");
  toml_key(out, "protocol", rule.protocol);
  toml_key_if(out, "ports", rule.ports);
  toml_key_if(out, "source_ports", rule.source_ports);
  toml_key_if(out, "peer", rule.peer);
  toml_key_if(out, "user", rule.user);
  toml_key_if(out, "group", rule.group);
  toml_key_if(out, "until", rule.until);
  toml_key_if(out, "note", rule.note);
}

void write_list(std::string& out, const ImportedList& list, std::string_view directory) {
  out += "\n[[firewall.list]]\n";
  toml_key(out, "name", list.name);
  if (list.url.empty())
    toml_key(out, "file", fmt::format("{}/{}", directory, list_file_name(list)));
  else
    toml_key(out, "url", list.url);
  toml_key(out, "action", list.action);
  toml_key_if(out, "refresh", list.refresh);
  if (list.most > 0) out += fmt::format("most = {}\n", list.most);
}

void write_others(std::string& out, const ImportedPolicy& policy) {
  for (const ImportedLimit& limit : policy.limits) {
    out += "\n[[firewall.limit]]\n";
    toml_key(out, "protocol", limit.protocol);
    toml_key_if(out, "ports", limit.ports);
    if (limit.connections > 0) out += fmt::format("connections = {}\n", limit.connections);
    toml_key_if(out, "rate", limit.rate);
  }
  for (const ImportedKnock& knock : policy.knocks) {
    out += "\n[[firewall.knock]]\n";
    toml_key(out, "opens", knock.opens);
    toml_key(out, "protocol", knock.protocol);
    out += fmt::format("sequence = [{}]\n", fmt::join(knock.sequence, ", "));
    toml_key_if(out, "within", knock.within);
  }
  for (const ImportedRedirect& redirect : policy.redirects) {
    out += "\n[[firewall.redirect]]\n";
    toml_key(out, "protocol", redirect.protocol);
    toml_key_if(out, "address", redirect.address);
    out += fmt::format("port = {}\n", redirect.port);
    toml_key_if(out, "to_address", redirect.to_address);
    out += fmt::format("to_port = {}\n", redirect.to_port);
  }
  if (!policy.smtp) return;
  out += "\n[firewall.smtp]\n";
  toml_key_if(out, "ports", policy.smtp->ports);
  toml_key_if(out, "users", policy.smtp->users);
  toml_key_if(out, "groups", policy.smtp->groups);
}

void write_head(std::string& out, const ImportedPolicy& policy) {
  toml_key(out, "policy", policy.policy);
  toml_key(out, "out_policy", policy.out_policy);
  out += fmt::format("tcp_in = {}\nudp_in = {}\n", toml_list(policy.tcp_in), toml_list(policy.udp_in));
  if (policy.out_policy != "accept")
    out += fmt::format("tcp_out = {}\nudp_out = {}\n", toml_list(policy.tcp_out), toml_list(policy.udp_out));
  toml_key(out, "ping", policy.ping);
  if (!policy.ping_out) out += "ping_out = false\n";
  if (policy.log) toml_key(out, "log", "csf");
  toml_key_if(out, "syn_flood_global", policy.syn_flood_global);
  toml_key_if(out, "udp_flood", policy.udp_flood);
  if (!policy.drop_invalid) out += "drop_invalid = false\n";
  if (policy.docker) toml_key(out, "docker", "filter");
}

}  // namespace

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const int32_t code = take_code_point(text);
    if (code < 0)
      out += '?';
    else if (code == '"' || code == '\\')
      out.append("\\").append(1, static_cast<char>(code));
    else if (code >= 0x20 && code < 0x7f)
      out += static_cast<char>(code);
    else if (code <= 0xffff)
      out += fmt::format("\\u{:04X}", static_cast<uint32_t>(code));
    else
      out += fmt::format("\\U{:08X}", static_cast<uint32_t>(code));
  }
  return out + "\"";
}

std::string list_file_name(const ImportedList& list) {
  return list.name + ".txt";
}

std::string list_text(const ImportedList& list) {
  std::string text;
  for (const ListEntry& entry : list.entries) {
    text += entry.text;
    if (!entry.note.empty()) text += " # " + entry.note;
    text += '\n';
  }
  return text;
}

std::string policy_toml(const ImportedPolicy& policy, std::string_view list_directory) {
  std::string out = fmt::format("# Made of a configuration of {} by 'palang import'.\n", policy.origin);
  for (const auto& [section, keys] : policy.sections)
    out += fmt::format("\n[{}]\n{}\n", section, fmt::join(keys, "\n"));
  out += "\n[firewall]\n";
  write_head(out, policy);
  for (const ImportedRule& rule : policy.rules) write_rule(out, rule);
  for (const ImportedList& list : policy.lists) write_list(out, list, list_directory);
  write_others(out, policy);
  return out;
}

}  // namespace palang::foreign
