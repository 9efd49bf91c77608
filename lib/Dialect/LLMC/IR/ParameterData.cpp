//===- ParameterData.cpp - the bytes behind llmc.parameter ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Host/ContentHash.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Process.h"

#include <sys/mman.h>

using namespace mlir;
using namespace llmc;

llvm::Error MappedFiles::open(StringRef path, Entry &entry) {
  auto fail = [&](std::error_code error) {
    return llvm::createStringError(error, "cannot read '%s': %s", path.str().c_str(),
                                   error.message().c_str());
  };
  llvm::Expected<llvm::sys::fs::file_t> file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file)
    return fail(llvm::errorToErrorCode(file.takeError()));
  llvm::scope_exit close([&] { (void)llvm::sys::fs::closeFile(*file); });
  if (!entry.contents) {
    auto contents = llvm::MemoryBuffer::getOpenFile(*file, path, /*FileSize=*/-1,
                                                    /*RequiresNullTerminator=*/false);
    if (!contents)
      return fail(contents.getError());
    entry.contents = std::move(*contents);
  }
  if (entry.expected.empty())
    return llvm::Error::success();
  std::optional<std::string> hash = ContentHash::ofFile(*file);
  if (!hash)
    return fail(llvm::errnoAsErrorCode());
  entry.found = std::move(*hash);
  return llvm::Error::success();
}

llvm::Expected<ArrayRef<uint8_t>> MappedFiles::map(StringRef path) {
  std::lock_guard<std::mutex> lock(mutex);
  Entry &entry = files[path];
  if (!entry.contents || (!entry.expected.empty() && entry.found.empty()))
    if (llvm::Error error = open(path, entry))
      return std::move(error);
  if (entry.expected != entry.found)
    return llvm::createStringError(
        "'%s': expected the weights that the module was written with (hash %s), found others (%s)",
        path.str().c_str(), entry.expected.c_str(), entry.found.c_str());
  return llvm::arrayRefFromStringRef(entry.contents->getBuffer());
}

bool MappedFiles::expectHash(StringRef path, StringRef hash) {
  std::lock_guard<std::mutex> lock(mutex);
  Entry &entry = files[path];
  if (entry.expected.empty())
    entry.expected = hash.str();
  return entry.expected == hash;
}

std::string MappedFiles::getExpectedHash(StringRef path) {
  std::lock_guard<std::mutex> lock(mutex);
  return files[path].expected;
}

void MappedFiles::release(ArrayRef<uint8_t> bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  for (const auto &entry : files) {
    const std::unique_ptr<llvm::MemoryBuffer> &file = entry.second.contents;
    // Small files are read and not mapped: their memory would come back empty.
    if (!file || file->getBufferKind() != llvm::MemoryBuffer::MemoryBuffer_MMap)
      continue;
    ArrayRef<uint8_t> all = llvm::arrayRefFromStringRef(file->getBuffer());
    if (bytes.begin() < all.begin() || bytes.end() > all.end())
      continue;
    // Whole pages; what lies beside is read from the file again, too.
    uintptr_t page = llvm::sys::Process::getPageSizeEstimate();
    uint64_t before = reinterpret_cast<uintptr_t>(bytes.begin()) % page;
    madvise(const_cast<uint8_t *>(bytes.begin()) - before, bytes.size() + before, MADV_DONTNEED);
    return;
  }
}

FailureOr<int64_t> llmc::getParameterByteSize(RankedTensorType type,
                                              function_ref<InFlightDiagnostic()> emitError) {
  if (!type.hasStaticShape()) {
    emitError() << "expected a static shape, found " << type;
    return failure();
  }
  if (auto encoding = dyn_cast_or_null<EncodingInterface>(type.getEncoding()))
    return encoding.getByteSize(type.getShape(), emitError);
  if (type.getEncoding()) {
    emitError() << "expected an encoding that says how many bytes it takes, found "
                << type.getEncoding();
    return failure();
  }
  Type element = type.getElementType();
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0) {
    emitError() << "expected an element type of whole bytes, found " << element;
    return failure();
  }
  std::optional<int64_t> size = element.getIntOrFloatBitWidth() / 8;
  for (int64_t dim : type.getShape()) {
    size = llvm::checkedMul<int64_t>(*size, dim);
    if (!size) {
      emitError() << "expected a size that fits 63 bits, found " << type;
      return failure();
    }
  }
  return *size;
}

std::string llmc::spellForPeople(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  StringRef spelled = text;
  spelled.consume_front("#llmc.");
  return spelled.str();
}

std::string llmc::spellEncoding(RankedTensorType type) {
  if (Attribute encoding = type.getEncoding())
    return spellForPeople(encoding);
  return spellForPeople(TypeAttr::get(type.getElementType()));
}

