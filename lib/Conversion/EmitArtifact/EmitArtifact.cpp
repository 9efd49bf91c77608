//===- EmitArtifact.cpp - a model in one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ProgressLine.h"
#include "llmc/artifact.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

#include <cstring>

using namespace llmc;

namespace {

/// Lays the sections out: header and table, weights, then everything else.
class ArtifactWriter {
public:
  void add(uint32_t kind, llvm::StringRef name, llvm::StringRef contents) {
    sections.push_back({kind, name.str(), contents.str()});
  }

  llvm::Error write(const WeightTable &weights, llvm::StringRef path) {
    std::vector<llmc_artifact_section> table(sections.size() + 1);
    uint64_t offset =
        llvm::alignTo(sizeof(llmc_artifact_header) + table.size() * sizeof(llmc_artifact_section),
                      LLMC_ARTIFACT_WEIGHTS_ALIGNMENT);
    table[0].kind = LLMC_SECTION_WEIGHTS;
    table[0].offset = offset;
    table[0].bytes = weights.getByteSize();
    offset += table[0].bytes;
    for (auto [entry, section] : llvm::zip(llvm::drop_begin(table), sections)) {
      offset = llvm::alignTo(offset, 64);
      entry.kind = section.kind;
      entry.offset = offset;
      entry.bytes = section.contents.size();
      entry.checksum = llvm::xxh3_64bits(section.contents);
      section.name.copy(entry.name, sizeof entry.name - 1);
      offset += entry.bytes;
    }

    llvm::Expected<AtomicFile> file = AtomicFile::create(path);
    if (!file)
      return file.takeError();
    llvm::Expected<llvm::MutableArrayRef<uint8_t>> memory = file->map(offset);
    if (!memory)
      return memory.takeError();
    llvm::MutableArrayRef<uint8_t> packed = memory->slice(table[0].offset, table[0].bytes);
    ProgressLine progress("weights", weights.getParameterCount());
    if (mlir::failed(weights.pack(packed, [&] { progress.advance("packing"); })))
      return llvm::createStringError("cannot read the model's weights");
    table[0].checksum = llvm::xxh3_64bits(packed);
    for (auto [entry, section] : llvm::zip(llvm::drop_begin(table), sections))
      std::memcpy(memory->data() + entry.offset, section.contents.data(), section.contents.size());
    writeHeader(table, offset, memory->data());
    return file->commit();
  }

private:
  static void writeHeader(llvm::ArrayRef<llmc_artifact_section> table, uint64_t size,
                          uint8_t *out) {
    llmc_artifact_header header{};
    std::memcpy(header.magic, LLMC_ARTIFACT_MAGIC, sizeof header.magic);
    header.version = LLMC_ARTIFACT_VERSION;
    header.section_count = table.size();
    header.file_bytes = size;
    size_t tableBytes = table.size() * sizeof(llmc_artifact_section);
    auto bytes = reinterpret_cast<const uint8_t *>(table.data());
    header.table_checksum = llvm::xxh3_64bits(llvm::ArrayRef<uint8_t>(bytes, tableBytes));
    std::memcpy(out, &header, sizeof header);
    std::memcpy(out + sizeof header, table.data(), tableBytes);
  }

  struct Section {
    uint32_t kind;
    std::string name, contents;
  };
  std::vector<Section> sections;
};

} // namespace

llvm::Error llmc::checkArtifactTargets(llvm::ArrayRef<Target> targets) {
  for (auto [i, target] : llvm::enumerate(targets))
    for (const Target &other : targets.take_front(i))
      if (target.triple.getArch() == other.triple.getArch())
        return llvm::createStringError(
            "expected one target for each architecture, found two for %s: name all variants in one",
            target.triple.getArchName().str().c_str());
  return llvm::Error::success();
}

llvm::Error llmc::emitArtifact(llvm::ArrayRef<mlir::ModuleOp> planned,
                               llvm::ArrayRef<ArtifactFile> files, llvm::StringRef path,
                               const Assembler &assembler) {
  // The layout of packed weights is the same for all targets.
  spmd::ProgramOp program = getProgram(planned.front());
  mlir::FailureOr<WeightTable> weights = WeightTable::read(program);
  if (mlir::failed(weights))
    return llvm::createStringError("cannot pack the model's weights");
  ArtifactWriter writer;
  writer.add(LLMC_SECTION_DESCRIPTION, "description.json", program.getDescription());
  for (const auto &[name, contents] : files)
    writer.add(LLMC_SECTION_FILE, name, contents);
  for (mlir::ModuleOp each : planned) {
    if (getKernel(each)) {
      llvm::Expected<llvm::SmallVector<CUDAImage>> images = emitCUDAImages(each, assembler);
      if (!images)
        return images.takeError();
      for (const CUDAImage &image : *images)
        writer.add(LLMC_SECTION_CUDA, image.name,
                   llvm::StringRef(image.bytes.data(), image.bytes.size()));
      continue;
    }
    llvm::Triple triple(getProgram(each).getTriple().value_or(""));
    llvm::Expected<llvm::SmallVector<char, 0>> object =
        emitObject(each, {LLMC_ARTIFACT_PROGRAM_SYMBOL, 0});
    if (!object)
      return object.takeError();
    llvm::Expected<llvm::SmallVector<char, 0>> image = linkImage(*object, triple);
    if (!image)
      return image.takeError();
    writer.add(LLMC_SECTION_IMAGE, triple.getArchName(),
               llvm::StringRef(image->data(), image->size()));
  }
  return writer.write(*weights, path);
}
