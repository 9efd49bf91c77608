//===- UnicodeScripts.cpp - runs of one script ---------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the regular expression from the names of the scripts.
//
//===----------------------------------------------------------------------===//

#include "UnicodeScripts.h"

namespace llmc::tokenizer {

/// All scripts but those that count as Han.
static constexpr const char *scripts[] = {"Adlam",
                                          "Ahom",
                                          "AnatolianHieroglyphs",
                                          "Arabic",
                                          "Armenian",
                                          "Avestan",
                                          "Balinese",
                                          "Bamum",
                                          "BassaVah",
                                          "Batak",
                                          "Bengali",
                                          "Bhaiksuki",
                                          "Bopomofo",
                                          "Brahmi",
                                          "Braille",
                                          "Buginese",
                                          "Buhid",
                                          "CanadianAboriginal",
                                          "Carian",
                                          "CaucasianAlbanian",
                                          "Chakma",
                                          "Cham",
                                          "Cherokee",
                                          "Common",
                                          "Coptic",
                                          "Cuneiform",
                                          "Cypriot",
                                          "Cyrillic",
                                          "Deseret",
                                          "Devanagari",
                                          "Duployan",
                                          "EgyptianHieroglyphs",
                                          "Elbasan",
                                          "Ethiopic",
                                          "Georgian",
                                          "Glagolitic",
                                          "Gothic",
                                          "Grantha",
                                          "Greek",
                                          "Gujarati",
                                          "Gurmukhi",
                                          "Hangul",
                                          "Hanunoo",
                                          "Hatran",
                                          "Hebrew",
                                          "ImperialAramaic",
                                          "Inherited",
                                          "InscriptionalPahlavi",
                                          "InscriptionalParthian",
                                          "Javanese",
                                          "Kaithi",
                                          "Kannada",
                                          "KayahLi",
                                          "Kharoshthi",
                                          "Khmer",
                                          "Khojki",
                                          "Khudawadi",
                                          "Lao",
                                          "Latin",
                                          "Lepcha",
                                          "Limbu",
                                          "LinearA",
                                          "LinearB",
                                          "Lisu",
                                          "Lycian",
                                          "Lydian",
                                          "Mahajani",
                                          "Malayalam",
                                          "Mandaic",
                                          "Manichaean",
                                          "Marchen",
                                          "MeeteiMayek",
                                          "MendeKikakui",
                                          "MeroiticCursive",
                                          "MeroiticHieroglyphs",
                                          "Miao",
                                          "Modi",
                                          "Mongolian",
                                          "Mro",
                                          "Multani",
                                          "Myanmar",
                                          "Nabataean",
                                          "NewTaiLue",
                                          "Newa",
                                          "Nko",
                                          "Ogham",
                                          "OlChiki",
                                          "OldHungarian",
                                          "OldItalic",
                                          "OldNorthArabian",
                                          "OldPermic",
                                          "OldPersian",
                                          "OldSouthArabian",
                                          "OldTurkic",
                                          "Oriya",
                                          "Osage",
                                          "Osmanya",
                                          "PahawhHmong",
                                          "Palmyrene",
                                          "PauCinHau",
                                          "PhagsPa",
                                          "Phoenician",
                                          "PsalterPahlavi",
                                          "Rejang",
                                          "Runic",
                                          "Samaritan",
                                          "Saurashtra",
                                          "Sharada",
                                          "Shavian",
                                          "Siddham",
                                          "SignWriting",
                                          "Sinhala",
                                          "SoraSompeng",
                                          "Sundanese",
                                          "SylotiNagri",
                                          "Syriac",
                                          "Tagalog",
                                          "Tagbanwa",
                                          "TaiLe",
                                          "TaiTham",
                                          "TaiViet",
                                          "Takri",
                                          "Tamil",
                                          "Tangut",
                                          "Telugu",
                                          "Thaana",
                                          "Thai",
                                          "Tibetan",
                                          "Tifinagh",
                                          "Tirhuta",
                                          "Ugaritic",
                                          "Vai",
                                          "WarangCiti",
                                          "Yi"};

std::string makeScriptRuns() {
  const std::string han = "\\p{sc:Han}\\p{sc:Hiragana}\\p{sc:Katakana}\\x{30fc}";
  std::string known = han;
  for (const char *script : scripts)
    known += std::string("\\p{sc:") + script + "}";
  // Written once and called, as the list is long.
  const std::string noScript = "(?&noScript)";
  std::string result = "(?(DEFINE)(?<noScript> |[^" + known + "]))(?:[" + han + "](?:[" + han +
                       "]|" + noScript + ")*+";
  for (const char *script : scripts) {
    // The space and the sign that lengthens a vowel in Japanese are common characters elsewhere.
    std::string member = std::string("(?![ \\x{30fc}])\\p{sc:") + script + "}";
    result += "|" + member + "(?:" + member + "|" + noScript + ")*+";
  }
  return result + ")";
}

} // namespace llmc::tokenizer
