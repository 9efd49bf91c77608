//===- OnigurumaSyntax.cpp - from Oniguruma's syntax to PCRE2's -----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses a regular expression in Oniguruma's Ruby syntax and writes it for PCRE2.
//
//===----------------------------------------------------------------------===//

#include "OnigurumaSyntax.h"

#include "OnigurumaProperty.h"
#include "Unicode.h"

#include <cstdio>
#include <optional>
#include <vector>

namespace llmc::tokenizer {
namespace {

constexpr size_t maximumPatternSize = 1 << 16;
constexpr unsigned deepestGroup = 60;
constexpr uint32_t maximumRepeat = 65535;
constexpr char32_t endOfPattern = 0xffffffff;

/// An expression that is repeated as a whole.
std::string group(const std::string &expression) {
  std::string result = "(?:";
  result += expression;
  result += ')';
  return result;
}

/// A set of characters: `items` are written between brackets, each of `others` is an expression
/// that matches exactly one character of the set.
struct CharacterSet {
  std::string items;
  std::vector<std::string> others;

  std::string expression() const {
    std::string own = items.empty() ? "" : "[" + items + "]";
    if (others.empty())
      return own.empty() ? "(?!)" : own;
    std::string result = "(?:" + own;
    for (const std::string &other : others)
      result += (result == "(?:" ? "" : "|") + other;
    return result + ")";
  }

  std::string negatedExpression() const {
    if (others.empty())
      return items.empty() ? "(?s:.)" : "[^" + items + "]";
    return "(?:(?!" + expression() + ")(?s:.))";
  }
};

class Translator {
public:
  explicit Translator(std::string_view pattern) : pattern(pattern) {}

  llmc_status run(std::string &translated) {
    if (pattern.size() > maximumPatternSize)
      return llmc_make_status(LLMC_UNSUPPORTED,
                              "expected a regular expression of at most %zu bytes, found %zu",
                              maximumPatternSize, pattern.size());
    translated = parseAlternation(0);
    if (!failed() && position < pattern.size())
      corrupt("unmatched ')'");
    return failed() ? status : llmc_ok_status();
  }

private:
  bool failed() const { return status.code != LLMC_OK; }

  std::string fail(int32_t code, const char *what) {
    if (!failed())
      status = llmc_make_status(code, "regular expression: %s at byte %zu", what, position);
    position = pattern.size();
    return {};
  }
  std::string corrupt(const char *what) { return fail(LLMC_CORRUPT, what); }
  std::string unsupported(const char *what) {
    std::string message = std::string(what) + " is not supported";
    return fail(LLMC_UNSUPPORTED, message.c_str());
  }

  char32_t peek() const {
    size_t at = position;
    return at < pattern.size() ? nextCharacter(pattern, at) : endOfPattern;
  }
  char32_t take() {
    return position < pattern.size() ? nextCharacter(pattern, position) : endOfPattern;
  }
  bool startsWith(std::string_view text) const {
    return pattern.substr(position, text.size()) == text;
  }
  bool takeText(std::string_view text) {
    if (!startsWith(text))
      return false;
    position += text.size();
    return true;
  }

  static std::string escaped(char32_t character) {
    char text[16];
    std::snprintf(text, sizeof(text), "\\x{%x}", static_cast<unsigned>(character));
    return text;
  }

  static bool isAsciiLetter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  std::string parseAlternation(unsigned depth) {
    if (depth > deepestGroup)
      return unsupported("nesting this deep");
    std::string result = parseSequence(depth);
    while (!failed() && peek() == '|') {
      take();
      result += "|" + parseSequence(depth);
    }
    return result;
  }

