//===- JinjaTest.cpp - tests of the template interpreter ------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests what no comparison with Python's Jinja shows: messages and their places, bounds of time and
// memory, and marks. What templates give is compared in test/integration/chat_templates.py.
//
//===----------------------------------------------------------------------===//

#include "jinja/Template.h"

#include <gtest/gtest.h>

using namespace llmc::tokenizer::jinja;

namespace {

using Runs = std::vector<llmc::tokenizer::jinja::Run>;

/// Gives what a template makes, or its error.
std::string render(const std::string &source, Text *output = nullptr) {
  Template compiled;
  llmc_status status = compiled.parse(source);
  Text text;
  if (status.code == LLMC_OK)
    status = compiled.render(
        [](Heap &heap) {
          return Variables{{"name", heap.string(Text::fromMessage("Ann <b>"))},
                           {"numbers", heap.list({Value(int64_t(1)), Value(int64_t(2))})}};
        },
        0, text);
  if (output)
    *output = text;
  return status.code == LLMC_OK ? text.str() : status.message;
}

std::string repeat(const std::string &text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i)
    result += text;
  return result;
}

TEST(Jinja, RendersATemplate) {
  EXPECT_EQ(render("{% for n in numbers %}{{ n }},{% endfor %} {{ name|upper }}"), "1,2, ANN <B>");
}

TEST(Jinja, CanBeRunAgain) {
  Template compiled;
  llmc_status status = compiled.parse("{% set n = n + 1 %}{{ n }}");
  ASSERT_EQ(status.code, LLMC_OK) << status.message;
  Text text;
  for (int64_t i = 0; i < 3; ++i) {
    status = compiled.render([i](Heap &) { return Variables{{"n", Value(i)}}; }, 0, text);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
  }
  EXPECT_EQ(text.str(), "123");
}

TEST(Jinja, ErrorsNameTheirLine) {
  EXPECT_EQ(render("a\n\n{{ 1 + }}"), "line 3: expected an expression, found '}}'");
  EXPECT_EQ(render("a\n{% if x %}\n"),
            "line 2: expected 'endif' for the block that begins at line 2, found the end of the "
            "template");
  EXPECT_EQ(render("\n{{ name.a.b }}"), "line 2: 'str object' has no attribute 'a'");
  EXPECT_EQ(render("\n{{ x.y }}"), "line 2: 'x' is undefined");
  EXPECT_EQ(render("{{ raise_exception('roles must alternate') }}"),
            "line 1: roles must alternate");
  EXPECT_EQ(render("{% macro f() %}\n{{ 1 // 0 }}{% endmacro %}\n\n{{ f() }}"),
            "line 2: integer division or modulo by zero");
}

TEST(Jinja, RefusesByNameWhatItDoesNotKnow) {
  EXPECT_EQ(render("{% include 'x' %}"), "line 1: the tag 'include' is not supported");
  EXPECT_EQ(render("{% for x in y recursive %}"), "line 1: recursive loops are not supported");
  EXPECT_EQ(render("{{ name|wordwrap }}"), "line 1: the filter 'wordwrap' is not supported");
  EXPECT_EQ(render("{{ name.encode() }}"),
            "line 1: the method 'encode' of strings is not supported");
  EXPECT_EQ(render("{{ name|nothing }}"), "line 1: No filter named 'nothing'.");
  EXPECT_EQ(render("{{ 9223372036854775807 + 1 }}"),
            "line 1: a result of more than 64 bits is not supported");
  EXPECT_EQ(render("{{ 9223372036854775808 }}"),
            "line 1: expected an integer of at most 64 bits, found 9223372036854775808");
  EXPECT_EQ(render("{{ '\\ud800' }}"), "line 1: half of a surrogate pair in a string");
}

