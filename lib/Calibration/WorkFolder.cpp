//===- WorkFolder.cpp - what a walk has done so far, on disk ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WorkFolder.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/Safetensors.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace mlir;
using namespace llmc;

using llvm::createStringError;

/// `rows` is words of 64 bits, little-endian: the magic, the number of finished blocks, the bytes
/// and the checksum of the rows, the checksum of these words, with 0 in its own place, and of the
/// blocks' checksums, which follow. Then come the rows.
static constexpr StringLiteral rowsMagic = "LLMCrow2";
enum RowsWord { Magic, Finished, RowBytes, RowChecksum, OwnChecksum, BlockChecksums };
static constexpr int64_t wordBytes = sizeof(uint64_t);

namespace {

/// XXH3 of bytes that come piece by piece: of the hashes of parts of fixed size.
class Checksum {
public:
  void add(ArrayRef<uint8_t> bytes) {
    while (!bytes.empty()) {
      ArrayRef<uint8_t> taken = bytes.take_front(partBytes - part.size());
      part.append(taken.begin(), taken.end());
      bytes = bytes.drop_front(taken.size());
      if (part.size() == partBytes)
        finishPart();
    }
  }

  uint64_t get() {
    finishPart();
    return llvm::xxh3_64bits(hashes);
  }

  static uint64_t of(ArrayRef<uint8_t> bytes) {
    Checksum checksum;
    checksum.add(bytes);
    return checksum.get();
  }

private:
  static constexpr size_t partBytes = 1 << 20;

  void finishPart() {
    uint8_t hash[wordBytes];
    llvm::support::endian::write64le(hash, llvm::xxh3_64bits(part));
    hashes.append(std::begin(hash), std::end(hash));
    part.clear();
  }

  SmallVector<uint8_t> part, hashes;
};

} // namespace

static std::string toText(const llvm::json::Object &object) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(llvm::json::Object(object));
  return text;
}

template <typename T>
static std::string spell(T attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

//===----------------------------------------------------------------------===//
// The folder
//===----------------------------------------------------------------------===//

std::string WorkFolder::getPath(const Twine &name) const {
  SmallString<256> result(path);
  llvm::sys::path::append(result, name);
  return result.str().str();
}

std::string WorkFolder::getBlockPath(int64_t block) const {
  return getPath("block-" + Twine(block) + ".safetensors");
}

/// Says in what a job is not the one that `text`, JSON, describes: "with A, found B".
static std::string describeDifference(const llvm::json::Object &job, StringRef text) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value) {
    llvm::consumeError(value.takeError());
    return "of llmc, found something else";
  }
  const llvm::json::Object *found = value->getAsObject();
  std::string result;
  llvm::raw_string_ostream stream(result);
  for (const auto &[key, expected] : job) {
    const llvm::json::Value *other = found ? found->get(key) : nullptr;
    if (other && *other == expected)
      continue;
    stream << "with " << key << " " << expected << ", found ";
    if (other)
      stream << *other;
    else
      stream << "none";
    return result;
  }
  return "of this version of llmc, found that of another";
}

llvm::Expected<std::unique_ptr<WorkFolder>> WorkFolder::open(StringRef path,
                                                             const llvm::json::Object &job) {
  std::unique_ptr<WorkFolder> folder(new WorkFolder(path));
  if (std::error_code error = llvm::sys::fs::create_directories(path))
    return createStringError(error, "cannot make the folder '%s': %s", path.str().c_str(),
                             error.message().c_str());
  std::string file = folder->getPath("job"), text = toText(job);
  folder->lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (folder->lock < 0)
    return createStringError("cannot write '%s': %s", file.c_str(), llvm::sys::StrError().c_str());
  if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0)
    return createStringError("'%s': another process works in this folder", path.str().c_str());
  auto found = llvm::MemoryBuffer::getFile(file, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!found)
    return createStringError("cannot read '%s': %s", file.c_str(),
                             found.getError().message().c_str());
  StringRef foundText = (*found)->getBuffer();
  if (!foundText.empty() && foundText != text)
    return createStringError("'%s': expected work %s: remove the folder, or name another",
                             path.str().c_str(), describeDifference(job, foundText).c_str());
  if (foundText.empty() &&
      pwrite(folder->lock, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return createStringError("cannot write '%s': %s", file.c_str(), llvm::sys::StrError().c_str());
  folder->removeUnfinished();
  if (llvm::Error error = folder->openRows())
    return std::move(error);
  return folder;
}

WorkFolder::~WorkFolder() {
  for (int descriptor : {rows, lock})
    if (descriptor >= 0)
      close(descriptor);
}

/// Removes what AtomicFile left of files when the process was killed.
void WorkFolder::removeUnfinished() const {
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error))
    if (StringRef name = llvm::sys::path::filename(entry->path());
        name.contains(".tmp") &&
        (name.starts_with("block-") || name.starts_with("rows") || name.starts_with("tokens")))
      (void)llvm::sys::fs::remove(entry->path());
}