  std::string parseSequence(unsigned depth) {
    std::string result;
    previousLetter = 0;
    while (!failed() && position < pattern.size() && peek() != '|' && peek() != ')') {
      // An option with no group of its own holds to the end of the group, alternatives included.
      if (startsWith("(?i)") || startsWith("(?m)") || startsWith("(?-i)") || startsWith("(?-m)") ||
          startsWith("(?im)") || startsWith("(?mi)")) {
        std::string open = takeOptions();
        OptionScope scope(*this);
        applyOptions(open);
        result += caseGroup() + parseAlternation(depth + 1) + ")";
        break;
      }
      literal = 0;
      std::string atom = parseAtom(depth);
      if (failed())
        return {};
      bool repeated = parseQuantifiers(atom);
      checkFolding(repeated ? 0 : literal);
      result += atom;
    }
    previousLetter = 0;
    return result;
  }

  /// Ignoring case, Oniguruma takes a few single characters for two or three letters (U+00DF for
  /// "ss"), which PCRE2 never does.
  void checkFolding(char32_t letter) {
    char32_t previous = previousLetter;
    previousLetter = ignoreCase && isAsciiLetter(letter) ? letter | 0x20 : 0;
    bool folds = (previous == 'f' &&
                  (previousLetter == 'f' || previousLetter == 'i' || previousLetter == 'l')) ||
                 (previous == 's' && (previousLetter == 's' || previousLetter == 't'));
    if (folds)
      unsupported("a sequence of letters that is also one ligature, with case ignored,");
  }

  struct OptionScope {
    explicit OptionScope(Translator &owner)
        : owner(owner), ignoreCase(owner.ignoreCase), dotAll(owner.dotAll) {}
    ~OptionScope() {
      owner.ignoreCase = ignoreCase;
      owner.dotAll = dotAll;
    }
    Translator &owner;
    bool ignoreCase;
    bool dotAll;
  };

  /// Takes "(?im-im" and the ')' or ':' that follows, and gives the letters.
  std::string takeOptions() {
    position += 2;
    size_t begin = position;
    while (peek() == 'i' || peek() == 'm' || peek() == '-')
      take();
    std::string options(pattern.substr(begin, position - begin));
    take();
    return options;
  }

  void applyOptions(const std::string &options) {
    bool value = true;
    for (char option : options) {
      if (option == '-')
        value = false;
      else if (option == 'i')
        ignoreCase = value;
      else
        dotAll = value;
    }
  }

  const char *caseGroup() const { return ignoreCase ? "(?i:" : "(?-i:"; }

  std::string parseAtom(unsigned depth) {
    char32_t c = take();
    switch (c) {
    case '(':
      return parseGroup(depth);
    case '[': {
      CharacterSet set;
      bool negated = parseClass(set, depth);
      return failed() ? std::string() : negated ? set.negatedExpression() : set.expression();
    }
    case '.':
      return dotAll ? "(?s:.)" : "[^\\x{a}]";
    case '^':
      return "(?m:^)";
    case '$':
      return "(?m:$)";
    case '\\':
      return parseEscape();
    case '*':
    case '+':
    case '?':
      return corrupt("nothing to repeat");
    default:
      return literalCharacter(c);
    }
  }

  std::string literalCharacter(char32_t c) {
    if (ignoreCase && c >= 0x80)
      return unsupported("a character beyond ASCII, with case ignored,");
    literal = c;
    return escaped(c);
  }

  std::string parseGroup(unsigned depth) {
    OptionScope scope(*this);
    std::string open = "(?:";
    if (takeText("?#")) {
      while (position < pattern.size() && peek() != ')')
        take();
      if (take() != ')')
        return corrupt("a comment with no end");
      return {};
    }
    if (startsWith("?<=") || startsWith("?<!")) {
      open = "(" + std::string(pattern.substr(position, 3));
      position += 3;
    } else if (startsWith("?=") || startsWith("?!") || startsWith("?>") || startsWith("?:")) {
      open = "(" + std::string(pattern.substr(position, 2));
      position += 2;
    } else if (startsWith("?<") || startsWith("?'")) {
      char32_t close = pattern[position + 1] == '<' ? U'>' : U'\'';
      position += 2;
      while (position < pattern.size() && peek() != close)
        take();
      if (take() != close)
        return corrupt("a group name with no end");
    } else if (startsWith("?")) {
      --position;
      std::string options = takeOptions();
      if (position == 0 || pattern[position - 1] != ':')
        return unsupported("this kind of group");
      applyOptions(options);
      open = caseGroup();
    }
    std::string body = parseAlternation(depth + 1);
    if (!failed() && take() != ')')
      return corrupt("a group with no end");
    literal = 0;
    return open + body + ")";
  }

