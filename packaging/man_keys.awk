# Completes docs/man/palang.toml.5.in: @KEYS@ becomes the list of keys that `palang check --print-defaults` prints.
#
#   awk -f man_keys.awk -v version=0.1.0 palang.toml palang.toml.5.in
#
# The first file is read in paragraphs: comment lines, and behind them "[section]" or "#key = default". Where a section's
# keys are told and not set, its name is the last comment.

function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/"/, "\\(dq", text)
  sub(/^[.']/, "\\\\\\&&", text)
  return text
}

function key(name, value, text) {
  keys = keys ".TP\n.B " roff(name) (value == "" ? "" : " = " roff(value)) "\n" roff(text) "\n"
}

# The comments of a section: words, an indented example, and keys that have no default to show ("  path: …").
function section(name,    i, line, named, text) {
  keys = keys ".SH \"" roff(name) "\"\n"
  for (i = 1; i <= comments; i++) {
    line = comment[i]
    if (line !~ /^  /) {
      keys = keys roff(line) "\n"
    } else if (line ~ /^  [a-z_]+: /) {
      if (named != "") key(named, "", text)
      named = substr(line, 3, index(line, ":") - 3)
      text = substr(line, index(line, ":") + 2)
    } else if (named != "") {
      text = text " " substr(line, 3)
    } else {
      keys = keys ".RS\n.EX\n" roff(substr(line, 3)) "\n.EE\n.RE\n"
    }
  }
  if (named != "") key(named, "", text)
}

function words(    i, text) {
  for (i = 1; i <= comments; i++) text = text (i > 1 ? " " : "") comment[i]
  return text
}

function end_of_paragraph(last) {
  if (last ~ /^\[.*\]$/) section(last)
  else if (last ~ /^#[a-z_]+ = /) key(substr(last, 2, index(last, " ") - 2), substr(last, index(last, "=") + 2), words())
  else if (comments > 0 && comment[comments] ~ /^\[.*\]$/) section(comment[comments--])
  paragraphs++
  comments = 0
}

FNR == 1 { file++ }

file == 1 && /^# / { comment[++comments] = substr($0, 3); previous = ""; next }
file == 1 && /^$/ { end_of_paragraph(previous); previous = ""; next }
file == 1 { previous = $0; next }

file == 2 && FNR == 1 { end_of_paragraph(previous) }
/^@KEYS@$/ { printf "%s", keys; next }
{ sub(/@VERSION@/, version); print }
