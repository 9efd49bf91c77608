//===- StatisticsFile.cpp - statistics of all sites in one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StatisticsFile.h"

#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"

#include <cstring>
#include <fcntl.h>
#include <unistd.h>

using namespace mlir;
using namespace llmc;

namespace {

constexpr StringLiteral formatName = "llmc-statistics";

/// One kind of statistics as tensors of the file.
struct Kind {
  Statistics bit;
  StringLiteral suffix, type;
  unsigned rank;
};
constexpr Kind kindTable[] = {{SecondMoment, "second_moment", "F64", 2},
                              {Mean, "mean", "F32", 1},
                              {MeanMagnitude, "mean_magnitude", "F32", 1},
                              {MaxMagnitude, "max_magnitude", "F32", 1},
                              {Variance, "variance", "F32", 1}};

SmallVector<int64_t> getShape(const Kind &kind, int64_t width) {
  return SmallVector<int64_t>(kind.rank, width);
}

int64_t getWidth(const Cut &cut) {
  return cast<RankedTensorType>(cut.value.getType()).getDimSize(1);
}

std::string getSiteName(const Cut &cut) {
  ParameterOp first = cut.parameters.front();
  return first.getSymName().str();
}

std::string getTensorName(StringRef site, const Kind &kind) {
  return (site + "." + kind.suffix).str();
}

template <typename T>
ArrayRef<uint8_t> asBytes(const std::vector<T> &values) {
  return ArrayRef(reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(T));
}

ArrayRef<uint8_t> getBytes(const InputStatistics &statistics, Statistics kind) {
  switch (kind) {
  case SecondMoment:
    return asBytes(statistics.secondMoment);
  case Mean:
    return asBytes(statistics.mean);
  case MeanMagnitude:
    return asBytes(statistics.meanMagnitude);
  case MaxMagnitude:
    return asBytes(statistics.maxMagnitude);
  case Variance:
    return asBytes(statistics.variance);
  }
  return {};
}

} // namespace

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

llvm::Error StatisticsWriter::fail(StringRef what) const {
  return llvm::createStringError("cannot %s '%s': %s", what.str().c_str(), path.c_str(),
                                 llvm::sys::StrError().c_str());
}

/// Whether the file at `path` begins with `expected`.
static bool startsWith(const std::string &path, StringRef expected) {
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return false;
  std::string found(expected.size(), '\0');
  ssize_t count = pread(descriptor, found.data(), found.size(), 0);
  close(descriptor);
  return count == static_cast<ssize_t>(found.size()) && found == expected;
}

llvm::Expected<std::unique_ptr<StatisticsWriter>>
StatisticsWriter::create(StringRef path, ArrayRef<Cut> cuts, unsigned kinds, StringRef model,
                         StringRef tokens, int64_t rows, Mode mode, bool expectPartial) {
  std::unique_ptr<StatisticsWriter> writer(new StatisticsWriter());
  writer->path = path.str();
  writer->partial = writer->path + ".partial";
  writer->keep = mode == Mode::Resumed;
  SafetensorsLayout &layout = writer->layout;
  llvm::json::Object sites;
  for (const Cut &cut : cuts) {
    if (cut.startsBlock)
      continue;
    std::string site = getSiteName(cut);
    for (ParameterOp parameter : cut.parameters)
      sites[parameter.getSymName()] = site;
    for (const Kind &kind : kindTable)
      if (kinds & kind.bit)
        layout.add(getTensorName(site, kind), kind.type, getShape(kind, getWidth(cut)));
  }
  std::string siteText;
  llvm::raw_string_ostream(siteText) << llvm::json::Value(std::move(sites));
  layout.setMetadata("format", formatName);
  layout.setMetadata("model", model);
  layout.setMetadata("tokens", tokens);
  layout.setMetadata("rows", std::to_string(rows));
  layout.setMetadata("weights", siteText);
  std::string header = layout.getHeader();
  writer->dataOffset = header.size();

  bool resumed = writer->keep && startsWith(writer->partial, header);
  if (expectPartial && !resumed) {
    if (startsWith(writer->path, header))
      return nullptr;
    return llvm::createStringError(
        "cannot go on with '%s': expected '%s' to have the statistics of finished blocks",
        writer->path.c_str(), writer->partial.c_str());
  }
  if (writer->keep) {
    // Known by its name when the work goes on; a link of that name is none of ours.
    writer->descriptor =
        open(writer->partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (writer->descriptor < 0)
      return writer->fail("write");
  } else {
    if (std::string problem = writer->replacement.create(writer->path); !problem.empty())
      return llvm::createStringError("cannot write '%s': %s", writer->path.c_str(),
                                     problem.c_str());
    writer->descriptor = writer->replacement.getDescriptor();
    llvm::sys::RemoveFileOnSignal(writer->replacement.getTemporary());
  }
  if (resumed)
    return writer;
  if (ftruncate(writer->descriptor, 0) != 0)
    return writer->fail("write");
  // Space is taken now, so that a full disk is found before the work and not after it.
  if (int error = posix_fallocate(writer->descriptor, 0, header.size() + layout.getByteSize())) {
    errno = error;
    return writer->fail("write");
  }
  if (llvm::Error error = writer->writeBytes(0, llvm::arrayRefFromStringRef(header)))
    return std::move(error);
  return writer;
}

StatisticsWriter::~StatisticsWriter() {
  if (descriptor < 0)
    return;
  if (keep) {
    close(descriptor);
    return;
  }
  replacement.discard();
  llvm::sys::DontRemoveFileOnSignal(replacement.getTemporary());
}

llvm::Error StatisticsWriter::writeBytes(int64_t offset, ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t count =
        llvm::sys::RetryAfterSignal(-1, pwrite, descriptor, bytes.data(), bytes.size(), offset);
    if (count <= 0)
      return fail("write");
    bytes = bytes.drop_front(count);
    offset += count;
  }
  return llvm::Error::success();
}

