//===- DriverTest.cpp - the seam between the runtime and a device ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeDevice.h"
#include "ModelLife.h"
#include "TestSession.h"

using namespace llmc::test;

namespace {

llmc_status live(const char *path, const llmc_driver *driver) {
  llmc_model_options options = llmc_model_default_options();
  options.driver = driver;
  return llmc::test::live(path, options);
}

TEST(Driver, EveryFailureIsReported) {
  TemporaryFile file(makeArtifact());
  int calls = 0;
  {
    FakeDevice device;
    llmc_status status = live(file.path(), device);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
    calls = device.count;
  }
  ASSERT_GT(calls, 10);
  for (int failing = 1; failing <= calls; ++failing) {
    FakeDevice device;
    device.failing = failing;
    expectStatus(live(file.path(), device), LLMC_IO_ERROR, "the device is lost");
  }
}

TEST(Driver, OthersVersionsAreRefused) {
  llmc_driver driver = *llmc_cpu_driver();
  ++driver.version;
  TemporaryFile file(makeArtifact());
  expectStatus(live(file.path(), &driver), LLMC_VERSION_MISMATCH, "expected driver version 1");
}

TEST(Driver, TheProgramIsTheDrivers) {
  FakeDevice device;
  Model model(4, device);
  llmc_model_info info;
  llmc_model_get_info(model, &info);
  EXPECT_STREQ(info.driver, "fake");
  EXPECT_STREQ(info.variant, "one worker");
  EXPECT_EQ(info.threads, 1u);
}

TEST(Driver, LogitsAreCopiedWhenTheyAreLookedAt) {
  FakeDevice device;
  Model model(1, device);
  Session session(model);
  session.evaluate({1, 2, 3});
  EXPECT_EQ(device.calls["read"], 0);
  session.expect({1, 2, 3});
  EXPECT_TRUE(session.hasLogits());
  EXPECT_EQ(device.calls["read"], 1);
  session.evaluate({4});
  session.expect({1, 2, 3, 4});
  EXPECT_EQ(device.calls["read"], 2);
}

TEST(Driver, PromptsAreNotWaitedForInTheMiddle) {
  FakeDevice device;
  Model model(1, device);
  Session session(model);
  session.evaluate(makeTokens(4 * fakeMaxRows));
  EXPECT_EQ(device.calls["run"], 4);
  EXPECT_EQ(device.calls["wait"], 2);
  session.expect(makeTokens(4 * fakeMaxRows));
}

} // namespace
