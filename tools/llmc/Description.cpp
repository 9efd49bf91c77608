//===- Description.cpp - what a file says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Description.h"
#include "ElfSection.h"
#include "MappedFile.h"
#include "Process.h"
#include "llmc/artifact.h"
#include "llmc/cuda_image.h"
#include "llmc/llmc.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace llmc::driver {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char *what =
    "an artifact, a module (.mlir), an ONNX model (.onnx) or native code made by llmc";

[[noreturn]] void refuse(const std::string &path, const std::string &problem) {
  throw std::runtime_error("'" + path + "': " + problem);
}

/// What the members that are read must be, in a description and in the elements of its lists.
struct MemberType {
  const char *name;
  const char *expected;
  bool (Json::*isOfType)() const noexcept;
};
constexpr MemberType memberTypes[] = {
    {"kind", "a string", &Json::is_string},
    {"name", "a string", &Json::is_string},
    {"architecture", "a string", &Json::is_string},
    {"encoding", "a string", &Json::is_string},
    {"activation", "a string", &Json::is_string},
    {"features", "a number from 0 on", &Json::is_number_unsigned},
    {"bytes", "a number", &Json::is_number},
    {"code", "a string", &Json::is_string},
    {"code_bytes", "a number", &Json::is_number},
    {"arena_bytes", "a number", &Json::is_number},
    {"worker_arena_bytes", "a number", &Json::is_number},
    {"bits_per_weight", "a number", &Json::is_number},
    {"runs_here", "a boolean", &Json::is_boolean},
    {"shape", "an array", &Json::is_array},
};
constexpr const char *listNames[] = {"parameters", "programs", "variants",
                                     "images",     "files",    "models"};

/// Whether `value` has more than `depth` arrays and objects in each other.
bool isDeeper(const Json &value, size_t depth) {
  if (!value.is_structured())
    return false;
  return depth == 0 || std::any_of(value.begin(), value.end(), [depth](const Json &element) {
           return isDeeper(element, depth - 1);
         });
}

void checkMembers(const std::string &path, const std::string &place, const Json &object) {
  auto fail = [&](const std::string &where, const std::string &expected, const Json &found) {
    refuse(path, "the description is malformed: " + where + ": expected " + expected + ", found " +
                     found.type_name());
  };
  for (const MemberType &type : memberTypes)
    if (auto member = object.find(type.name); member != object.end() && !(*member.*type.isOfType)())
      fail(place + type.name, type.expected, *member);
  for (const char *name : listNames) {
    auto list = object.find(name);
    if (list == object.end())
      continue;
    if (!list->is_array())
      fail(place + name, "an array", *list);
    for (size_t i = 0; i < list->size(); ++i) {
      std::string element = place + name + "[" + std::to_string(i) + "]";
      if (!(*list)[i].is_object())
        fail(element, "an object", (*list)[i]);
      checkMembers(path, element + ".", (*list)[i]);
    }
  }
}

/// The descriptions in a piece of native code, one for each model.
std::vector<Json> readPrograms(const std::string &path, std::span<const uint8_t> code) {
  std::vector<Json> programs;
  std::string_view rest = findElfSection(code, LLMC_DESCRIPTION_SECTION).value_or("");
  while (!rest.empty()) {
    std::string_view text = rest.substr(0, rest.find('\0'));
    // What aligns the next one is zeros, too.
    if (!text.empty())
      programs.push_back(parseDescription(path, text));
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
  }
  return programs;
}

/// Takes out of `program` what belongs to one architecture, as an entry of `programs`, and says of
/// its variants where they run.
void moveProgram(Json &program, size_t codeBytes, Json &programs, Json &variants) {
  std::string architecture = program.value("architecture", "");
  Json entry = {{"architecture", architecture}, {"code_bytes", codeBytes}};
  for (const char *key : {"max_rows", "arena_bytes", "worker_arena_bytes"})
    if (program.contains(key))
      entry[key] = program[key];
  programs.push_back(std::move(entry));
  const bool isHere = architecture == llmc_cpu_architecture();
  for (const Json &variant : program.value("variants", Json::array())) {
    uint64_t missing = variant.value("features", uint64_t(0)) & ~llmc_cpu_features();
    variants.push_back({{"name", variant.value("name", "")},
                        {"architecture", architecture},
                        {"runs_here", isHere && missing == 0}});
  }
  for (const char *key :
       {"architecture", "max_rows", "arena_bytes", "worker_arena_bytes", "variants"})
    program.erase(key);
}

/// Moves what is said of code for GPUs to the end of `images`.
void moveImages(Json &program, Json &images) {
  for (const Json &image : program.value("images", Json::array()))
    images.push_back(image);
  program.erase("images");
}