llvm::Error StatisticsWriter::write(const Cut &cut, const InputStatistics &statistics) {
  for (const Kind &kind : kindTable) {
    std::optional<int64_t> offset = layout.find(getTensorName(getSiteName(cut), kind));
    if (!offset)
      continue;
    if (llvm::Error error = writeBytes(dataOffset + *offset, getBytes(statistics, kind.bit)))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error StatisticsWriter::finish() {
  if (!keep) {
    descriptor = -1;
    std::string problem = replacement.commit();
    llvm::sys::DontRemoveFileOnSignal(replacement.getTemporary());
    if (!problem.empty())
      return llvm::createStringError("cannot write '%s': %s", path.c_str(), problem.c_str());
    return llvm::Error::success();
  }
  int result = close(descriptor);
  descriptor = -1;
  if (result != 0 || std::rename(partial.c_str(), path.c_str()) != 0) {
    llvm::Error error = fail("write");
    unlink(partial.c_str());
    return error;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

llvm::Expected<StatisticsReader> StatisticsReader::open(StringRef path, StringRef model,
                                                        StringRef tokens) {
  llvm::Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  if (!file)
    return file.takeError();
  if (file->getMetadata("format") != formatName)
    return file->fail("expected statistics that llmc saved, found another safetensors file");
  auto check = [&](StringRef key, StringRef expected) -> llvm::Error {
    StringRef found = file->getMetadata(key);
    if (expected.empty() || found == expected)
      return llvm::Error::success();
    return file->fail("expected statistics of the " + key + " " + expected +
                      ", found those of another (" + found + ")");
  };
  if (llvm::Error error = check("model", model))
    return std::move(error);
  if (llvm::Error error = check("tokens", tokens))
    return std::move(error);
  llvm::Expected<llvm::json::Object> sites = file->getMetadataObject("weights");
  if (!sites)
    return sites.takeError();
  StatisticsReader reader(std::move(*file));
  if (reader.file.getMetadata("rows").getAsInteger(10, reader.rows) || reader.rows <= 0)
    return reader.file.fail("expected a number of rows among the metadata");
  reader.sites = std::move(*sites);
  return reader;
}

template <typename T>
static void assign(std::vector<T> &values, ArrayRef<uint8_t> bytes) {
  values.resize(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
}

llvm::Expected<InputStatistics> StatisticsReader::read(const Cut &cut, unsigned kinds) const {
  InputStatistics statistics;
  statistics.width = getWidth(cut);
  statistics.rows = rows;
  std::optional<StringRef> site = sites.getString(getSiteName(cut));
  if (!site)
    return file.fail("expected statistics of '" + getSiteName(cut) + "', which were not saved");
  for (const Kind &kind : kindTable) {
    if (!(kinds & kind.bit))
      continue;
    llvm::Expected<ArrayRef<uint8_t>> bytes =
        file.getTensor(getTensorName(*site, kind), kind.type, getShape(kind, statistics.width));
    if (!bytes)
      return bytes.takeError();
    switch (kind.bit) {
    case SecondMoment:
      assign(statistics.secondMoment, *bytes);
      break;
    case Mean:
      assign(statistics.mean, *bytes);
      break;
    case MeanMagnitude:
      assign(statistics.meanMagnitude, *bytes);
      break;
    case MaxMagnitude:
      assign(statistics.maxMagnitude, *bytes);
      break;
    case Variance:
      assign(statistics.variance, *bytes);
      break;
    }
  }
  return statistics;
}
