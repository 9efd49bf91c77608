//===- UnicodeScripts.cpp - runs of one script ---------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the regular expression from the names of the scripts.
//
//===----------------------------------------------------------------------===//

#include "UnicodeScripts.h"

#include "CharacterAge.h"

#include <algorithm>
#include <string_view>

namespace llmc::tokenizer {

/// All scripts but those that count as Han.
static constexpr std::string_view scripts =
    "Adlam Ahom AnatolianHieroglyphs Arabic Armenian Avestan Balinese Bamum BassaVah Batak "
    "Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid CanadianAboriginal Carian "
    "CaucasianAlbanian Chakma Cham Cherokee Common Coptic Cuneiform Cypriot Cyrillic Deseret "
    "Devanagari Duployan EgyptianHieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic "
    "Grantha Greek Gujarati Gurmukhi Hangul Hanunoo Hatran Hebrew ImperialAramaic Inherited "
    "InscriptionalPahlavi InscriptionalParthian Javanese Kaithi Kannada KayahLi Kharoshthi "
    "Khmer Khojki Khudawadi Lao Latin Lepcha Limbu LinearA LinearB Lisu Lycian Lydian Mahajani "
    "Malayalam Mandaic Manichaean Marchen MeeteiMayek MendeKikakui MeroiticCursive "
    "MeroiticHieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean NewTaiLue Newa Nko "
    "Ogham OlChiki OldHungarian OldItalic OldNorthArabian OldPermic OldPersian OldSouthArabian "
    "OldTurkic Oriya Osage Osmanya PahawhHmong Palmyrene PauCinHau PhagsPa Phoenician "
    "PsalterPahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting "
    "Sinhala SoraSompeng Sundanese SylotiNagri Syriac Tagalog Tagbanwa TaiLe TaiTham TaiViet "
    "Takri Tamil Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Ugaritic Vai WarangCiti Yi";

namespace {

/// Characters that PCRE2's tables give to another script.
struct Moved {
  std::string_view script;
  std::string_view items;
};

} // namespace

/// The sign that lengthens a vowel in Japanese is a common character elsewhere; the others have
/// changed their script after Unicode 9.
static constexpr Moved movedCharacters[] = {
    {"Han", "\\x{30fc}"}, {"Common", "\\x{589}\\x{61c}"}, {"Devanagari", "\\x{953}\\x{954}"}};

/// Makes the expression of a run of one script, whose characters by PCRE2's tables are `items`.
static std::string makeRun(std::string_view script, std::string items) {
  std::string others;
  for (const Moved &moved : movedCharacters)
    (moved.script == script ? items : others) += moved.items;
  return "(?!(?&none)|[" + others + "])[" + items + "](?:(?&none)|(?![" + others + "])[" + items +
         "])*+";
}

std::string makeScriptRuns() {
  std::string known = "\\p{sc:Han}\\p{sc:Hiragana}\\p{sc:Katakana}";
  std::string runs = makeRun("Han", known);
  for (size_t begin = 0; begin < scripts.size();) {
    size_t end = std::min(scripts.find(' ', begin), scripts.size());
    std::string_view script = scripts.substr(begin, end - begin);
    const std::string items = "\\p{sc:" + std::string(script) + "}";
    known += items;
    runs += "|" + makeRun(script, items);
    begin = end + 1;
  }
  // Written once and called, as the list is long. What came to a script after Unicode 9 has none.
  return "(?(DEFINE)(?<none>[ " + makeNewerThanUnicode9Items() + "]|[^" + known + "]))(?:" + runs +
         ")";
}

} // namespace llmc::tokenizer
