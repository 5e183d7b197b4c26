#include "firewall/xml_tags.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace palang::foreign {

namespace {

constexpr size_t most_tags = 100'000;

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':';
}

std::string unescaped(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> entities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string result;
  while (!text.empty()) {
    const auto found =
        std::ranges::find_if(entities, [&](const auto& entity) { return text.starts_with(entity.first); });
    const bool is_entity = found != entities.end();
    const char c = is_entity ? found->second : text.front();
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    text.remove_prefix(is_entity ? found->first.size() : 1);
  }
  return result;
}

std::string_view take_name(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_name_letter);
  const std::string_view name = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(name.size());
  return name;
}

// What stands between < and >.
XmlTag read_tag(std::string_view text) {
  XmlTag tag;
  tag.closes = text.starts_with('/');
  if (tag.closes) text.remove_prefix(1);
  tag.opens = !tag.closes && !text.ends_with('/');
  tag.name = take_name(text);
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const std::string_view key = take_name(text);
    text = trim(text);
    if (key.empty() || text.size() < 3 || text[0] != '=') break;
    text = trim(text.substr(1));
    const char quote = text.empty() ? ' ' : text.front();
    const size_t close = quote == '"' || quote == '\'' ? text.find(quote, 1) : std::string_view::npos;
    if (close == std::string_view::npos) break;
    tag.attributes.emplace_back(key, unescaped(text.substr(1, close - 1)));
    text.remove_prefix(close + 1);
  }
  return tag;
}

}  // namespace

std::string_view XmlTag::attribute(std::string_view key) const {
  const auto found = std::ranges::find(attributes, key, [](const auto& one) { return std::string_view(one.first); });
  return found == attributes.end() ? std::string_view{} : std::string_view(found->second);
}

std::vector<XmlTag> read_tags(std::string_view text) {
  std::vector<XmlTag> tags;
  uint32_t line = 1;
  const auto skip = [&](size_t count) {
    line += static_cast<uint32_t>(std::ranges::count(text.substr(0, count), '\n'));
    text.remove_prefix(std::min(count, text.size()));
  };
  while (tags.size() < most_tags) {
    const size_t open = text.find('<');
    if (open == std::string_view::npos) break;
    skip(open);
    const bool comment = text.starts_with("<!--");
    const size_t close = comment ? text.find("-->") : text.find('>');
    if (close == std::string_view::npos) break;
    if (!comment && !text.starts_with("<?") && !text.starts_with("<!")) {
      XmlTag tag = read_tag(trim(text.substr(1, close - 1)));
      tag.line = line;
      if (!tag.name.empty()) tags.push_back(std::move(tag));
    }
    skip(close + (comment ? 3 : 1));
  }
  return tags;
}

}  // namespace palang::foreign
