//===- StatisticsFile.cpp - statistics of all sites in one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StatisticsFile.h"

#include "llvm/Support/Endian.h"
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
  int64_t elementBytes;
  unsigned rank;
};
constexpr Kind kindTable[] = {{SecondMoment, "second_moment", "F64", 8, 2},
                              {Mean, "mean", "F32", 4, 1},
                              {MeanMagnitude, "mean_magnitude", "F32", 4, 1},
                              {MaxMagnitude, "max_magnitude", "F32", 4, 1}};

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

/// Reads as many bytes as `expected` has and compares.
static bool startsWith(int descriptor, StringRef expected) {
  std::string found(expected.size(), '\0');
  return pread(descriptor, found.data(), found.size(), 0) == static_cast<ssize_t>(found.size()) &&
         expected == found;
}

llvm::Expected<std::unique_ptr<StatisticsWriter>>
StatisticsWriter::create(StringRef path, ArrayRef<Cut> cuts, unsigned kinds, StringRef model,
                         StringRef tokens, int64_t rows, bool goOn) {
  std::unique_ptr<StatisticsWriter> writer(new StatisticsWriter());
  writer->path = path.str();
  writer->partial = writer->path + ".partial";
  writer->goOn = goOn;
  int64_t size = 0;
  llvm::json::Object header, sites;
  for (const Cut &cut : cuts) {
    if (cut.startsBlock)
      continue;
    std::string site = getSiteName(cut);
    for (ParameterOp parameter : cut.parameters)
      sites[parameter.getSymName()] = site;
    for (const Kind &kind : kindTable) {
      if (!(kinds & kind.bit))
        continue;
      std::string name = getTensorName(site, kind);
      SmallVector<int64_t> shape = getShape(kind, getWidth(cut));
      int64_t bytes = kind.elementBytes;
      for (int64_t dim : shape)
        bytes *= dim;
      header[name] = llvm::json::Object{{"dtype", kind.type},
                                        {"shape", llvm::json::Array(shape)},
                                        {"data_offsets", llvm::json::Array{size, size + bytes}}};
      writer->offsets[name] = size;
      size += bytes;
    }
  }
  std::string siteText;
  llvm::raw_string_ostream(siteText) << llvm::json::Value(std::move(sites));
  header["__metadata__"] = llvm::json::Object{{"format", formatName},
                                              {"model", model},
                                              {"tokens", tokens},
                                              {"rows", std::to_string(rows)},
                                              {"weights", siteText}};
  std::string text(8, '\0');
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(header));
  text.append((64 - text.size() % 64) % 64, ' ');
  llvm::support::endian::write64le(text.data(), text.size() - 8);
  for (auto &offset : writer->offsets)
    offset.second += text.size();

  writer->descriptor = open(writer->partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (writer->descriptor < 0)
    return writer->fail("write");
  if (!goOn)
    llvm::sys::RemoveFileOnSignal(writer->partial);
  if (goOn && startsWith(writer->descriptor, text))
    return writer;
  if (ftruncate(writer->descriptor, 0) != 0)
    return writer->fail("write");
  // Space is taken now, so that a full disk is found before the work and not after it.
  if (int error = posix_fallocate(writer->descriptor, 0, text.size() + size)) {
    errno = error;
    return writer->fail("write");
  }
  if (llvm::Error error = writer->writeBytes(0, llvm::arrayRefFromStringRef(text)))
    return std::move(error);
  return writer;
}

