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

std::string makeScriptRuns() {
  const std::string han = "\\p{sc:Han}\\p{sc:Hiragana}\\p{sc:Katakana}\\x{30fc}";
  std::string known = han;
  std::string runs = "(?!(?&none))[" + han + "](?:(?&none)|[" + han + "])*+";
  for (size_t begin = 0; begin < scripts.size();) {
    size_t end = std::min(scripts.find(' ', begin), scripts.size());
    const std::string script = "\\p{sc:" + std::string(scripts.substr(begin, end - begin)) + "}";
    known += script;
    // The sign that lengthens a vowel in Japanese is a common character elsewhere.
    runs += "|(?!(?&none)|\\x{30fc})" + script + "(?:(?&none)|(?!\\x{30fc})" + script + ")*+";
    begin = end + 1;
  }
  // Written once and called, as the list is long. What came to a script after Unicode 9 has none.
  return "(?(DEFINE)(?<none>[ " + makeNewerThanUnicode9Items() + "]|[^" + known + "]))(?:" + runs +
         ")";
}

} // namespace llmc::tokenizer
