//===- SPMD.td - who computes what, and when ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_SPMD_TD
#define LLMC_DIALECT_SPMD_IR_SPMD_TD

include "llmc/Dialect/LLMC/IR/LLMCOpInterfaces.td"
include "llmc/Dialect/SPMD/IR/SPMDBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SPMD_Extent : I32Enum<"Extent", "how many rows a value has", [
    I32EnumCase<"Whole", 0, "whole">, I32EnumCase<"Rows", 1, "rows">,
    I32EnumCase<"OutputRows", 2, "output_rows">]> {
  let cppNamespace = "::llmc::spmd";
}

def SPMD_Input : I32Enum<"Input", "a buffer that the step comes with", [
    I32EnumCase<"Tokens", 0, "tokens">, I32EnumCase<"Positions", 1, "positions">,
    I32EnumCase<"Rows", 2, "rows">, I32EnumCase<"Logits", 3, "logits">]> {
  let cppNamespace = "::llmc::spmd";
}
def SPMD_InputAttr : EnumAttr<SPMD_Dialect, SPMD_Input, "input">;

def SPMD_RegionAttr : AttrDef<SPMD_Dialect, "Region"> {
  let mnemonic = "region";
  let summary = "An array indexed by position inside a sequence's state";
  let description = [{
    An `llmc_state_region` of the runtime: positions stand in blocks of `block`, of
    block · stride bytes each, from `offset`. Where `kept` is not 0, a multiple of block, there are
    so many positions alone: the first ones, or, with `recent`, the latest that were written, of
    which a step reads so many before its own.
  }];
  let parameters = (ins "int64_t":$offset, "int64_t":$stride, "int64_t":$block,
                        DefaultValuedParameter<"int64_t", "0">:$kept,
                        DefaultValuedParameter<"int64_t", "0">:$recent);
  let builders = [AttrBuilder<(ins "int64_t":$offset, "int64_t":$stride, "int64_t":$block), [{
    return $_get($_ctxt, offset, stride, block, 0, 0);
  }]>];
  let assemblyFormat = "`<` struct(params) `>`";
}

def SPMD_SizesAttr : AttrDef<SPMD_Dialect, "Sizes"> {
  let mnemonic = "sizes";
  let summary = "The numbers of a program";
  let description = [{
    The width of the logits, the positions that a sequence may have, the rows of a step; bytes of
    the packed weights, of what all workers share, of what each has for itself, and of a sequence's
    state.
  }];
  let parameters = (ins "int64_t":$vocabulary, "int64_t":$positions, "int64_t":$max_rows,
                        "int64_t":$weight_bytes, "int64_t":$arena_bytes,
                        "int64_t":$worker_arena_bytes, "int64_t":$state_bytes);
  let assemblyFormat = "`<` struct(params) `>`";
}

def SPMD_Frame : TypeDef<SPMD_Dialect, "Frame"> {
  let mnemonic = "frame";
  let summary = "The memory of one function's own buffers, shared by all workers";
}

def SPMD_Buffer : TypeDef<SPMD_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "A place for a value of a model";
  let description = [{
    `value` is the type that the value has in the model. Where it has rows, `extent` says which:
    all `rows` of the step, or the `output_rows` whose logits are wanted. How the value's elements
    lie is said in llmc/Dialect/SPMD/IR/BufferLayout.h for what a step computes, and by the layouts
    of weights and caches for those.

    Examples: `!spmd.buffer<tensor<?x576xf32>, rows>`,
    `!spmd.buffer<!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>>`
  }];
  let parameters = (ins "::mlir::Type":$value,
                        DefaultValuedParameter<"::llmc::spmd::Extent",
                                               "::llmc::spmd::Extent::Whole">:$extent);
  let assemblyFormat = "`<` $value `` custom<Extent>($extent) `>`";
}

class SPMD_Op<string mnemonic, list<Trait> traits = []> : Op<SPMD_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

def SPMD_ArenaOp : SPMD_Op<"arena", [Pure]> {
  let summary = "The frame of the function that computes a step";
  let arguments = (ins SPMD_Step:$step);
  let results = (outs SPMD_Frame:$result);
  let assemblyFormat = "$step attr-dict";
}

