//===- PrintStructure.cpp - a structure as text ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Finders.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

namespace {

class Printer {
public:
  Printer(const Structure &structure, llvm::raw_ostream &stream)
      : structure(structure), stream(stream) {}

  void print() {
    func::FuncOp function = structure.getFunction();
    stream << "structure of @" << function.getName() << ": " << structure.getNumBlocks()
           << " blocks\n";
    if (function.getBody().hasOneBlock()) {
      stream << "\nroles\n";
      for (Operation &op : function.getBody().front())
        printRole(&op);
    }
    for (const ResidualStream &residual : structure.getStreams())
      printStream(residual);
    if (!structure.getGroups().empty())
      stream << "\nchannels\n";
    for (const ChannelGroup &group : structure.getGroups())
      printGroup(group);
    if (!structure.getScales().empty())
      stream << "\nscales\n";
    for (const InputScale &scale : structure.getScales())
      printScale(scale);
    if (!structure.getUnknowns().empty())
      stream << "\nunknown\n";
    for (const UnknownPart &unknown : structure.getUnknowns())
      stream << "  " << spell(unknown.op) << ": " << unknown.reason << "\n";
  }

private:
  /// "query @weight", or the operation's name where it has no weight.
  std::string spell(Operation *op) {
    std::string text;
    llvm::raw_string_ostream out(text);
    if (auto parameter = dyn_cast<ParameterOp>(op)) {
      out << "@" << parameter.getSymName();
      return text;
    }
    if (!isNorm(op) && !isa<LinearOp, EmbeddingOp>(op)) {
      out << "'" << op->getName() << "'";
      return text;
    }
    auto linear = dyn_cast<LinearOp>(op);
    ArrayRef<LinearPart> parts = linear ? structure.getParts(linear) : ArrayRef<LinearPart>();
    if (parts.size() > 1)
      llvm::interleave(
          parts, out, [&](const LinearPart &part) { out << stringifyRole(part.role); }, "+");
    else
      out << stringifyRole(structure.getRole(op));
    if (auto read = op->getOperand(1).getDefiningOp<ParameterValueOp>())
      out << " @" << read.getParameter();
    return text;
  }

  void printRole(Operation *op) {
    if (!isNorm(op) && !isa<LinearOp, EmbeddingOp>(op))
      return;
    stream << "  " << spell(op);
    if (std::optional<int64_t> block = structure.getBlock(op))
      stream << " in block " << *block;
    if (auto linear = dyn_cast<LinearOp>(op))
      if (ArrayRef<LinearPart> parts = structure.getParts(linear); parts.size() > 1)
        for (const LinearPart &part : parts)
          stream << ", " << stringifyRole(part.role) << " " << part.begin << " to "
                 << part.begin + part.size;
    stream << "\n";
  }

  void printStream(const ResidualStream &residual) {
    stream << "\nresidual stream of " << residual.values.size() << " values\n";
    for (const StreamWrite &write : residual.writes) {
      stream << "  written by "
             << (write.from ? "another stream" : (write.source ? spell(write.source) : "argument"));
      for (Operation *op : write.through)
        stream << " through " << spell(op);
      stream << "\n";
    }
    for (const StreamRead &read : residual.reads) {
      stream << "  read by ";
      if (read.norm)
        stream << spell(read.norm) << " for ";
      llvm::interleaveComma(read.readers, stream, [&](Operation *op) { stream << spell(op); });
      stream << "\n";
    }
  }

  void printGroup(const ChannelGroup &group) {
    switch (group.kind) {
    case ChannelGroup::Kind::Residual:
      stream << "  residual";
      break;
    case ChannelGroup::Kind::Hidden:
      stream << "  hidden";
      break;
    case ChannelGroup::Kind::Heads:
      stream << "  heads";
      break;
    }
    stream << " × " << group.count << ":";
    StringRef separator = " ";
    for (const ChannelMember &member : group.members) {
      ParameterOp parameter = member.parameter;
      bool isVector = parameter.getTensorType().getRank() == 1;
      stream << separator << (isVector ? "" : (member.axis == 0 ? "rows of " : "columns of "))
             << "@" << parameter.getSymName();
      if (member.begin > 0)
        stream << " from " << member.begin;
      if (member.perUnit > 1)
        stream << " by " << member.perUnit;
      separator = ", ";
    }
    if (group.kind != ChannelGroup::Kind::Residual)
      for (Operation *norm : group.norms)
        stream << "; normalized by " << spell(norm);
    stream << "\n";
  }

  void printScale(const InputScale &scale) {
    stream << "  " << (scale.isPossible() ? spell(scale.producer) : "none");
    if (scale.isPossible() && scale.rows.front().begin > 0)
      stream << " from row " << scale.rows.front().begin;
    stream << " → ";
    llvm::interleaveComma(scale.readers, stream, [&](LinearOp reader) { stream << spell(reader); });
    if (!scale.isPossible()) {
      stream << ": " << scale.reason << "\n";
      return;
    }
    stream << ": " << scale.count << " factors";
    if (scale.sharing > 1)
      stream << ", each of " << scale.sharing << " inputs";
    if (scale.positiveOnly)
      stream << ", positive";
    stream << "\n";
  }

  const Structure &structure;
  llvm::raw_ostream &stream;
};

} // namespace

void Structure::print(llvm::raw_ostream &stream) const { Printer(*this, stream).print(); }
