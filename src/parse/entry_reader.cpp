#include "parse/entry_reader.hpp"

#include "parse/error_log.hpp"
#include "parse/http_access.hpp"

namespace palang {

bool EntryReader::read(std::string_view text, LineFormat format, WallTime newest, LogEntry& entry) {
  entry.format = format;
  entry.access = nullptr;
  entry.waf = nullptr;
  entry.line.from_kernel = false;
  switch (format) {
    case LineFormat::syslog: return false;
    case LineFormat::plain: return read_plain(text, newest, entry);
    case LineFormat::error: return read_error(text, newest, entry);
    case LineFormat::access: {
      const auto access = read_access_line(text, times_);
      if (!access) return false;
      access_ = *access;
      entry.access = &access_;
      break;
    }
    case LineFormat::modsec_json: {
      const auto hit = modsec_.read(text, times_, newest);
      if (!hit) return false;
      waf_ = *hit;
      entry.access = &waf_.request;
      entry.waf = &waf_;
      break;
    }
  }
  entry.line.at = entry.access->at;
  entry.line.message = text;
  return true;
}

bool EntryReader::read_plain(std::string_view text, WallTime newest, LogEntry& entry) {
  const auto stamp = times_.leading(text, newest);
  entry.line.at = stamp ? stamp->at : newest;
  entry.line.message = stamp ? text.substr(stamp->length) : text;
  return !entry.line.message.empty();
}

bool EntryReader::read_error(std::string_view text, WallTime newest, LogEntry& entry) {
  auto line = read_error_line(text, times_);
  const bool by_syslog = !entry.line.program.empty() && text.starts_with('[');
  if (!line && by_syslog) line = read_apache_by_syslog(text, newest);
  if (!line) return false;
  entry.line.at = line->at;
  entry.line.message = line->message;
  if (entry.line.program.empty()) entry.line.program = line->program;
  if (line->message.find("ModSecurity: ") == std::string_view::npos) return true;
  if (const auto hit = read_waf_message(*line)) {
    waf_ = *hit;
    entry.access = &waf_.request;
    entry.waf = &waf_;
  }
  return true;
}

}  // namespace palang