def SPMD_FrameOp : SPMD_Op<"frame", [Pure]> {
  let summary = "The frame of a function that is called: a part of the caller's";
  let description = [{
    Constraints:
    - C1. `offset` is at least 0.
  }];
  let arguments = (ins SPMD_Frame:$frame, I64Attr:$offset);
  let results = (outs SPMD_Frame:$result);
  let assemblyFormat = "$frame `[` $offset `]` attr-dict";
  let hasVerifier = 1;
}

def SPMD_BufferOp : SPMD_Op<"buffer", [Pure]> {
  let summary = "A buffer in a frame";
  let description = [{
    Constraints:
    - C1. `offset` is at least 0.
  }];
  let arguments = (ins SPMD_Frame:$frame, I64Attr:$offset);
  let results = (outs SPMD_Buffer:$result);
  let assemblyFormat = "$frame `[` $offset `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SPMD_WeightOp : SPMD_Op<"weight", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A parameter of the program, in the packed weights";
  let description = [{
    Constraints:
    - C1. `parameter` is an `llmc.parameter` of the module's `spmd.program`, of the buffer's type but for
      kept weights, of which it has as many at most.
  }];
  let arguments = (ins SPMD_Step:$step, FlatSymbolRefAttr:$parameter);
  let results = (outs SPMD_Buffer:$result);
  let assemblyFormat = "$step $parameter attr-dict `:` type($result)";
}

def SPMD_InputOp : SPMD_Op<"input", [Pure]> {
  let summary = "A buffer that the step comes with";
  let description = [{
    The `tokens` and `positions` of all rows, one integer each; the `rows` themselves, an
    `!llmc.rows`; and where `logits` go, whose rows lie side by side without padding.

    Constraints:
    - C1. The buffer is of that: integers of 32 bits, `!llmc.rows`, or activations.
  }];
  let arguments = (ins SPMD_Step:$step, SPMD_InputAttr:$input);
  let results = (outs SPMD_Buffer:$result);
  let assemblyFormat = "$step $input attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SPMD_ActivationsOp : SPMD_Op<"activations", [Pure]> {
  let summary = "Activations that a part of a model takes or gives";
  let description = [{
    Buffer `index` of those that the step of a part comes with: its arguments, then its results.

    Constraints:
    - C1. `index` is at least 0.
  }];
  let arguments = (ins SPMD_Step:$step, I64Attr:$index);
  let results = (outs SPMD_Buffer:$result);
  let assemblyFormat = "$step `[` $index `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SPMD_StateOp : SPMD_Op<"state", [Pure]> {
  let summary = "A cache, at an offset of every sequence's state";
  let description = [{
    Constraints:
    - C1. `offset` is at least 0, and the buffer is of an `!llmc.kv_cache`.
  }];
  let arguments = (ins SPMD_Step:$step, I64Attr:$offset);
  let results = (outs SPMD_Buffer:$result);
  let assemblyFormat = "$step `[` $offset `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

def SPMD_StageOp : SPMD_Op<"stage", [
    IsolatedFromAbove, AttrSizedOperandSegments,
    SingleBlockImplicitTerminator<"::llmc::spmd::YieldOp">]> {
  let summary = "Work that workers share, without a barrier inside";
  let description = [{
    Reads the values in buffers `reads`, computes what the body says, and writes what it yields to
    `writes`. `name` says what of the model it is. A cache is read and written in place.

    Constraints:
    - C1. The body has an argument for each of `reads`, and yields a value for each of `writes`, of
      the buffers' types.
  }];
  let arguments = (ins StrAttr:$name, Variadic<SPMD_Buffer>:$reads, Variadic<SPMD_Buffer>:$writes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name `reads` `(` ($reads^ `:` type($reads))? `)` `writes` `(` ($writes^ `:` type($writes))? `)`
    $body attr-dict
  }];
  let hasVerifier = 1;
}

def SPMD_YieldOp : SPMD_Op<"yield", [Pure, Terminator, ParentOneOf<["StageOp", "MapRowsOp"]>]> {
  let summary = "What a stage or a body on rows computes";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ /* nothing to yield */ }]>];
}