  /// Reads what repeats `atom` and writes it behind. Returns whether there was anything.
  bool parseQuantifiers(std::string &atom) {
    bool any = false;
    while (!failed()) {
      uint32_t low = 0;
      std::optional<uint32_t> high;
      bool interval = false;
      char32_t c = peek();
      if (c == '*' || c == '+') {
        low = c == '+';
        take();
      } else if (c == '?') {
        high = 1;
        take();
      } else if (c == '{' && parseInterval(low, high)) {
        interval = true;
      } else {
        return any;
      }
      if (atom.empty()) {
        corrupt("nothing to repeat");
        return any;
      }
      if (low > maximumRepeat || (high && (*high > maximumRepeat || *high < low))) {
        unsupported("this number of repetitions");
        return any;
      }
      std::string bounds = "{" + std::to_string(low) + ",";
      if (high)
        bounds += std::to_string(*high);
      bounds += "}";
      if (low <= 1 && !high)
        bounds = low == 0 ? "*" : "+";
      // PCRE2 repeats a single character or class much faster than a group.
      bool isSingle = !any && (literal != 0 || atom.front() == '[');
      std::string repeated = isSingle ? atom : group(atom);
      repeated += bounds;
      if (interval && high && *high == low && fixedInterval && peek() == '?') {
        // {n}? is an option, not a lazy repetition.
        take();
        repeated = group(repeated);
        repeated += '?';
      } else if (peek() == '?') {
        take();
        repeated += "?";
      } else if (!interval && peek() == '+') {
        take();
        repeated += "+";
      }
      atom = repeated;
      any = true;
    }
    return any;
  }

  /// Reads {n}, {n,}, {,m} or {n,m}; anything else leaves a literal '{'.
  bool parseInterval(uint32_t &low, std::optional<uint32_t> &high) {
    size_t at = position + 1;
    auto number = [&]() -> std::optional<uint32_t> {
      std::optional<uint32_t> value;
      for (; at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9'; ++at) {
        value = value.value_or(0) * 10 + static_cast<uint32_t>(pattern[at] - '0');
        *value = *value > maximumRepeat ? maximumRepeat + 1 : *value;
      }
      return value;
    };
    std::optional<uint32_t> first = number();
    std::optional<uint32_t> second = first;
    fixedInterval = true;
    if (at < pattern.size() && pattern[at] == ',') {
      ++at;
      second = number();
      fixedInterval = false;
      if (!first && !second)
        return false;
    }
    if ((!first && !second) || at == pattern.size() || pattern[at] != '}')
      return false;
    position = at + 1;
    low = first.value_or(0);
    high = second;
    return true;
  }

  std::string parseEscape() {
    char32_t c = peek();
    switch (c) {
    case 'A':
    case 'z':
    case 'Z':
      take();
      return "\\" + std::string(1, static_cast<char>(c));
    case 'b':
    case 'B': {
      take();
      std::string word = "[" + std::string(onigurumaWordItems) + "]";
      if (c == 'b')
        return "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))";
      return "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))";
    }
    case 'R':
      take();
      return "(?>\\x{d}\\x{a}|[\\x{a}-\\x{d}\\x{85}\\x{2028}\\x{2029}])";
    default:
      break;
    }
    CharacterSet set;
    char32_t single = endOfPattern;
    parseClassEscape(set, single, /*insideClass=*/false);
    if (failed())
      return {};
    return single == endOfPattern ? set.expression() : literalCharacter(single);
  }