StatisticsWriter::~StatisticsWriter() {
  if (descriptor < 0)
    return;
  close(descriptor);
  if (!goOn)
    unlink(partial.c_str());
  llvm::sys::DontRemoveFileOnSignal(partial);
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
    auto offset = offsets.find(getTensorName(getSiteName(cut), kind));
    if (offset == offsets.end())
      continue;
    if (llvm::Error error = writeBytes(offset->second, getBytes(statistics, kind.bit)))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error StatisticsWriter::finish() {
  int result = close(descriptor);
  descriptor = -1;
  if (result != 0 || std::rename(partial.c_str(), path.c_str()) != 0) {
    llvm::Error error = fail("write");
    unlink(partial.c_str());
    return error;
  }
  llvm::sys::DontRemoveFileOnSignal(partial);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

llvm::Error StatisticsReader::fail(const Twine &what) const {
  return llvm::createStringError(Twine("'") + path + "': " + what);
}

llvm::Expected<StatisticsReader> StatisticsReader::open(StringRef path, StringRef model,
                                                        StringRef tokens) {
  StatisticsReader reader;
  reader.path = path.str();
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return reader.fail("cannot read statistics: " + file.getError().message());
  reader.file = std::move(*file);
  StringRef bytes = reader.file->getBuffer();
  uint64_t length = bytes.size() < 8 ? 0 : llvm::support::endian::read64le(bytes.data());
  if (bytes.size() < 8 || length > bytes.size() - 8)
    return reader.fail("expected statistics, found a file that is no safetensors file or is cut "
                       "short");
  llvm::Expected<llvm::json::Value> header = llvm::json::parse(bytes.substr(8, length));
  if (!header) {
    llvm::consumeError(header.takeError());
    return reader.fail("expected statistics, found a file whose header is no JSON");
  }
  llvm::json::Object *object = header->getAsObject();
  llvm::json::Object *metadata = object ? object->getObject("__metadata__") : nullptr;
  auto entry = [&](StringRef key) {
    return metadata ? metadata->getString(key).value_or("") : StringRef();
  };
  if (entry("format") != formatName)
    return reader.fail("expected statistics that llmc saved, found another safetensors file");
  if (entry("model") != model)
    return reader.fail("expected statistics of this model (" + model +
                       "), found those of another (" + entry("model") + ")");
  if (!tokens.empty() && entry("tokens") != tokens)
    return reader.fail("expected statistics of these calibration tokens (" + tokens +
                       "), found those of others (" + entry("tokens") + ")");
  llvm::Expected<llvm::json::Value> sites = llvm::json::parse(entry("weights"));
  if (!sites)
    llvm::consumeError(sites.takeError());
  if (!sites || !sites->getAsObject() || entry("rows").getAsInteger(10, reader.rows) ||
      reader.rows <= 0)
    return reader.fail("expected the sites and the number of rows among the metadata");
  reader.sites = std::move(*sites->getAsObject());
  reader.header = std::move(*object);
  reader.data = bytes.drop_front(8 + length);
  return reader;
}

llvm::Expected<StringRef> StatisticsReader::getTensor(StringRef name, StringRef type,
                                                      ArrayRef<int64_t> shape) const {
  const llvm::json::Object *tensor = header.getObject(name);
  if (!tensor)
    return fail("expected statistics '" + name + "', which were not saved");
  int64_t bytes = type == "F64" ? 8 : 4;
  for (int64_t dim : shape)
    bytes *= dim;
  const llvm::json::Array *found = tensor->getArray("shape"),
                          *ends = tensor->getArray("data_offsets");
  std::optional<int64_t> begin, end;
  if (ends && ends->size() == 2) {
    begin = (*ends)[0].getAsInteger();
    end = (*ends)[1].getAsInteger();
  }
  if (tensor->getString("dtype") != type || !found || *found != llvm::json::Array(shape) ||
      !begin || !end || *begin < 0 || *end - *begin != bytes)
    return fail("expected '" + name + "' to have " + Twine(bytes) + " bytes of type " + type);
  if (*end > static_cast<int64_t>(data.size()))
    return fail("expected " + Twine(*end) + " bytes of statistics, found " + Twine(data.size()) +
                ": the file is cut short");
  return data.substr(*begin, bytes);
}

template <typename T>
static void assign(std::vector<T> &values, StringRef bytes) {
  values.resize(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
}

llvm::Expected<InputStatistics> StatisticsReader::read(const Cut &cut, unsigned kinds) const {
  InputStatistics statistics;
  statistics.width = getWidth(cut);
  statistics.rows = rows;
  std::optional<StringRef> site = sites.getString(getSiteName(cut));
  if (!site)
    return fail("expected statistics of '" + getSiteName(cut) + "', which were not saved");
  for (const Kind &kind : kindTable) {
    if (!(kinds & kind.bit))
      continue;
    llvm::Expected<StringRef> bytes =
        getTensor(getTensorName(*site, kind), kind.type, getShape(kind, statistics.width));
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
    }
  }
  return statistics;
}