void WorkFolder::remove() {
  for (int64_t block = 0; !llvm::sys::fs::remove(getBlockPath(block), /*IgnoreNonExisting=*/false);)
    ++block;
  for (const char *name : {"rows", "tokens", "job"})
    (void)llvm::sys::fs::remove(getPath(name));
  rmdir(path.c_str());
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void WorkFolder::noteParameters(ModuleOp module) {
  noted.clear();
  for (auto parameter : module.getOps<ParameterOp>())
    noted[parameter.getSymName()] = {parameter.getTensorType(), parameter.getData()};
}

llvm::Error WorkFolder::saveBlock(ModuleOp module, int64_t block, ArrayRef<CalibrationSite> sites) {
  llvm::json::Array records, activations;
  for (const CalibrationSite &site : sites) {
    records.push_back(site.record);
    llvm::json::Array ofSite;
    for (LinearOp linear : site.linears) {
      Attribute activation = linear.getActivationAttr();
      ofSite.push_back(activation ? spell(activation) : "");
    }
    activations.push_back(std::move(ofSite));
  }
  return writeBlock(
      module, block,
      llvm::json::Object{{"records", std::move(records)}, {"activations", std::move(activations)}});
}

/// Writes the parameters that have changed, and what else is `left` of the block.
llvm::Error WorkFolder::writeBlock(ModuleOp module, int64_t block, llvm::json::Object left) {
  SafetensorsLayout layout;
  llvm::json::Object types;
  SmallVector<ArrayRef<uint8_t>> contents;
  for (auto parameter : module.getOps<ParameterOp>()) {
    std::pair<Type, Attribute> now(parameter.getTensorType(), parameter.getData());
    if (noted.lookup(parameter.getSymName()) == now)
      continue;
    FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
    if (failed(bytes))
      return createStringError("cannot read parameter '%s'", parameter.getSymName().str().c_str());
    types[parameter.getSymName()] = spell(parameter.getTensorType());
    layout.add(parameter.getSymName(), "U8", static_cast<int64_t>(bytes->size()));
    contents.push_back(*bytes);
  }
  left["types"] = std::move(types);
  layout.setMetadata("sites", toText(left));
  std::string header = layout.getHeader();
  llvm::Expected<AtomicFile> file = AtomicFile::create(getBlockPath(block));
  if (!file)
    return file.takeError();
  Checksum checksum;
  int64_t offset = 0;
  contents.insert(contents.begin(), llvm::arrayRefFromStringRef(header));
  for (ArrayRef<uint8_t> bytes : contents) {
    if (llvm::Error error = file->write(offset, bytes))
      return error;
    checksum.add(bytes);
    offset += bytes.size();
  }
  noteParameters(module);
  blockChecksums.resize(block);
  blockChecksums.push_back(checksum.get());
  return file->commit();
}

static llvm::Error restoreParameter(ParameterOp parameter, const SafetensorsFile &file,
                                    StringRef typeText) {
  MLIRContext *context = parameter.getContext();
  auto type = dyn_cast_or_null<RankedTensorType>(parseType(typeText, context));
  FailureOr<int64_t> size = failure();
  if (type)
    size = getParameterByteSize(type, [&] { return parameter.emitOpError(); });
  if (failed(size))
    return file.fail("expected a type of '" + parameter.getSymName() + "', found " + typeText);
  llvm::Expected<ArrayRef<uint8_t>> bytes = file.getTensor(parameter.getSymName(), "U8", *size);
  if (!bytes)
    return bytes.takeError();
  Attribute data = makeParameterData(context, parameter.getSymName(), bytes->vec());
  if (type.getEncoding() && type.getShape() == parameter.getTensorType().getShape())
    compressParameter(parameter, type, data);
  else
    setParameter(parameter, type, data);
  return llvm::Error::success();
}

llvm::Expected<SafetensorsFile> WorkFolder::openBlock(int64_t block) const {
  std::string blockPath = getBlockPath(block);
  llvm::Expected<SafetensorsFile> file = SafetensorsFile::open(blockPath);
  if (auto bytes = llvm::MemoryBuffer::getFile(blockPath, /*IsText=*/false,
                                               /*RequiresNullTerminator=*/false);
      bytes &&
      Checksum::of(llvm::arrayRefFromStringRef((*bytes)->getBuffer())) != blockChecksums[block]) {
    llvm::consumeError(file.takeError());
    return failDamaged(blockPath);
  }
  return file;
}

llvm::Error WorkFolder::restoreBlock(ModuleOp module, int64_t block,
                                     MutableArrayRef<CalibrationSite> sites) {
  llvm::Expected<SafetensorsFile> file = openBlock(block);
  if (!file)
    return file.takeError();
  llvm::Expected<llvm::json::Object> saved = file->getMetadataObject("sites");
  if (!saved)
    return saved.takeError();
  const llvm::json::Object *types = saved->getObject("types");
  const llvm::json::Array *records = saved->getArray("records");
  const llvm::json::Array *activations = saved->getArray("activations");
  if (!types || !records || records->size() != sites.size() || !activations ||
      activations->size() != sites.size())
    return file->fail("expected what was left of " + Twine(sites.size()) + " sites");
  for (auto parameter : module.getOps<ParameterOp>())
    if (std::optional<StringRef> type = types->getString(parameter.getSymName()))
      if (llvm::Error error = restoreParameter(parameter, *file, *type))
        return error;
  for (auto [index, site] : llvm::enumerate(sites)) {
    site.restored = true;
    site.record = (*records)[index].getAsString().value_or("");
    const llvm::json::Array *ofSite = (*activations)[index].getAsArray();
    if (!ofSite || ofSite->size() != site.linears.size())
      return file->fail("expected activations of " + Twine(site.linears.size()) + " linears");
    for (auto [linear, value] : llvm::zip(site.linears, *ofSite)) {
      StringRef text = value.getAsString().value_or("");
      Attribute attribute = text.empty() ? Attribute() : parseAttribute(text, module.getContext());
      if (auto activation = dyn_cast_or_null<DynamicAttr>(attribute))
        linear.setActivationAttr(activation);
      else
        linear.removeActivationAttr();
    }
  }
  noteParameters(module);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Blocks whose operations change
//===----------------------------------------------------------------------===//

llvm::Error WorkFolder::saveStructure(ModuleOp module, int64_t block, ArrayRef<NamedSite> sites) {
  llvm::json::Array parameters, ofSites;
  for (auto parameter : module.getOps<ParameterOp>())
    parameters.push_back(parameter.getSymName());
  for (const NamedSite &site : sites)
    ofSites.push_back(llvm::json::Object{{"record", site.record},
                                         {"parameters", llvm::json::Array(site.parameters)}});
  std::string step;
  llvm::raw_string_ostream stream(step);
  module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName)
      .print(stream, OpPrintingFlags().useLocalScope().enableDebugInfo());
  return writeBlock(module, block,
                    llvm::json::Object{{"step", std::move(step)},
                                       {"parameters", std::move(parameters)},
                                       {"sites", std::move(ofSites)}});
}

/// Replaces @step by the function of that text, whose parameters are those of the module already.
static LogicalResult replaceStep(ModuleOp module, StringRef text) {
  ParserConfig config(module.getContext(), /*verifyAfterParse=*/false);
  OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(text, config);
  auto found = parsed ? parsed->lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName) : nullptr;
  if (!found)
    return failure();
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  found->remove();
  step->getBlock()->getOperations().insert(step->getIterator(), found);
  step->erase();
  return success();
}