  /// Reads an escape that is one character (`single`) or a set, after the backslash.
  void parseClassEscape(CharacterSet &set, char32_t &single, bool insideClass) {
    char32_t c = take();
    auto addSet = [&](const PropertyItems &property, bool negated) {
      if (ignoreCase && property.isCased && insideClass)
        unsupported("a class with a property of case, with case ignored,");
      else if (negated)
        set.others.push_back("[^" + property.items + "]");
      else
        set.items += property.items;
    };
    switch (c) {
    case 's':
    case 'S':
      return addSet({whitespaceItems}, c == 'S');
    case 'd':
    case 'D':
      return addSet({"\\p{Nd}"}, c == 'D');
    case 'w':
    case 'W':
      return addSet({onigurumaWordItems}, c == 'W');
    case 'h':
    case 'H':
      return addSet({"0-9A-Fa-f"}, c == 'H');
    case 'p':
    case 'P': {
      bool negated = c == 'P';
      if (take() != '{') {
        unsupported("\\p with no brace");
        return;
      }
      if (peek() == '^') {
        take();
        negated = !negated;
      }
      size_t end = pattern.find('}', position);
      if (end == std::string_view::npos) {
        corrupt("a property with no end");
        return;
      }
      std::optional<PropertyItems> property =
          findProperty(pattern.substr(position, end - position));
      if (!property) {
        unsupported("this property");
        return;
      }
      position = end + 1;
      return addSet(*property, negated);
    }
    case 't':
      single = '\t';
      return;
    case 'n':
      single = '\n';
      return;
    case 'r':
      single = '\r';
      return;
    case 'f':
      single = '\f';
      return;
    case 'v':
      single = '\v';
      return;
    case 'a':
      single = 0x07;
      return;
    case 'e':
      single = 0x1b;
      return;
    case 'b':
      single = 0x08; // Only inside a class.
      return;
    case 'x':
      if (peek() == '{') {
        take();
        single = takeNumber(16, 8);
        if (take() != '}')
          corrupt("a character number with no end");
      } else {
        single = takeNumber(16, 2);
        if (single >= 0x80)
          unsupported("a byte beyond ASCII");
      }
      break;
    case 'u': {
      size_t begin = position;
      single = takeNumber(16, 4);
      if (!failed() && position - begin != 4)
        corrupt("expected four hexadecimal digits");
      break;
    }
    case '0':
      --position;
      single = takeNumber(8, 3);
      break;
    case endOfPattern:
      corrupt("a backslash with nothing behind");
      return;
    default:
      if (isAsciiLetter(c) || (c >= '1' && c <= '9')) {
        unsupported(c <= '9' ? "a back reference" : "this escape");
        return;
      }
      single = c;
      return;
    }
    if (!failed() && (single > 0x10ffff || (single >= 0xd800 && single <= 0xdfff)))
      corrupt("a number that is no character");
  }

  char32_t takeNumber(unsigned base, unsigned digits) {
    char32_t value = 0;
    unsigned taken = 0;
    for (; taken < digits; ++taken) {
      char32_t c = peek();
      unsigned digit = c >= '0' && c <= '9'                     ? c - '0'
                       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                : base;
      if (digit >= base)
        break;
      take();
      value = value > 0x10ffff ? value : value * base + digit;
    }
    if (taken == 0)
      corrupt("expected a number");
    return value;
  }

