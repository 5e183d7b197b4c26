#!/usr/bin/env python3
"""No source file has more than 400 lines, no function more than 60.

A function is found by its layout, which clang-format guarantees: a line that ends in "{" and, further down, a "}" at
the same indentation. Namespaces and classes hold functions and are looked into. Tables and texts inside a function
are data, not steps: they don't count.
"""
import pathlib
import re
import sys

MOST_LINES = 400
MOST_FUNCTION_LINES = 60

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENS = re.compile(r"^(?P<indent> *)(?!//|#)\S?.*\{$")
CONTAINER = re.compile(r"^ *(inline )?(namespace|class|struct|union|enum|extern|template)\b[^()]*\{$")
TABLE = re.compile(r"^(?P<indent> *).*(= |\{)\{$")
TEXT = re.compile(r'R"(?P<delimiter>\w*)\(')


def closing(lines, start, mark):
    """The first line after `start` that begins with `mark`."""
    return next((i for i in range(start + 1, len(lines)) if lines[i].startswith(mark)), start)


def without_data(lines):
    """The lines that are neither within a table nor within a raw text."""
    kept, number = [], 0
    while number < len(lines):
        kept.append(lines[number])
        table, text = TABLE.match(lines[number]), TEXT.search(lines[number])
        if text and f'){text["delimiter"]}"' not in lines[number][text.end() :]:
            end = f'){text["delimiter"]}"'
            number = next((i for i in range(number + 1, len(lines)) if end in lines[i]), number)
        elif table:
            number = closing(lines, number, table["indent"] + "}")
        number += 1
    return kept


def long_functions(lines):
    """Yields (line number, length) of every function that is too long."""
    number = 0
    while number < len(lines):
        opened = OPENS.match(lines[number])
        if opened and not CONTAINER.match(lines[number]):
            end = closing(lines, number, opened["indent"] + "}")
            length = len(without_data(lines[number : end + 1]))
            if length > MOST_FUNCTION_LINES:
                yield number + 1, length
            number = end
        number += 1


def main():
    files = sorted(
        path for top in ("src", "tests") for path in (ROOT / top).rglob("*") if path.suffix in {".cpp", ".hpp", ".c", ".h"}
    )
    complaints = [] if files else ["no source was found: something is wrong with this check"]
    for path in files:
        name = path.relative_to(ROOT)
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MOST_LINES:
            complaints.append(f"{name}: {len(lines)} lines; at most {MOST_LINES}")
        for at, length in long_functions(lines):
            complaints.append(f"{name}:{at}: a function of {length} lines; at most {MOST_FUNCTION_LINES}")
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} complaints")
    return 1 if complaints else 0


sys.exit(main())
