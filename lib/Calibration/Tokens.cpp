//===- Tokens.cpp - the tokens that a model is calibrated on ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tokens.h"
#include "CalibrationText.h"
#include "Fingerprint.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ParameterPaths.h"
#include "llmc/tokenizer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"

#include <numeric>
#include <random>

using namespace mlir;
using namespace llmc;

using llvm::createStringError;

//===----------------------------------------------------------------------===//
// Limits
//===----------------------------------------------------------------------===//

FailureOr<TokenLimits> TokenLimits::get(ModuleOp module) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal())
    return emitError(module.getLoc(), "expected a function @")
           << LLMCDialect::stepFunctionName << " that computes a step of the model";
  TokenLimits limits{INT64_MAX, INT64_MAX};
  for (Type type : step.getArgumentTypes())
    if (auto cache = dyn_cast<KVCacheType>(type))
      limits.context = std::min(limits.context, cache.getCapacity());
  module.walk([&](EmbeddingOp op) {
    bool ofPositions = op.getIndices().getDefiningOp<PositionsOp>() != nullptr;
    int64_t &limit = ofPositions ? limits.context : limits.vocabulary;
    limit = std::min(limit, cast<RankedTensorType>(op.getTable().getType()).getDimSize(0));
  });
  return limits;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readFile(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(file.getError(), "cannot read '%s': %s", path.str().c_str(),
                             file.getError().message().c_str());
  return std::move(*file);
}

template <typename T>
static llvm::Expected<std::vector<int32_t>> readIntegers(StringRef bytes, StringRef path) {
  std::vector<int32_t> tokens(bytes.size() / sizeof(T));
  for (auto [index, token] : llvm::enumerate(tokens)) {
    T value =
        llvm::support::endian::read<T, llvm::endianness::little>(bytes.data() + index * sizeof(T));
    token = static_cast<int32_t>(value);
    if (value < 0 || token != value)
      return createStringError("'%s': expected token ids, found %lld at %zu", path.str().c_str(),
                               (long long)value, (size_t)index);
  }
  return tokens;
}

/// The number of elements of a shape as .npy files spell it, "2, 3" or "6,"; saturates.
static std::optional<uint64_t> countElements(StringRef shape) {
  uint64_t count = 1;
  SmallVector<StringRef> extents;
  shape.split(extents, ',');
  if (extents.size() > 1 && extents.back().trim().empty())
    extents.pop_back();
  for (StringRef extent : extents) {
    uint64_t found = 0;
    if (extent.trim().getAsInteger(10, found))
      return std::nullopt;
    count = llvm::SaturatingMultiply(count, found);
  }
  return count;
}

/// A .npy file of version 1 to 3: a magic, a header that is a Python dictionary, the numbers.
static llvm::Expected<std::vector<int32_t>> readNpy(StringRef path) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = readFile(path);
  if (!file)
    return file.takeError();
  StringRef bytes = (*file)->getBuffer();
  auto fail = [&](const Twine &what) {
    return createStringError(Twine("'") + path + "': " + what);
  };
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY"))
    return fail("expected a .npy file");
  size_t start = bytes[6] == 1 ? 10 : 12;
  size_t length = start == 10 ? llvm::support::endian::read16le(bytes.data() + 8)
                              : llvm::support::endian::read32le(bytes.data() + 8);
  if (length > bytes.size() - start)
    return fail("expected a .npy header of " + Twine(length) + " bytes, found the file's end");
  StringRef header = bytes.substr(start, length), data = bytes.substr(start + length);
  SmallVector<StringRef> type, shape;
  if (!llvm::Regex("'descr' *: *'([^']*)'").match(header, &type) ||
      !llvm::Regex("'shape' *: *\\(([^)]*)\\)").match(header, &shape))
    return fail("expected a .npy header with 'descr' and 'shape'");
  if (type[1] != "<i4" && type[1] != "<i8")
    return fail("expected token ids of type <i4 or <i8, found " + type[1]);
  if (llvm::Regex("'fortran_order' *: *True").match(header))
    return fail("expected rows one after the other, found Fortran's order");
  size_t size = type[1] == "<i4" ? 4 : 8;
  std::optional<uint64_t> count = countElements(shape[1]);
  if (!count)
    return fail("expected a shape of integers, found (" + shape[1] + ")");
  if (*count > data.size() / size)
    return fail("expected " + Twine(*count) + " tokens, found " + Twine(data.size() / size));
  data = data.take_front(*count * size);
  return size == 4 ? readIntegers<int32_t>(data, path) : readIntegers<int64_t>(data, path);
}

