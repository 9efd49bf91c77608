//===- LLMCOpInterfaces.td - how an operation's work can be shared out -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCOPINTERFACES_TD
#define LLMC_DIALECT_LLMC_IR_LLMCOPINTERFACES_TD

include "mlir/IR/OpBase.td"

def LLMC_StageOpInterface : OpInterface<"StageOpInterface"> {
  let cppNamespace = "::llmc";
  let description = [{
    What a plan has to know of an operation: how its work can be shared out over workers, what it
    touches, and what can be computed along with it. An operation without this interface is
    row-wise if it is elementwise, and else the work of a stage of its own.
  }];
  let methods = [
    InterfaceMethod<[{
        Whether a row of the result depends on the same row of the row operands alone (and on
        weights), so that each worker can compute some rows, several operations one after the other.
      }], "bool", "isRowWise", (ins), /*methodBody=*/"", /*defaultImplementation=*/"return true;">,
    InterfaceMethod<[{
        The operands that have a row for each row of the result.
      }], "::llvm::SmallVector<::mlir::Value>", "getRowOperands">,
    InterfaceMethod<[{
        Whether the result has the rows whose logits are wanted: each is chosen from all rows of the
        operand.
      }], "bool", "choosesRows", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return false;">,
    InterfaceMethod<[{
        The operand that is updated in place, and is a result afterwards; null if there is none.
      }], "::mlir::Value", "getUpdatedOperand", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/"return nullptr;">,
    InterfaceMethod<[{
        What that operand is called afterwards: the result of its type; null if there is none.
      }], "::mlir::Value", "getUpdatedResult", (ins), /*methodBody=*/"",
      /*defaultImplementation=*/[{
        ::mlir::Value updated = $_op.getUpdatedOperand();
        for (::mlir::Value result : $_op->getResults())
          if (updated && result.getType() == updated.getType())
            return result;
        return nullptr;
      }]>,
    InterfaceMethod<[{
        Whether `user`, which alone reads the result, is computed along with it although the
        operation is not row-wise: element by element, before it is stored.
      }], "bool", "absorbs", (ins "::mlir::Operation *":$user), /*methodBody=*/"",
      /*defaultImplementation=*/"return false;">
  ];
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCOPINTERFACES_TD