def SPMD_MapRowsOp : SPMD_Op<"map_rows", [
    IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects, LLMC_StageOpInterface]> {
  let summary = "Plain tensor algebra that keeps rows apart";
  let description = [{
    What a model has of linalg, tensor, arith and math beside its llmc operations, in pieces that
    give activations. Its operands are the body's arguments; tensors whose first dimension is dynamic
    are rows, all others have sizes that are known.

    ```mlir
    %y = spmd.map_rows (%x) {
    ^bb0(%rows: tensor<?x64xf32>):
      %s = … linalg.softmax …
      spmd.yield %s : tensor<?x64xf32>
    } : (tensor<?x64xf32>) -> tensor<?x64xf32>
    ```

    Constraints:
    - C1. The body has an argument for each operand, and yields a value for the result, of the same
      types.
    - C2. Row r of whatever the body computes depends on row r of its operands alone, and on what has
      no rows. This is said of each operation: linalg's index maps have the rows at dimension 0 and
      nowhere else, slices and reshapes leave dimension 0 as it is, everything else is elementwise.
  }];
  let arguments = (ins Variadic<AnyType>:$inputs);
  let results = (outs AnyRankedTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `(` $inputs `)` $body attr-dict `:` functional-type($inputs, $result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::Value> getRowOperands();
  }];
}

def SPMD_BarrierOp : SPMD_Op<"barrier"> {
  let summary = "Waits until every worker is here";
  let arguments = (ins SPMD_Step:$step);
  let assemblyFormat = "$step attr-dict";
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

def SPMD_EntryOp : SPMD_Op<"entry", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A function of the object: what every worker calls to compute a step";
  let description = [{
    An `llmc_step_function` of the runtime. It calls `row` where the step has one row, else `rows`.
    In a plan it has no `target`; each that code is generated for has an entry of its own.

    ```mlir
    spmd.entry @step row @step_row rows @step_rows
    spmd.entry @step_avx2 row @step_row_avx2 rows @step_rows_avx2 target #cpu.target<"avx2", …>
    ```

    Constraints:
    - C1. `row` and `rows` are functions that take a step and give nothing.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$row, FlatSymbolRefAttr:$rows,
                       OptionalAttr<AnyAttr>:$target);
  let assemblyFormat = "$sym_name `row` $row `rows` $rows (`target` $target^)? attr-dict";
}

def SPMD_ProgramOp : SPMD_Op<"program", [
    IsolatedFromAbove, NoTerminator, SingleBlock, SymbolTable, HasParent<"::mlir::ModuleOp">]> {
  let summary = "What the runtime is told of a program, and what its packed weights hold";
  let description = [{
    Makes a planned module complete: functions, entries (variants, best first) and this are all that
    an object is made of. A plan has no triple, and no memory of a worker's own yet: a target says
    both. The region has the parameters, as `llmc.parameter`, each with its place in
    the packed weights as `spmd.offset`. `description` is what the program says of its model, a JSON
    object.

    ```mlir
    spmd.program "x86_64-unknown-linux-gnu"
        <vocabulary = 32, positions = 8, max_rows = 16, weight_bytes = 1152, arena_bytes = 4096,
         worker_arena_bytes = 64, state_bytes = 512>
        state [#spmd.region<offset = 0, stride = 16, block = 16>,
               #spmd.region<offset = 256, stride = 16, block = 1>]
        description "{}" {
      llmc.parameter @norm : tensor<8xf32> = #llmc.file<"m.weights", offset = 0> {spmd.offset = 0 : i64}
    }
    ```

    Constraints:
    - C1. Vocabulary, positions and rows are at least 0 and fit in 31 bits; bytes are at least 0.
    - C2. Every region of the state has an offset and a stride of at least 0, a block of 1 to
      2^31 - 1, and room for as many positions as a sequence may have, rounded up to its block.
    - C3. It is the only one in its module, beside functions, entries and tables
      (`llvm.mlir.global`).
  }];
  let arguments = (ins OptionalAttr<StrAttr>:$triple, SPMD_SizesAttr:$sizes,
                       TypedArrayAttrBase<SPMD_RegionAttr, "regions of the state">:$state,
                       StrAttr:$description);
  let regions = (region SizedRegion<1>:$weights);
  let assemblyFormat = [{
    ($triple^)? $sizes `state` $state `description` $description $weights attr-dict
  }];
  let hasVerifier = 1;
}

#endif // LLMC_DIALECT_SPMD_IR_SPMD_TD
