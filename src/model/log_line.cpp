#include "model/log_line.hpp"

namespace palang {

std::string_view format_name(LineFormat format) {
  switch (format) {
    case LineFormat::syslog: return "syslog";
    case LineFormat::plain: return "plain";
    case LineFormat::access: return "access";
    case LineFormat::error: return "error";
    case LineFormat::modsec_json: return "modsec-json";
  }
  return "?";
}

}  // namespace palang
