//===- ChoiceParser.h - options that choose one of some names ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's parser of enumerations says of a name that is none only that it cannot be found. For an
// enumeration whose llvm::cl::parser is specialized as a ChoiceParser, options of tools and of
// passes say which names there are:
//
//   template <>
//   class llvm::cl::parser<Colour> : public llmc::ChoiceParser<Colour> {
//   public:
//     using ChoiceParser::ChoiceParser;
//   };
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_CHOICEPARSER_H
#define LLMC_SUPPORT_CHOICEPARSER_H

#include "llvm/Support/CommandLine.h"

#include <string>

namespace llmc {

template <typename T>
class ChoiceParser : public llvm::cl::generic_parser_base {
public:
  using parser_data_type = T;
  using generic_parser_base::generic_parser_base;

  unsigned getNumOptions() const override { return Values.size(); }
  llvm::StringRef getOption(unsigned index) const override { return Values[index].Name; }
  llvm::StringRef getDescription(unsigned index) const override { return Values[index].HelpStr; }
  const llvm::cl::GenericOptionValue &getOptionValue(unsigned index) const override {
    return Values[index].V;
  }

  /// Gives true where `text` is none of the names, which is reported.
  bool parse(llvm::cl::Option &option, llvm::StringRef, llvm::StringRef text, T &value) {
    std::string names;
    for (const Choice &choice : Values) {
      if (choice.Name == text) {
        value = choice.V.getValue();
        return false;
      }
      names += names.empty() ? "" : &choice == &Values.back() ? " or " : ", ";
      names += choice.Name;
    }
    return option.error("expected " + names + ", found '" + text + "'");
  }

  /// Called by llvm::cl::values.
  template <typename Value>
  void addLiteralOption(llvm::StringRef name, const Value &value, llvm::StringRef description) {
    Values.push_back({name, static_cast<T>(value), description});
    llvm::cl::AddLiteralOption(Owner, name);
  }

protected:
  struct Choice : GenericOptionInfo {
    Choice(llvm::StringRef name, T value, llvm::StringRef description)
        : GenericOptionInfo(name, description), V(value) {}
    llvm::cl::OptionValue<T> V;
  };
  // MLIR's options look into it by this name.
  llvm::SmallVector<Choice, 8> Values;
};

} // namespace llmc

#endif // LLMC_SUPPORT_CHOICEPARSER_H