FailureOr<ArrayRef<uint8_t>> llmc::getParameterBytes(ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  FailureOr<int64_t> size = getParameterByteSize(type, [&] { return parameter.emitOpError(); });
  if (failed(size))
    return failure();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(parameter.getData())) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    int64_t found = blob ? blob->getData().size() : 0;
    if (found != *size)
      return parameter.emitOpError("expected a resource of ") << *size << " bytes, found " << found;
    return ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(blob->getData().data()), *size);
  }
  auto file = cast<FileAttr>(parameter.getData());
  // Strides reach further than the elements fill.
  if (!file.getStrides().empty() && *size != 0) {
    int64_t element = type.getElementTypeBitWidth() / 8;
    std::optional<int64_t> last = 0;
    for (auto [dim, stride] : llvm::zip(type.getShape(), file.getStrides())) {
      std::optional<int64_t> reach = llvm::checkedMul<int64_t>(dim - 1, stride);
      last = reach && last ? llvm::checkedAdd<int64_t>(*last, *reach) : std::nullopt;
    }
    std::optional<int64_t> extent =
        last ? llvm::checkedMulAdd<int64_t>(*last, element, element) : std::nullopt;
    if (!extent)
      return parameter.emitOpError("expected strides whose reach fits 63 bits");
    size = *extent;
  }
  llvm::Expected<ArrayRef<uint8_t>> contents =
      parameter.getContext()->getLoadedDialect<LLMCDialect>()->getMappedFiles().map(file.getPath());
  if (!contents)
    return parameter.emitOpError(llvm::toString(contents.takeError()));
  int64_t available = contents->size();
  if (file.getOffset() > available || *size > available - file.getOffset())
    return parameter.emitOpError("expected ")
           << *size << " bytes at offset " << file.getOffset() << " of '" << file.getPath()
           << "', found a file of " << available << " bytes";
  return contents->slice(file.getOffset(), *size);
}

void llmc::releaseFile(ParameterOp parameter) {
  if (!isa<FileAttr>(parameter.getData()))
    return;
  FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
  if (succeeded(bytes))
    parameter.getContext()->getLoadedDialect<LLMCDialect>()->getMappedFiles().release(*bytes);
}

FailureOr<ParameterReader> ParameterReader::get(ParameterOp parameter) {
  ParameterReader reader;
  RankedTensorType type = parameter.getTensorType();
  ArrayRef<int64_t> shape = type.getShape();
  FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
  if (failed(bytes))
    return failure();
  reader.element = type.getElementType();
  if (auto encoding = dyn_cast_or_null<EncodingInterface>(type.getEncoding()))
    reader.encoded.emplace(encoding, shape, *bytes);
  reader.bytes = *bytes;
  reader.rows = shape.size() == 2 ? shape[0] : 1;
  reader.columns = shape.back();
  reader.rowStride = reader.columns;
  reader.columnStride = 1;
  if (auto file = dyn_cast<FileAttr>(parameter.getData()); file && !file.getStrides().empty()) {
    reader.rowStride = shape.size() == 2 ? file.getStrides()[0] : 0;
    reader.columnStride = file.getStrides().back();
  }
  return reader;
}

void ParameterReader::readRow(int64_t row, MutableArrayRef<float> values) const {
  if (encoded)
    return encoded->decode(row, values);
  for (int64_t column = 0; column < columns; ++column)
    values[column] = readFloat(bytes.data(), row * rowStride + column * columnStride, element);
}

Attribute llmc::makeParameterData(MLIRContext *context, StringRef name,
                                  std::vector<uint8_t> bytes) {
  auto *owned = new std::vector<uint8_t>(std::move(bytes));
  auto type =
      RankedTensorType::get({static_cast<int64_t>(owned->size())}, IntegerType::get(context, 8));
  AsmResourceBlob blob(
      ArrayRef<char>(reinterpret_cast<const char *>(owned->data()), owned->size()),
      /*dataAlignment=*/64, [owned](void *, size_t, size_t) { delete owned; },
      /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

void llmc::setParameter(ParameterOp parameter, RankedTensorType type, Attribute data) {
  // What it was rounded from is no longer known.
  if (parameter.getData() != data)
    parameter->removeAttr(originalAttributeName);
  parameter.setType(type);
  parameter.setDataAttr(data);
  std::optional<SymbolTable::UseRange> uses =
      SymbolTable::getSymbolUses(parameter, parameter->getParentOp());
  if (!uses)
    return;
  for (SymbolTable::SymbolUse use : *uses)
    if (auto read = dyn_cast<ParameterValueOp>(use.getUser()))
      read.getResult().setType(type);
}

SmallVector<ParameterOp> llmc::getParametersOf(Value value) {
  llvm::SetVector<Operation *> parameters;
  llvm::SetVector<Value> sources;
  sources.insert(value);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (auto read = sources[i].getDefiningOp<ParameterValueOp>()) {
      if (auto parameter =
              SymbolTable::lookupNearestSymbolFrom<ParameterOp>(read, read.getParameterAttr()))
        parameters.insert(parameter);
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(sources[i]);
    auto function =
        argument ? dyn_cast_or_null<func::FuncOp>(argument.getOwner()->getParentOp()) : nullptr;
    if (!function)
      continue;
    std::optional<SymbolTable::UseRange> uses =
        SymbolTable::getSymbolUses(function, function->getParentOp());
    if (!uses)
      continue;
    for (SymbolTable::SymbolUse use : *uses)
      if (auto call = dyn_cast<func::CallOp>(use.getUser()))
        sources.insert(call.getOperand(argument.getArgNumber()));
  }
  return llvm::map_to_vector(parameters, [](Operation *op) { return cast<ParameterOp>(op); });
}
