//===- ProgramTarget.cpp - what CPUs a program is for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

std::string llmc::getEntryName(const KernelTarget &target) {
  std::string name = "step_" + target.name.str();
  llvm::replace(name, '-', '_');
  return name;
}

static cpu::TargetAttr getTargetAttr(MLIRContext *context, const KernelTarget &target) {
  return cpu::TargetAttr::get(context, target.name, target.cpu, target.llvmFeatures, target.dot);
}

void llmc::setTarget(ModuleOp code, const KernelTarget &target) {
  cpu::TargetAttr attribute = getTargetAttr(code.getContext(), target);
  for (auto function : code.getOps<func::FuncOp>())
    if (!function->hasAttr(cpu::CPUDialect::targetAttrName))
      function->setAttr(cpu::CPUDialect::targetAttrName, attribute);
}

void llmc::addEntry(ModuleOp code, const KernelTarget &target, StringRef row, StringRef rows) {
  OpBuilder builder = OpBuilder::atBlockEnd(code.getBody());
  spmd::EntryOp::create(builder, code.getLoc(), getEntryName(target), row, rows,
                        getTargetAttr(code.getContext(), target));
}

/// Whether functions are for the instruction sets of the entries that call them: the runtime
/// chooses an entry by what its own variant needs.
static LogicalResult checkFunctionTargets(ModuleOp planned) {
  SymbolTable symbols(planned);
  auto check = [&](Operation *caller, StringRef callee, Attribute target) -> LogicalResult {
    Operation *function = symbols.lookup(callee);
    Attribute found = function ? function->getAttr(cpu::CPUDialect::targetAttrName) : Attribute();
    if (found == target)
      return success();
    return caller->emitOpError("expected @")
           << callee << " to be for " << target << ", found " << found;
  };
  for (auto entry : planned.getOps<spmd::EntryOp>())
    for (StringRef name : {entry.getRow(), entry.getRows()})
      if (failed(check(entry, name, entry.getTargetAttr())))
        return failure();
  WalkResult result = planned.walk([&](func::CallOp call) {
    auto caller = call->getParentOfType<func::FuncOp>();
    Attribute target = caller ? caller->getAttr(cpu::CPUDialect::targetAttrName) : Attribute();
    return WalkResult(check(call, call.getCallee(), target));
  });
  return failure(result.wasInterrupted());
}

FailureOr<Target> llmc::getTarget(ModuleOp planned) {
  spmd::ProgramOp program = getProgram(planned);
  std::optional<StringRef> triple = program.getTriple();
  if (!triple)
    return program.emitOpError("expected a target, which convert-spmd-to-cpu gives a plan");
  llvm::Expected<Target> known = Target::parse(*triple);
  if (!known || known->triple.str() != *triple) {
    llvm::consumeError(known.takeError());
    return program.emitOpError("expected a target that llmc generates code for, such as "
                               "x86_64-unknown-linux-gnu, found '")
           << *triple << "'";
  }
  Target target{known->triple, {}};
  for (auto entry : planned.getOps<spmd::EntryOp>()) {
    auto found = dyn_cast_or_null<cpu::TargetAttr>(entry.getTargetAttr());
    if (!found)
      return entry.emitOpError(
          "expected a target #cpu.target, which convert-spmd-to-cpu gives a plan");
    auto variant = llvm::find_if(
        known->variants, [&](const KernelTarget *each) { return each->name == found.getName(); });
    if (variant == known->variants.end())
      return entry.emitOpError("expected a variant of ")
             << target.triple.getArchName() << ", found '" << found.getName() << "'";
    cpu::TargetAttr expected = getTargetAttr(planned.getContext(), **variant);
    if (found != expected)
      return entry.emitOpError("expected ") << expected << ", found " << found;
    if (entry.getSymName() != getEntryName(**variant))
      return entry.emitOpError("expected the entry of '")
             << (*variant)->name << "' to be called @" << getEntryName(**variant);
    target.variants.push_back(*variant);
  }
  if (target.variants.empty())
    return program.emitOpError("expected at least one entry beside it");
  if (failed(checkFunctionTargets(planned)))
    return failure();
  return target;
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

/// How deeply brackets stand inside each other, those in strings too.
static int64_t getDepth(StringRef text) {
  int64_t depth = 0, deepest = 0;
  for (char c : text) {
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

FailureOr<llvm::json::Object> llmc::describeProgram(spmd::ProgramOp program, const Target &target) {
  // The parser calls itself once for each level.
  constexpr int64_t deepest = 1000;
  if (getDepth(program.getDescription()) > deepest)
    return program.emitOpError("expected a description of at most ") << deepest << " levels";
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(program.getDescription());
  llvm::json::Object *description = value ? value->getAsObject() : nullptr;
  if (!description) {
    llvm::consumeError(value.takeError());
    return program.emitOpError("expected a JSON object as description");
  }
  llvm::json::Array variants;
  for (const KernelTarget *variant : target.variants)
    variants.push_back(
        llvm::json::Object{{"name", variant->name}, {"features", int64_t(variant->features)}});
  spmd::SizesAttr sizes = program.getSizes();
  (*description)["architecture"] = target.triple.getArchName().str();
  (*description)["variants"] = std::move(variants);
  (*description)["max_rows"] = sizes.getMaxRows();
  (*description)["weight_bytes"] = sizes.getWeightBytes();
  (*description)["state_bytes"] = sizes.getStateBytes();
  (*description)["arena_bytes"] = sizes.getArenaBytes();
  (*description)["worker_arena_bytes"] = sizes.getWorkerArenaBytes();
  return std::move(*description);
}