/// Finds tokenizer.json as the option says, as the module says, or beside one of the parameters'
/// files: those that an earlier pass wrote may lie elsewhere.
static llvm::Expected<std::string> findTokenizer(ModuleOp module, StringRef option) {
  auto named = module->getAttrOfType<StringAttr>(LLMCDialect::tokenizerAttributeName);
  if (option.empty() && named)
    return named.str();
  SmallString<256> path(option);
  if (option.empty()) {
    std::vector<std::string> files = collectParameterPaths(module);
    if (files.empty())
      return createStringError("expected a tokenizer to read the calibration text with: no "
                               "parameter lies in a file that one could stand beside");
    for (const std::string &file : files) {
      SmallString<256> beside(llvm::sys::path::parent_path(file));
      llvm::sys::path::append(beside, "tokenizer.json");
      if (llvm::sys::fs::exists(beside))
        return beside.str().str();
    }
    path = llvm::sys::path::parent_path(files.front());
  }
  if (option.empty() || llvm::sys::fs::is_directory(path))
    llvm::sys::path::append(path, "tokenizer.json");
  return path.str().str();
}

namespace {

struct ReleaseTokenizer {
  void operator()(llmc_tokenizer *tokenizer) const { llmc_tokenizer_release(tokenizer); }
};
using TokenizerPointer = std::unique_ptr<llmc_tokenizer, ReleaseTokenizer>;

} // namespace

static llvm::Expected<TokenizerPointer> loadTokenizer(ModuleOp module, StringRef option) {
  llvm::Expected<std::string> path = findTokenizer(module, option);
  if (!path)
    return path.takeError();
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> json = readFile(*path);
  if (!json)
    return json.takeError();
  // Beside it stands whether texts begin with a token of their own.
  SmallString<256> beside(llvm::sys::path::parent_path(*path));
  llvm::sys::path::append(beside, "tokenizer_config.json");
  auto config = llvm::MemoryBuffer::getFile(beside);
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status = llmc_tokenizer_create((*json)->getBufferStart(), (*json)->getBufferSize(),
                                             config ? (*config)->getBufferStart() : nullptr,
                                             config ? (*config)->getBufferSize() : 0, &tokenizer);
  if (!llmc_status_ok(&status))
    return createStringError("'%s': %s", path->c_str(), status.message);
  return TokenizerPointer(tokenizer);
}

static std::vector<int32_t> getBeginTokens(const llmc_tokenizer &tokenizer) {
  size_t count = 0;
  std::vector<int32_t> tokens;
  llmc_status status = llmc_tokenizer_begin_tokens(&tokenizer, nullptr, 0, &count);
  tokens.resize(count);
  if (count > 0 && llmc_status_ok(&status))
    status = llmc_tokenizer_begin_tokens(&tokenizer, tokens.data(), count, &count);
  return llmc_status_ok(&status) ? tokens : std::vector<int32_t>();
}

llvm::Expected<std::vector<int32_t>> llmc::readBeginTokens(ModuleOp module,
                                                           const CalibrationOptions &options) {
  llvm::Expected<TokenizerPointer> tokenizer = loadTokenizer(module, options.tokenizer);
  if (tokenizer)
    return getBeginTokens(**tokenizer);
  if (!options.tokenizer.empty())
    return tokenizer.takeError();
  // A model without a tokenizer writes texts, too.
  llvm::consumeError(tokenizer.takeError());
  return std::vector<int32_t>();
}

