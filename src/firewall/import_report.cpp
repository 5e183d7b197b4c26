#include "firewall/import_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace palang::foreign {

namespace {

constexpr size_t most_faults_of_a_file = 1'000;
constexpr size_t longest_what = 120;  // bytes shown

}  // namespace

void ImportReport::taken_over(Place place, std::string what, std::string becomes) {
  add(Fate::taken_over, std::move(place), std::move(what), std::move(becomes));
}

void ImportReport::approximated(Place place, std::string what, std::string how) {
  add(Fate::approximated, std::move(place), std::move(what), std::move(how));
}

void ImportReport::left_out(Place place, std::string what, std::string why) {
  add(Fate::left_out, std::move(place), std::move(what), std::move(why));
}

void ImportReport::fault(Place place, std::string what, std::string why) {
  if (place.file != faulty_file_) {
    faulty_file_ = place.file;
    faults_of_file_ = 0;
  }
  if (++faults_of_file_ > most_faults_of_a_file) {
    ++dropped_faults_;
    return;
  }
  add(Fate::fault, std::move(place), std::move(what), std::move(why));
}

void ImportReport::add(Fate fate, Place place, std::string what, std::string sentence) {
  if (what.size() > longest_what) what = what.substr(0, longest_what) + "...";
  lines_.push_back({fate, std::move(place), std::move(what), std::move(sentence)});
}

size_t ImportReport::count(Fate fate) const {
  return static_cast<size_t>(std::ranges::count_if(lines_, [&](const ReportLine& line) { return line.fate == fate; }));
}

std::string report_text(const ReportLine& line) {
  std::string text = escape_controls(line.place.file);
  if (line.place.line > 0) text += fmt::format(":{}", line.place.line);
  text += ": ";
  if (!line.what.empty()) text += escape_controls(line.what) + ": ";
  return text + escape_controls(line.sentence);
}

std::string_view fate_name(Fate fate) {
  switch (fate) {
    case Fate::taken_over: return "taken over";
    case Fate::approximated: return "approximated";
    case Fate::left_out: return "not taken over";
    case Fate::fault: return "fault";
  }
  return "";
}

}  // namespace palang::foreign
