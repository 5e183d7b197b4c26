#include "rules/f2b_date_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <span>
#include <string>

#include "rules/f2b_ini.hpp"

namespace palang::f2b {

namespace {

namespace chrono = std::chrono;

struct ZoneGroup {
  int minutes;
  std::string_view names;
};

// Abbreviations as fail2ban takes them, with their fixed offset; the single letters are the military ones.
constexpr std::array<ZoneGroup, 38> zone_groups = {{
    {-720, "Y"},
    {-660, "X NUT SST"},
    {-600, "W CKT HAST HST TAHT TKT"},
    {-570, "MART MIT"},
    {-540, "V AKST GAMT GIT HADT HNY"},
    {-480, "U AKDT CIST HAY HNP PST PT"},
    {-420, "T HAP HNR MST PDT"},
    {-360, "S CST EAST GALT HAR HNC MDT"},
    {-300, "R CDT COT EASST ECT EST ET HAC HNE PET"},
    {-270, "HLV VET"},
    {-240, "Q AST BOT CLT COST EDT FKT GYT HAE HNA PYT"},
    {-210, "HNT NST NT"},
    {-180, "P ADT ART BRT CLST FKST GFT HAA PMST PYST SRT UYT WGT"},
    {-150, "HAT NDT"},
    {-120, "O BRST FNT PMDT UYST WGST"},
    {-60, "N AZOT CVT EGT"},
    {0, "Z EGST GMT UTC WET WT"},
    {60, "A CET DFT WAT WEDT WEST"},
    {120, "B CAT CEDT CEST EET SAST WAST"},
    {180, "C EAT EEDT EEST IDT MSK"},
    {210, "IRST"},
    {240, "D AMT AZT GET GST KUYT MSD MUT RET SAMT SCT"},
    {270, "AFT IRDT"},
    {300, "E AMST AQTT AZST HMT MAWT MVT PKT TFT TJT TMT UZT YEKT"},
    {330, "SLT"},
    {345, "NPT"},
    {360, "F ALMT BIOT BTT IOT KGT NOVT OMST YEKST"},
    {390, "CCT MMT"},
    {420, "G CXT DAVT HOVT ICT KRAT NOVST OMSST THA WIB"},
    {480, "H ACT AWST BDT BNT CAST HKT IRKT KRAST MYT PHT SGT ULAT WITA WST"},
    {540, "I AWDT IRKST JST KST PWT TLT WDT WIT YAKT"},
    {570, "ACST"},
    {600, "K AEST ChST PGT VLAT YAKST YAPT"},
    {630, "ACDT LHST"},
    {660, "L AEDT LHDT MAGT NCT PONT SBT VLAST VUT"},
    {690, "NFT"},
    {720, "M ANAST ANAT FJT GILT MAGST MHT NZST PETST PETT TVT WFT"},
    {780, "FJST NZDT"},
}};

constexpr std::array<std::string_view, 12> month_names = {"january",   "february", "march",    "april",
                                                          "may",       "june",     "july",     "august",
                                                          "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> day_names = {"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};

std::optional<int> number(std::string_view text) {
  text = strip(text);
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// The place of a name, or of its first three letters, among the names.
std::optional<int> index_of(std::span<const std::string_view> names, std::string_view text) {
  const std::string wanted = lower(text);
  for (size_t index = 0; index < names.size(); ++index)
    if (wanted == names[index] || (wanted.size() == 3 && names[index].starts_with(wanted)))
      return static_cast<int>(index);
  return std::nullopt;
}

// A local or UTC date and time, as it is written.
struct Civil {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;

  [[nodiscard]] bool valid() const {
    const chrono::year_month_day date{chrono::year{year}, chrono::month{static_cast<unsigned>(month)},
                                      chrono::day{static_cast<unsigned>(day)}};
    return year >= 1 && year <= 9999 && date.ok() && hour >= 0 && hour < 24 && minute >= 0 && minute < 60 &&
           second >= 0 && second < 60;
  }
  // Seconds since 1970, as if it were UTC.
  [[nodiscard]] int64_t seconds() const {
    const chrono::sys_days days{chrono::year{year} / month / day};
    return int64_t{days.time_since_epoch().count()} * 86'400 + int64_t{hour} * 3'600 + int64_t{minute} * 60 + second;
  }
};

// The date and time that so many seconds since 1970 are in UTC.
Civil civil_of(int64_t seconds) {
  const chrono::sys_seconds time{chrono::seconds{seconds}};
  const auto days = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{days};
  const chrono::hh_mm_ss clock{time - days};
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

constexpr int64_t quarter_hour = 900;  // seconds

int64_t quarter_of(int64_t seconds) {
  return seconds >= 0 ? seconds / quarter_hour : (seconds - quarter_hour + 1) / quarter_hour;
}

std::optional<int> hour_of(const DateFields& fields) {
  if (!fields.hour.empty()) return number(fields.hour);
  if (fields.hour12.empty()) return 0;
  const auto hour = number(fields.hour12);
  if (!hour) return std::nullopt;
  const int twelve = *hour == 12 ? 0 : *hour;
  return lower(fields.am_pm) == "pm" ? twelve + 12 : twelve;
}

std::optional<int> year_of(const DateFields& fields) {
  if (!fields.year.empty()) return number(fields.year);
  const auto short_year = number(fields.year2);
  if (!short_year) return std::nullopt;
  return *short_year <= 2000 ? *short_year + 2000 : *short_year;
}

std::optional<int> month_of(const DateFields& fields) {
  if (!fields.month.empty()) return number(fields.month);
  const auto index = index_of(month_names, fields.month_name);
  return index ? std::optional(*index + 1) : std::nullopt;
}

// Monday is 0.
std::optional<int> weekday_of(const DateFields& fields) {
  if (!fields.weekday_name.empty()) return index_of(day_names, fields.weekday_name);
  const auto from_sunday = number(fields.weekday);
  return from_sunday ? std::optional((*from_sunday + 6) % 7) : std::nullopt;
}

// The day of the year, from 1 on, by %j or by week and weekday.
std::optional<int> day_of_year(const DateFields& fields, int year) {
  if (const auto julian = number(fields.julian)) return julian;
  const bool from_sunday = !fields.week_sunday.empty();
  const auto week = number(from_sunday ? fields.week_sunday : fields.week_monday);
  auto weekday = weekday_of(fields);
  if (!week || !weekday) return std::nullopt;
  const chrono::weekday first{chrono::sys_days{chrono::year{year} / 1 / 1}};
  int first_weekday = static_cast<int>(first.iso_encoding()) - 1;
  if (from_sunday) {
    first_weekday = (first_weekday + 1) % 7;
    weekday = (*weekday + 1) % 7;
  }
  const int week_zero = (7 - first_weekday) % 7;
  if (*week == 0) return 1 + *weekday - first_weekday;
  return 1 + week_zero + 7 * (*week - 1) + *weekday;
}

}  // namespace

std::string_view* DateFields::by_name(std::string_view name) {
  if (name.size() != 1) return nullptr;
  switch (name.front()) {
    case 'Y': return &year;
    case 'y': return &year2;
    case 'm': return &month;
    case 'b':
    case 'B': return &month_name;
    case 'd': return &day;
    case 'H': return &hour;
    case 'I': return &hour12;
    case 'p': return &am_pm;
    case 'M': return &minute;
    case 'S': return &second;
    case 'j': return &julian;
    case 'U': return &week_sunday;
    case 'W': return &week_monday;
    case 'w': return &weekday;
    case 'a':
    case 'A': return &weekday_name;
    case 'z':
    case 'Z': return &zone;
    default: return nullptr;
  }
}

std::optional<int> zone_minutes(std::string_view zone) {
  const size_t sign = std::min(zone.find_first_of("+-"), zone.size());
  const std::string_view name = zone.substr(0, sign);
  std::string_view offset = zone.substr(sign);
  std::optional<int> minutes = name.empty() ? std::optional(0) : std::nullopt;
  for (const ZoneGroup& group : zone_groups) {
    for (std::string_view rest = group.names; !name.empty() && !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      if (rest.substr(0, end) == name) minutes = group.minutes;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (!minutes || offset.empty()) return minutes;
  const int direction = offset.front() == '-' ? -1 : 1;
  offset.remove_prefix(1);
  const auto hours = number(offset.substr(0, 2));
  offset.remove_prefix(std::min<size_t>(2, offset.size()));
  if (offset.starts_with(':')) offset.remove_prefix(1);
  const auto rest = offset.empty() ? std::optional(0) : number(offset);
  if (!hours || !rest) return std::nullopt;
  return *minutes + direction * (*hours * 60 + *rest);
}

int64_t LocalClock::from_local(int64_t seconds) {
  const int64_t quarter = quarter_of(seconds);
  if (quarter != from_.number) {
    tm parts{};
    const time_t start = quarter * quarter_hour;
    gmtime_r(&start, &parts);
    parts.tm_isdst = -1;
    from_ = {quarter, mktime(&parts) - start};
  }
  return seconds + from_.offset;
}

int64_t LocalClock::to_local(int64_t seconds) {
  const int64_t quarter = quarter_of(seconds);
  if (quarter != to_.number) {
    tm parts{};
    const time_t start = quarter * quarter_hour;
    localtime_r(&start, &parts);
    to_ = {quarter, parts.tm_gmtoff};
  }
  return seconds + to_.offset;
}

std::optional<WallTime> time_of(const DateFields& fields, WallTime now, std::optional<int> default_zone,
                                LocalClock& clock) {
  const int64_t here = clock.to_local(chrono::floor<chrono::seconds>(now).time_since_epoch().count());
  const Civil today = civil_of(here);
  const auto written_year = year_of(fields);
  auto month = month_of(fields);
  auto day = number(fields.day);
  Civil civil;
  civil.year = written_year.value_or(today.year);
  if (!month || !day) {
    if (const auto julian = day_of_year(fields, civil.year)) {
      const chrono::year_month_day date{chrono::sys_days{chrono::year{civil.year} / 1 / 1} + chrono::days{*julian - 1}};
      civil.year = static_cast<int>(date.year());
      month = static_cast<int>(static_cast<unsigned>(date.month()));
      day = static_cast<int>(static_cast<unsigned>(date.day()));
    }
  }
  const bool only_time = !month && !day;
  civil.month = month.value_or(only_time ? today.month : 0);
  civil.day = day.value_or(only_time ? today.day : 0);
  const auto hour = hour_of(fields);
  if (!hour) return std::nullopt;
  civil.hour = *hour;
  civil.minute = number(fields.minute).value_or(0);
  // A leap second counts as the one before it.
  civil.second = std::min(number(fields.second).value_or(0), 59);
  if (!civil.valid()) return std::nullopt;

  auto zone = default_zone;
  if (!fields.zone.empty()) {
    zone = zone_minutes(fields.zone);
    if (!zone) return std::nullopt;
  }
  int64_t seconds = civil.seconds() - int64_t{60} * zone.value_or(0);
  if (only_time && seconds > here) seconds -= 86'400;
  if (!written_year && seconds > here + 86'400) {
    --civil.year;
    if (!civil.valid()) return std::nullopt;
    seconds = civil.seconds() - int64_t{60} * zone.value_or(0);
  }
  return WallTime{chrono::seconds{zone ? seconds : clock.from_local(seconds)}};
}

}  // namespace palang::f2b