/// The description in code for a GPU, of an artifact that was checked.
Json readImage(const std::string &path, std::span<const uint8_t> contents) {
  llmc_cuda_image image{};
  if (contents.size() < sizeof image)
    refuse(path, "the code for a GPU is cut short");
  std::memcpy(&image, contents.data(), sizeof image);
  if (std::memcmp(image.magic, LLMC_CUDA_IMAGE_MAGIC, sizeof image.magic) != 0 ||
      image.version != LLMC_CUDA_IMAGE_VERSION)
    refuse(path, "expected code for a GPU of version " + std::to_string(LLMC_CUDA_IMAGE_VERSION) +
                     ": compile the model again");
  if (image.description_offset > contents.size() || image.description_bytes == 0 ||
      image.description_bytes > contents.size() - image.description_offset)
    refuse(path, "the code for a GPU describes itself wrongly");
  return parseDescription(
      path, {reinterpret_cast<const char *>(contents.data()) + image.description_offset,
             image.description_bytes - 1});
}

/// `kind` and what `description` has, the parameters last.
Json order(const std::string &kind, const Json &description) {
  Json ordered = {{"kind", kind}};
  for (const auto &[key, value] : description.items())
    if (key != "parameters" && key != "kind")
      ordered[key] = value;
  if (description.contains("parameters"))
    ordered["parameters"] = description["parameters"];
  return ordered;
}

/// Takes over what is the same for all processors.
void takeSizes(const Json &program, Json &described) {
  for (const char *key : {"state_bytes", "inputs", "outputs"})
    if (program.contains(key))
      described[key] = program[key];
}

Json describeArtifact(const std::string &path, const MappedFile &file, bool verify) {
  std::span<const uint8_t> bytes = file.getBytes();
  llmc_status status = llmc_artifact_check(bytes.data(), bytes.size(), verify);
  if (!llmc_status_ok(&status))
    refuse(path, status.message);
  auto *header = reinterpret_cast<const llmc_artifact_header *>(bytes.data());
  std::span sections(reinterpret_cast<const llmc_artifact_section *>(header + 1),
                     header->section_count);
  Json described = Json::object(), programs = Json::array(), variants = Json::array(),
       files = Json::array(), images = Json::array();
  for (const llmc_artifact_section &section : sections) {
    std::span<const uint8_t> contents = bytes.subspan(section.offset, section.bytes);
    if (section.kind == LLMC_SECTION_WEIGHTS)
      described["weight_bytes"] = section.bytes;
    else if (section.kind == LLMC_SECTION_FILE)
      files.push_back({{"name", section.name}, {"bytes", section.bytes}});
    else if (section.kind == LLMC_SECTION_DESCRIPTION)
      described.update(parseDescription(
          path, {reinterpret_cast<const char *>(contents.data()), contents.size()}));
    else if (section.kind == LLMC_SECTION_CUDA) {
      Json program = readImage(path, contents);
      moveImages(program, images);
      takeSizes(program, described);
    } else
      for (Json &program : readPrograms(path, contents)) {
        moveProgram(program, section.bytes, programs, variants);
        takeSizes(program, described);
      }
  }
  described["files"] = std::move(files);
  described["programs"] = std::move(programs);
  described["variants"] = std::move(variants);
  if (!images.empty())
    described["images"] = std::move(images);
  return order("artifact", described);
}

Json describeNativeCode(const std::string &path, const MappedFile &file) {
  std::vector<Json> models = readPrograms(path, file.getBytes());
  if (models.empty())
    refuse(path, "expected native code made by llmc, found other code: inspect the module or the "
                 "model that it was made from");
  for (Json &model : models) {
    Json programs = Json::array(), variants = Json::array();
    moveProgram(model, file.getBytes().size(), programs, variants);
    model["programs"] = std::move(programs);
    model["variants"] = std::move(variants);
    model = order("native code", model);
  }
  if (models.size() == 1)
    return models.front();
  return {{"kind", "native code"}, {"models", models}};
}

/// Has llmc-inspect, which links the compiler, say what the source of a model is.
Json describeSource(const std::string &path) {
  Json description = parseDescription(path, runTool("llmc-inspect", {path}));
  return order(description.value("kind", ""), description);
}

} // namespace

nlohmann::ordered_json parseDescription(const std::string &path, std::string_view text) {
  Json description = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!description.is_object())
    refuse(path, "the description is not a JSON object");
  if (isDeeper(description, 16))
    refuse(path, "the description is malformed: expected JSON nested at most 16 deep");
  checkMembers(path, "", description);
  return description;
}

nlohmann::ordered_json describeFile(const std::string &path, bool verify) {
  MappedFile file(path, what);
  if (file.startsWith(LLMC_ARTIFACT_MAGIC))
    return describeArtifact(path, file, verify);
  if (verify)
    refuse(path, "--verify: expected an artifact, found another file");
  if (file.startsWith(elfMagic))
    return describeNativeCode(path, file);
  if (file.startsWith(LLMC_WEIGHTS_MAGIC))
    refuse(path, std::string("expected ") + what +
                     ", found the weights that belong to an object: inspect that, or the module it "
                     "was made from");
  std::string extension = std::filesystem::path(path).extension();
  if (extension == ".mlir" || extension == ".onnx" || file.startsWith("ML\xefR"))
    return describeSource(path);
  refuse(path, std::string("expected ") + what + ", found another file");
}

} // namespace llmc::driver