/// Reads strings of a JSON array, or nothing where it is none.
static std::optional<std::vector<std::string>> readStrings(const llvm::json::Array *array) {
  std::vector<std::string> strings;
  if (!array)
    return std::nullopt;
  for (const llvm::json::Value &value : *array) {
    if (!value.getAsString())
      return std::nullopt;
    strings.push_back(value.getAsString()->str());
  }
  return strings;
}

/// Reads the sites of a block.
static std::optional<std::vector<WorkFolder::NamedSite>>
readSites(const llvm::json::Object &saved) {
  std::vector<WorkFolder::NamedSite> sites;
  const llvm::json::Array *array = saved.getArray("sites");
  if (!array)
    return std::nullopt;
  for (const llvm::json::Value &value : *array) {
    const llvm::json::Object *site = value.getAsObject();
    std::optional<StringRef> record = site ? site->getString("record") : std::nullopt;
    auto parameters = readStrings(site ? site->getArray("parameters") : nullptr);
    if (!record || !parameters)
      return std::nullopt;
    sites.push_back({record->str(), std::move(*parameters)});
  }
  return sites;
}

llvm::Expected<std::vector<WorkFolder::NamedSite>> WorkFolder::restoreStructure(ModuleOp module) {
  std::vector<NamedSite> all;
  for (int64_t block = 0; block < finished; ++block) {
    llvm::Expected<SafetensorsFile> file = openBlock(block);
    if (!file)
      return file.takeError();
    llvm::Expected<llvm::json::Object> saved = file->getMetadataObject("sites");
    if (!saved)
      return saved.takeError();
    const llvm::json::Object *types = saved->getObject("types");
    std::optional<StringRef> step = saved->getString("step");
    auto names = readStrings(saved->getArray("parameters"));
    auto sites = readSites(*saved);
    if (!types || !step || !names || !sites)
      return file->fail("expected what was left of a block whose operations change");
    llvm::append_range(all, *sites);
    SymbolTable symbols(module);
    for (const auto &[name, type] : *types) {
      auto parameter = symbols.lookup<ParameterOp>(StringRef(name));
      if (!parameter) {
        OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
        auto bytes = RankedTensorType::get({0}, builder.getI8Type());
        parameter = ParameterOp::create(builder, module.getLoc(), StringRef(name), bytes,
                                        makeParameterData(module.getContext(), name, {}));
        symbols.insert(parameter);
      }
      if (llvm::Error error = restoreParameter(parameter, *file, type.getAsString().value_or("")))
        return std::move(error);
    }
    if (block + 1 < finished)
      continue;
    if (failed(replaceStep(module, *step)))
      return file->fail("expected a function @" + LLMCDialect::stepFunctionName);
    llvm::StringSet<> kept;
    for (const std::string &name : *names)
      kept.insert(name);
    for (auto parameter : llvm::make_early_inc_range(module.getOps<ParameterOp>()))
      if (!kept.contains(parameter.getSymName()))
        parameter.erase();
  }
  noteParameters(module);
  return all;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

llvm::Error WorkFolder::failDamaged(const Twine &file) const {
  return createStringError(Twine("'") + file +
                           "': expected what was written there, found other bytes: remove '" +
                           path + "' to start anew");
}

/// The checksum of the words of `rows`.
static uint64_t getOwnChecksum(ArrayRef<uint8_t> words) {
  SmallVector<uint8_t> copy(words);
  llvm::support::endian::write64le(copy.data() + OwnChecksum * wordBytes, 0);
  return Checksum::of(copy);
}

llvm::Error WorkFolder::openRows() {
  std::string file = getPath("rows");
  rows = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (rows < 0)
    return errno == ENOENT ? llvm::Error::success()
                           : createStringError("cannot read '%s': %s", file.c_str(),
                                               llvm::sys::StrError().c_str());
  auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("cannot read '%s': %s", file.c_str(),
                             buffer.getError().message().c_str());
  ArrayRef<uint8_t> bytes = llvm::arrayRefFromStringRef((*buffer)->getBuffer());
  auto word = [&](int64_t index) {
    return llvm::support::endian::read64le(bytes.data() + index * wordBytes);
  };
  if (!(*buffer)->getBuffer().starts_with(rowsMagic) || bytes.size() < BlockChecksums * wordBytes)
    return createStringError("'%s': expected rows of an interrupted calibration", file.c_str());
  uint64_t blocks = word(Finished);
  if (blocks > bytes.size() / wordBytes - BlockChecksums)
    return failDamaged(file);
  rowsOffset = (BlockChecksums + blocks) * wordBytes;
  ArrayRef<uint8_t> content = bytes.drop_front(rowsOffset);
  if (getOwnChecksum(bytes.take_front(rowsOffset)) != word(OwnChecksum) ||
      content.size() != word(RowBytes) || Checksum::of(content) != word(RowChecksum))
    return failDamaged(file);
  finished = static_cast<int64_t>(blocks);
  for (int64_t block = 0; block < finished; ++block)
    blockChecksums.push_back(word(BlockChecksums + block));
  return llvm::Error::success();
}

llvm::Error
WorkFolder::saveRows(int64_t count, int64_t bytes,
                     llvm::function_ref<llvm::Expected<ArrayRef<uint8_t>>(int64_t piece)> next) {
  llvm::Expected<AtomicFile> file = AtomicFile::create(getPath("rows"));
  if (!file)
    return file.takeError();
  SmallVector<uint8_t> words((BlockChecksums + count) * wordBytes);
  auto setWord = [&](int64_t index, uint64_t value) {
    llvm::support::endian::write64le(words.data() + index * wordBytes, value);
  };
  llvm::copy(rowsMagic, words.begin());
  setWord(Finished, count);
  setWord(RowBytes, bytes);
  for (int64_t block = 0; block < count; ++block)
    setWord(BlockChecksums + block, blockChecksums[block]);
  Checksum checksum;
  int64_t done = 0;
  for (int64_t piece = 0; done < bytes; ++piece) {
    llvm::Expected<ArrayRef<uint8_t>> part = next(piece);
    if (!part)
      return part.takeError();
    if (llvm::Error error = file->write(words.size() + done, *part))
      return error;
    checksum.add(*part);
    done += part->size();
  }
  setWord(RowChecksum, checksum.get());
  setWord(OwnChecksum, getOwnChecksum(words));
  if (llvm::Error error = file->write(0, words))
    return error;
  return file->commit();
}

llvm::Error WorkFolder::readRows(int64_t offset, MutableArrayRef<uint8_t> bytes) {
  offset += rowsOffset;
  while (!bytes.empty()) {
    ssize_t count =
        llvm::sys::RetryAfterSignal(-1, pread, rows, bytes.data(), bytes.size(), offset);
    if (count <= 0)
      return createStringError("'%s': %s", getPath("rows").c_str(),
                               count < 0 ? llvm::sys::StrError().c_str()
                                         : "expected more rows, found the file's end");
    bytes = bytes.drop_front(count);
    offset += count;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

llvm::Expected<std::optional<std::vector<int32_t>>> WorkFolder::readTokens() const {
  std::string file = getPath("tokens");
  if (!llvm::sys::fs::exists(file))
    return std::nullopt;
  auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("cannot read '%s': %s", file.c_str(),
                             buffer.getError().message().c_str());
  ArrayRef<uint8_t> bytes = llvm::arrayRefFromStringRef((*buffer)->getBuffer());
  if (bytes.size() < wordBytes ||
      llvm::support::endian::read64le(bytes.take_back(wordBytes).data()) !=
          Checksum::of(bytes.drop_back(wordBytes)))
    return failDamaged(file);
  bytes = bytes.drop_back(wordBytes);
  std::vector<int32_t> tokens(bytes.size() / sizeof(int32_t));
  for (auto [index, token] : llvm::enumerate(tokens))
    token = llvm::support::endian::read32le(bytes.data() + index * sizeof token);
  return tokens;
}

llvm::Error WorkFolder::saveTokens(ArrayRef<int32_t> tokens) const {
  std::string bytes(tokens.size() * sizeof(int32_t) + wordBytes, '\0');
  for (auto [index, token] : llvm::enumerate(tokens))
    llvm::support::endian::write32le(bytes.data() + index * sizeof token, token);
  StringRef written = StringRef(bytes).drop_back(wordBytes);
  llvm::support::endian::write64le(bytes.data() + written.size(),
                                   Checksum::of(llvm::arrayRefFromStringRef(written)));
  return writeFileAtomically(getPath("tokens"), bytes);
}