  /// Reads a class after its '['. Returns whether the set is negated.
  bool parseClass(CharacterSet &result, unsigned depth) {
    if (depth > deepestGroup) {
      unsupported("nesting this deep");
      return false;
    }
    bool negated = peek() == '^';
    if (negated)
      take();
    std::vector<CharacterSet> intersected;
    CharacterSet set;
    bool first = true;
    for (;; first = false) {
      if (position >= pattern.size()) {
        corrupt("a class with no end");
        return false;
      }
      if (peek() == ']' && !first)
        break;
      if (takeText("&&")) {
        intersected.push_back(std::move(set));
        set = {};
        continue;
      }
      parseClassItem(set, depth);
      if (failed())
        return false;
    }
    take();
    if (intersected.empty()) {
      result = std::move(set);
      return negated;
    }
    std::string expression = "(?:";
    for (const CharacterSet &other : intersected)
      expression += "(?=" + other.expression() + ")";
    result.others.push_back(expression + set.expression() + ")");
    return negated;
  }

  void parseClassItem(CharacterSet &set, unsigned depth) {
    if (startsWith("[:") && parsePosixClass(set))
      return;
    if (failed())
      return;
    char32_t c = take();
    if (c == '[') {
      CharacterSet nested;
      bool negated = parseClass(nested, depth + 1);
      if (failed())
        return;
      if (negated) {
        set.others.push_back(nested.negatedExpression());
      } else {
        set.items += nested.items;
        set.others.insert(set.others.end(), nested.others.begin(), nested.others.end());
      }
      return;
    }
    if (c == '\\') {
      char32_t single = endOfPattern;
      parseClassEscape(set, single, /*insideClass=*/true);
      if (failed())
        return;
      if (single == endOfPattern) {
        if (peek() == '-' && pattern.substr(position, 2) != "-]")
          corrupt("a range that begins with a set");
        return;
      }
      c = single;
    }
    char32_t last = c;
    if (peek() == '-' && position + 1 < pattern.size() && pattern[position + 1] != ']' &&
        pattern.substr(position, 3) != "-&&") {
      take();
      last = take();
      if (last == '[') {
        unsupported("a range that ends with a set");
        return;
      }
      if (last == '\\') {
        CharacterSet unused;
        last = endOfPattern;
        parseClassEscape(unused, last, /*insideClass=*/true);
        if (!failed() && last == endOfPattern)
          corrupt("a range that ends with a set");
        if (failed())
          return;
      }
      if (last < c) {
        corrupt("an empty range");
        return;
      }
    }
    if (ignoreCase && last >= 0x80) {
      unsupported("a class with a character beyond ASCII, with case ignored,");
      return;
    }
    set.items += escaped(c);
    if (last != c)
      set.items += "-" + escaped(last);
  }

  bool parsePosixClass(CharacterSet &set) {
    size_t begin = position + 2;
    bool negated = begin < pattern.size() && pattern[begin] == '^';
    begin += negated;
    size_t end = pattern.find(":]", begin);
    // Without an end this is a class of its own that begins with a colon.
    if (end == std::string_view::npos || end - begin > 20 ||
        pattern.substr(begin, end - begin).find_first_of("[]\\") != std::string_view::npos)
      return false;
    std::optional<PropertyItems> property = findPosixClass(pattern.substr(begin, end - begin));
    if (!property || (ignoreCase && property->isCased)) {
      unsupported("this POSIX class");
      return false;
    }
    position = end + 2;
    if (negated)
      set.others.push_back("[^" + property->items + "]");
    else
      set.items += property->items;
    return true;
  }

  std::string_view pattern;
  size_t position = 0;
  llmc_status status = llmc_ok_status();
  bool ignoreCase = false;
  bool dotAll = false;
  /// Whether the interval read last is {n} rather than {n,m}.
  bool fixedInterval = false;
  /// The atom read last, if it is one literal character.
  char32_t literal = 0;
  /// The letter before it, if case is ignored and nothing stands between.
  char32_t previousLetter = 0;
};

} // namespace

llmc_status translateOniguruma(std::string_view pattern, std::string &translated) {
  return Translator(pattern).run(translated);
}

} // namespace llmc::tokenizer