/// Reads the tokens of a text called `name`.
static llvm::Expected<std::vector<int32_t>> encodeText(const llmc_tokenizer &tokenizer,
                                                       StringRef text, StringRef name) {
  std::vector<int32_t> tokens(text.size() + 16);
  size_t count = 0;
  auto encode = [&] {
    return llmc_tokenizer_encode(&tokenizer, text.data(), text.size(), LLMC_ENCODE_PLAIN_TEXT,
                                 tokens.data(), tokens.size(), &count);
  };
  llmc_status status = encode();
  if (!llmc_status_ok(&status) && count > tokens.size()) {
    // The tokenizer's normal form is longer than the text.
    tokens.resize(count);
    status = encode();
  }
  if (!llmc_status_ok(&status))
    return createStringError("%s: %s", name.str().c_str(), status.message);
  tokens.resize(count);
  return tokens;
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

TokenSource llmc::getTokenSource(const CalibrationOptions &options) {
  StringRef calibration = options.calibration;
  if (calibration == selfCalibration)
    return TokenSource::OwnText;
  if (calibration.ends_with(".npy"))
    return TokenSource::TokenFile;
  if (!calibration.empty())
    return TokenSource::File;
  return options.statistics.empty() ? TokenSource::LlmcText : TokenSource::Statistics;
}

namespace {

/// What samples are cut from.
struct TokenStream {
  std::string name; ///< for people
  std::vector<int32_t> tokens;
  std::vector<int32_t> beginTokens; ///< of each sample
};

} // namespace

static llvm::Expected<std::optional<TokenStream>> readText(ModuleOp module,
                                                           const CalibrationOptions &options) {
  bool ownText = getTokenSource(options) == TokenSource::LlmcText;
  std::string name = ownText ? "the text to calibrate on" : "'" + options.calibration + "'";
  std::unique_ptr<llvm::MemoryBuffer> file;
  if (!ownText) {
    llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> opened = readFile(options.calibration);
    if (!opened)
      return opened.takeError();
    file = std::move(*opened);
  }
  llvm::Expected<TokenizerPointer> tokenizer = loadTokenizer(module, options.tokenizer);
  if (!tokenizer && ownText && options.tokenizer.empty()) {
    emitWarning(module.getLoc(), "calibration: ")
        << llvm::toString(tokenizer.takeError())
        << ": the model writes its own text (tokenizer names a tokenizer, and calibration=self "
           "asks for this)";
    return std::nullopt;
  }
  if (!tokenizer)
    return tokenizer.takeError();
  llvm::Expected<std::vector<int32_t>> tokens =
      encodeText(**tokenizer, ownText ? getCalibrationText() : file->getBuffer(), name);
  if (!tokens)
    return tokens.takeError();
  return TokenStream{std::move(name), std::move(*tokens), getBeginTokens(**tokenizer)};
}

static llvm::Expected<std::optional<TokenStream>> readStream(ModuleOp module,
                                                             const CalibrationOptions &options) {
  if (getTokenSource(options) != TokenSource::TokenFile)
    return readText(module, options);
  llvm::Expected<std::vector<int32_t>> tokens = readNpy(options.calibration);
  if (!tokens)
    return tokens.takeError();
  return TokenStream{"'" + options.calibration + "'", std::move(*tokens), {}};
}

llvm::Expected<std::optional<CalibrationTokens>>
llmc::readTokens(ModuleOp module, const TokenLimits &limits, const CalibrationOptions &options) {
  llvm::Expected<std::optional<TokenStream>> stream = readStream(module, options);
  if (!stream)
    return stream.takeError();
  if (!*stream)
    return std::nullopt;
  const auto &[name, tokens, beginTokens] = **stream;
  for (auto [index, token] : llvm::enumerate(tokens))
    if (token >= limits.vocabulary)
      return createStringError("%s: expected token ids below %lld, found %d at %zu", name.c_str(),
                               (long long)limits.vocabulary, token, (size_t)index);
  for (int32_t token : beginTokens)
    if (token >= limits.vocabulary)
      return createStringError("expected a token that begins texts below %lld, found %d",
                               (long long)limits.vocabulary, token);
  int64_t length = options.sequenceLength - static_cast<int64_t>(beginTokens.size());
  if (length < 1)
    return createStringError("expected samples of more than the %zu tokens that begin each, found "
                             "a sequence-length of %lld",
                             beginTokens.size(), (long long)options.sequenceLength);
  int64_t windows = tokens.size() / length;
  if (windows == 0)
    return createStringError("%s: expected at least one sample of %lld tokens, found %zu tokens",
                             name.c_str(), (long long)length, tokens.size());
  if (windows < options.samples)
    emitWarning(module.getLoc()) << name << " has " << windows << " samples of " << length
                                 << " tokens, " << options.samples << " were asked for";
  // A Fisher-Yates shuffle; the generator's numbers are fixed by the C++ standard.
  std::vector<int64_t> order(windows);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(options.seed);
  for (int64_t i = windows - 1; i > 0; --i)
    std::swap(order[i], order[random() % (i + 1)]);
  CalibrationTokens samples;
  samples.length = options.sequenceLength;
  for (int64_t window : ArrayRef(order).take_front(options.samples)) {
    llvm::append_range(samples.ids, beginTokens);
    llvm::append_range(samples.ids, ArrayRef(tokens).slice(window * length, length));
  }
  return samples;
}

llvm::Error llmc::saveTokens(const CalibrationTokens &tokens, StringRef path) {
  std::string header;
  llvm::raw_string_ostream(header) << "{'descr': '<i4', 'fortran_order': False, 'shape': ("
                                   << tokens.getSamples() << ", " << tokens.length << "), }";
  // Version 1.0: a magic, the header's length in 16 bits, and spaces up to a multiple of 64.
  constexpr size_t magicBytes = 10;
  header.resize(llvm::alignTo(magicBytes + header.size() + 1, 64) - magicBytes - 1, ' ');
  header += '\n';
  std::string file("\x93NUMPY\1\0", 8);
  file.resize(magicBytes);
  llvm::support::endian::write16le(file.data() + 8, header.size());
  file += header;
  size_t start = file.size();
  file.resize(start + tokens.ids.size() * sizeof(int32_t));
  for (auto [index, token] : llvm::enumerate(tokens.ids))
    llvm::support::endian::write32le(file.data() + start + index * sizeof(int32_t), token);
  return writeFileAtomically(path, file);
}

std::string llmc::getFingerprint(const CalibrationTokens &tokens) {
  auto bytes = reinterpret_cast<const uint8_t *>(tokens.ids.data());
  return getFingerprint(ArrayRef(bytes, tokens.ids.size() * sizeof(int32_t))) + "-" +
         std::to_string(tokens.length);
}
