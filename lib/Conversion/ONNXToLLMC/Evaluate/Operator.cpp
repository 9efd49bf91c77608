//===- Operator.cpp - what is known of each ONNX operator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Operator.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

OperatorInput::OperatorInput(const char *spelling) : name(spelling) {
  hasAnyShape = name.consume_back("*");
  isVariadic = name.consume_back("...");
  isRefused = name.consume_back("!");
  isOptional = name.consume_back("?") || isRefused;
}

OperatorAttribute::OperatorAttribute(const char *spelling) {
  StringRef list;
  std::tie(name, list) = StringRef(spelling).split('=');
  if (!list.empty())
    list.split(values, '|');
}

std::string Operator::getType() const {
  return domain.empty() ? name.str() : (domain + "::" + name).str();
}

size_t Operator::getLeastInputs() const {
  // A list may be empty as far as ONNX is concerned; no operator here can do without one.
  size_t least = 0;
  for (auto [i, input] : llvm::enumerate(inputs))
    if (!input.isOptional)
      least = i + 1;
  return least;
}

size_t Operator::getMostInputs() const {
  return !inputs.empty() && inputs.back().isVariadic ? SIZE_MAX : inputs.size();
}

bool Operator::takesAnyShape(unsigned input) const {
  return input < inputs.size() && inputs[input].hasAnyShape;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
/// All rows, found by type.
struct Table {
  Table() {
    for (ArrayRef<Operator> group :
         {getMovementOperators(), getElementwiseOperators(), getReductionOperators(),
          getLayerOperators(), getProductOperators(), getAttentionOperators(),
          getQuantizedOperators(), getExpandedOperators()})
      for (const Operator &row : group) {
        byType[row.getType()] = &row;
        sorted.push_back(&row);
      }
    llvm::sort(sorted, [](const Operator *a, const Operator *b) {
      return std::pair(a->domain, a->name) < std::pair(b->domain, b->name);
    });
  }

  llvm::StringMap<const Operator *> byType;
  SmallVector<const Operator *> sorted;
};
} // namespace

static const Table &getTable() {
  static const Table table;
  return table;
}

const Operator *llmc::findOperator(StringRef type) { return getTable().byType.lookup(type); }

ArrayRef<const Operator *> llmc::getOperators() { return getTable().sorted; }

//===----------------------------------------------------------------------===//
// What a node has beyond its row
//===----------------------------------------------------------------------===//

std::string llmc::getAttributeText(Attribute value) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto join = [&](auto values) { llvm::interleave(values, stream, ","); };
  if (auto integer = dyn_cast<IntegerAttr>(value))
    stream << integer.getValue().getSExtValue();
  else if (auto number = dyn_cast<FloatAttr>(value))
    stream << llvm::format("%g", number.getValueAsDouble());
  else if (auto string = dyn_cast<StringAttr>(value))
    stream << string.getValue();
  else if (auto integers = dyn_cast<DenseI64ArrayAttr>(value))
    join(integers.asArrayRef());
  else if (auto numbers = dyn_cast<DenseF32ArrayAttr>(value))
    join(numbers.asArrayRef());
  else
    stream << value;
  return text;
}

int64_t llmc::getOpset(const Node &node) {
  if (auto own = node.op->getAttrOfType<IntegerAttr>(carrier::opsetName))
    return own.getInt();
  Operation *module = node.op->getParentOfType<ModuleOp>();
  auto opsets = module ? module->getAttrOfType<DictionaryAttr>("onnx.opsets") : DictionaryAttr();
  StringRef domain = node.op.getDomain();
  auto version =
      opsets ? opsets.getAs<IntegerAttr>(domain.empty() ? "ai.onnx" : domain) : IntegerAttr();
  return version ? version.getInt() : 0;
}

static std::optional<std::string> findUnknownVersion(const Operator &row, const Node &node) {
  int64_t version = getOpset(node);
  auto [first, last] = row.versions;
  if (version == 0 || (version >= first && version <= last))
    return std::nullopt;
  return ("expected version " + Twine(first) + " to " + Twine(last) +
          " of its operator set, found " + Twine(version))
      .str();
}

static std::optional<std::string> findUnknownInput(const Operator &row, const Node &node) {
  size_t count = node.op.getInputs().size();
  auto isGiven = [&](size_t i) {
    return i < count && !isa<carrier::AbsentType>(node.op.getInputs()[i].getType());
  };
  size_t least = row.getLeastInputs(), most = row.getMostInputs();
  for (size_t i = 0; i < least; ++i)
    if (!isGiven(i) && !row.inputs[i].isOptional)
      return ("expected at least " + Twine(least) + " inputs").str();
  if (count > most)
    return ("found " + Twine(count) + " inputs, expected at most " + Twine(most)).str();
  for (auto [i, input] : llvm::enumerate(row.inputs))
    if (input.isRefused && isGiven(i))
      return ("expected no input '" + input.name + "' (number " + Twine(i) +
              "): it is not supported")
          .str();
  return std::nullopt;
}

static std::optional<std::string> findUnknownAttribute(const Operator &row, const Node &node) {
  for (NamedAttribute attribute : node.op.getNodeAttributes()) {
    const auto *known = llvm::find_if(row.attributes, [&](const OperatorAttribute &candidate) {
      return candidate.name == attribute.getName().getValue();
    });
    std::string found = getAttributeText(attribute.getValue());
    StringRef name = attribute.getName().getValue();
    if (known == row.attributes.end())
      return ("expected no attribute '" + name + "', found " + found + ": it is not supported")
          .str();
    if (!known->values.empty() && !llvm::is_contained(known->values, StringRef(found)))
      return ("expected attribute '" + name + "' to be " + llvm::join(known->values, " or ") +
              ", found " + found)
          .str();
  }
  return std::nullopt;
}

std::optional<std::string> llmc::findUnknownPart(const Operator &row, const Node &node) {
  for (auto find : {findUnknownVersion, findUnknownInput, findUnknownAttribute})
    if (std::optional<std::string> problem = find(row, node))
      return problem;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// The page
//===----------------------------------------------------------------------===//

static void printRow(const Operator &row, llvm::raw_ostream &stream) {
  stream << "| " << row.name << " | " << row.versions.first;
  if (row.versions.last != row.versions.first)
    stream << "–" << row.versions.last;
  stream << " | ";
  llvm::interleave(
      llvm::make_filter_range(row.inputs, [](const OperatorInput &i) { return !i.isRefused; }),
      [&](const OperatorInput &input) {
        stream << input.name << (input.isVariadic ? " …" : input.isOptional ? "?" : "");
      },
      [&] { stream << ", "; });
  stream << " | ";
  llvm::interleave(
      row.attributes,
      [&](const OperatorAttribute &attribute) {
        stream << attribute.name;
        if (!attribute.values.empty())
          stream << " = " << llvm::join(attribute.values, " or ");
      },
      [&] { stream << ", "; });
  stream << " |\n";
}

void llmc::printOperators(llvm::raw_ostream &stream) {
  stream << "# ONNX operators\n\n"
            "What is read of each operator. An input with `?` may be absent. Attributes without "
            "values may have any; of the others only these values are supported. Whatever a node "
            "has beyond its row is refused, with the node's name.\n";
  StringRef domain = "none";
  for (const Operator *row : getOperators()) {
    if (row->domain != domain) {
      domain = row->domain;
      stream << "\n## " << (domain.empty() ? "ai.onnx" : domain)
             << "\n\n| operator | versions | inputs | attributes |\n|---|---|---|---|\n";
    }
    printRow(*row, stream);
  }
}