TEST(Jinja, BoundsDepth) {
  EXPECT_NE(render("{{ " + repeat("(", 500) + "1" + repeat(")", 500) + " }}").find("100 deep"),
            std::string::npos);
  EXPECT_NE(render("{{ 1" + repeat(" + 1", 5000) + " }}").find("levels"), std::string::npos);
  EXPECT_EQ(render("{{ 1" + repeat(" + 1", 200) + " }}"), "201");
  EXPECT_NE(render("{{ name" + repeat("|trim", 5000) + " }}").find("levels"), std::string::npos);
  EXPECT_NE(render(repeat("{% if 1 %}", 500)).find("100 deep"), std::string::npos);
  EXPECT_NE(render("{{ " + repeat("not ", 5000) + "1 }}").find("100 deep"), std::string::npos);
  EXPECT_NE(render("{{ " + repeat("-", 5000) + "1 }}").find("100 deep"), std::string::npos);
  EXPECT_NE(render("{{ 1 " + repeat("if 1 else 1 ", 5000) + " }}").find("100 deep"),
            std::string::npos);
  EXPECT_NE(render("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").find("deep"),
            std::string::npos);
  EXPECT_NE(render("{% set n = namespace(a=[]) %}{% for i in range(9999) %}{% set n.a = [n.a] %}"
                   "{% endfor %}{{ n.a }}")
                .find("deep"),
            std::string::npos);
  EXPECT_NE(render("{% set n = namespace() %}{% set n.self = n %}{{ n }}").find("deep"),
            std::string::npos);
}

TEST(Jinja, BoundsTimeAndMemory) {
  std::string loops = repeat("{% for i in range(9999) %}", 3);
  EXPECT_NE(render(loops + repeat("{% endfor %}", 3)).find("too many steps"), std::string::npos);
  EXPECT_NE(render("{{ 'x' * 99999999999 }}").find("too much memory"), std::string::npos);
  EXPECT_NE(render("{{ [1] * 9223372036854775807 }}").find("too much memory"), std::string::npos);
  EXPECT_NE(render("{% set n = namespace(a='x') %}{% for i in range(99) %}"
                   "{% set n.a = n.a + n.a %}{% endfor %}")
                .find("too much memory"),
            std::string::npos);
  // A list that holds itself twice, a hundred times over.
  EXPECT_NE(render("{% set n = namespace(a=1) %}{% for i in range(90) %}"
                   "{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}")
                .find("too m"),
            std::string::npos);
  EXPECT_NE(render("{{ '%999999999d' % 1 }}").find("width"), std::string::npos);
  EXPECT_NE(render("{{ 'x'|center(99999999999) }}").find("too m"), std::string::npos);
}

TEST(Jinja, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(render("a\xff"), "expected text in UTF-8, found something else at byte 1");
}

TEST(Jinja, MarksWhatComesFromMessages) {
  Text text;
  EXPECT_EQ(render("<b>{{ name|replace('Ann', '<b>')|trim }}", &text), "<b><b> <b>");
  EXPECT_EQ(text.getMarks(), (Runs{{6, 10}}));
  EXPECT_EQ(render("{{ 'x' ~ name[1:] ~ name|length }}", &text), "xnn <b>7");
  EXPECT_EQ(text.getMarks(), (Runs{{1, 7}}));
}

TEST(Jinja, TextKeepsMarksInPieces) {
  Text text("ab");
  text.append(std::string_view("cd"), /*marked=*/true);
  text.append("ef");
  text.append(Text::fromMessage("gh"));
  EXPECT_EQ(text.getMarks(), (Runs{{2, 4}, {6, 8}}));
  EXPECT_EQ(text.slice(3, 7).getMarks(), (Runs{{0, 1}, {3, 4}}));
  EXPECT_EQ(text.slice(4, 6).getMarks(), (Runs{}));
  EXPECT_TRUE(text.isMarked(3));
  EXPECT_FALSE(text.isMarked(4));
  Text joined = text.slice(2, 4);
  joined.append(text.slice(6, 8));
  EXPECT_EQ(joined.getMarks(), (Runs{{0, 4}}));
}

} // namespace
