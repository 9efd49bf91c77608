//===- StatusTest.cpp - tests of the status value -------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that messages are cut at whole characters and annotated.
//
//===----------------------------------------------------------------------===//

#include "llmc/status.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(Status, OkHasNoMessage) {
  llmc_status status = llmc_ok_status();
  EXPECT_TRUE(llmc_status_ok(&status));
  EXPECT_STREQ(status.message, "");
  EXPECT_EQ(llmc_annotate_status(status, "context").code, LLMC_OK);
}

TEST(Status, Annotates) {
  llmc_status status = llmc_annotate_status(llmc_make_status(LLMC_NOT_FOUND, "no %d", 7), "file");
  EXPECT_EQ(status.code, LLMC_NOT_FOUND);
  EXPECT_STREQ(status.message, "file: no 7");
}

TEST(Status, LongMessagesEndWithAWholeCharacter) {
  for (size_t size = 495; size < 515; ++size) {
    std::string text = std::string(size, 'a') + "\u20ac\u20ac\u20ac";
    llmc_status status = llmc_make_status(LLMC_CORRUPT, "%s", text.c_str());
    std::string message = status.message;
    EXPECT_LT(message.size(), size_t(LLMC_STATUS_MESSAGE_SIZE));
    EXPECT_GE(message.size() + 3, std::min(text.size(), size_t(LLMC_STATUS_MESSAGE_SIZE) - 1));
    EXPECT_EQ(text.compare(0, message.size(), message), 0);
    EXPECT_EQ(message.size() <= size ? 0 : (message.size() - size) % 3, 0u);
  }
}

TEST(Status, CodesHaveNames) {
  EXPECT_STREQ(llmc_status_code_name(LLMC_OK), "ok");
  EXPECT_STREQ(llmc_status_code_name(LLMC_INTERNAL), "internal");
  EXPECT_STREQ(llmc_status_code_name(-1), "unknown");
  EXPECT_STREQ(llmc_status_code_name(LLMC_INTERNAL + 1), "unknown");
}

} // namespace
