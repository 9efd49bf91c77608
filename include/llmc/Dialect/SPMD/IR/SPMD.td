//===- SPMD.td - who computes what, and when ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_SPMD_TD
#define LLMC_DIALECT_SPMD_IR_SPMD_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SPMD_Dialect : Dialect {
  let name = "spmd";
  let cppNamespace = "::llmc::spmd";
  let summary = "Programs that every worker runs, each with its own share";
  let description = [{
    A step is a function that every worker runs. Its work is cut into stages: a stage is a number of
    independent pieces, of which each worker does a contiguous share; a barrier stands between
    stages that depend on each other. Buffers are addresses at static offsets of one arena.

    ```mlir
    func.func @step_row_avx2(%step: !spmd.step) {
      %arena = spmd.field %step arena
      %weights = spmd.field %step weights
      %rows = spmd.count %step rows
      %x = spmd.address %arena[0]
      %w = spmd.address %weights[81920]
      spmd.stage "layers.0.up" %step, %tiles {
      ^bb0(%begin: i64, %end: i64):
        func.call @linear_1536x576_f32_row_avx2(%rows, %begin, %end, %w, %x, …)
      }
      spmd.barrier %step
    ```

    Results do not depend on the number of workers, because a stage's pieces do not depend on how
    they are shared out.

    Functions carry `spmd.target`, the instruction set that they are generated for. `spmd.entry`
    makes two of them, for one row and for any number, one function that the runtime calls.
    `spmd.program` says what the runtime is told, and where each parameter lies in the packed
    weights: with it a module is all that an object is made of.
  }];
  let extraClassDeclaration = [{
    /// The attribute of functions that says what they are generated for, a TargetAttr.
    static constexpr ::llvm::StringLiteral targetAttrName = "spmd.target";
    /// The attribute of a program's parameters that says where they lie in the packed weights, i64.
    static constexpr ::llvm::StringLiteral offsetAttrName = "spmd.offset";
  }];
  // The type of addresses.
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
  let hasOperationAttrVerify = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

def SPMD_Field : I32Enum<"Field", "pointer of an llmc_step", [
    I32EnumCase<"Weights", 0, "weights">, I32EnumCase<"Arena", 1, "arena">,
    I32EnumCase<"WorkerArena", 2, "worker_arena">, I32EnumCase<"States", 3, "states">,
    I32EnumCase<"Tokens", 4, "tokens">, I32EnumCase<"Positions", 5, "positions">,
    I32EnumCase<"Sequences", 6, "sequences">, I32EnumCase<"Outputs", 7, "outputs">,
    I32EnumCase<"Logits", 8, "logits">, I32EnumCase<"Activations", 9, "activations">]> {
  let cppNamespace = "::llmc::spmd";
}
def SPMD_FieldAttr : EnumAttr<SPMD_Dialect, SPMD_Field, "field">;

def SPMD_Count : I32Enum<"Count", "number of an llmc_step", [
    I32EnumCase<"Rows", 0, "rows">, I32EnumCase<"OutputRows", 1, "output_rows">]> {
  let cppNamespace = "::llmc::spmd";
}
def SPMD_CountAttr : EnumAttr<SPMD_Dialect, SPMD_Count, "count">;

def SPMD_DotLowering : I32Enum<"DotLowering", "how llmc.group_dot becomes instructions", [
    I32EnumCase<"Plain", 0, "plain">, I32EnumCase<"Vnni", 1, "vnni">,
    I32EnumCase<"Maddubs", 2, "maddubs">, I32EnumCase<"Sdot", 3, "sdot">]> {
  let cppNamespace = "::llmc::spmd";
}

def SPMD_TargetAttr : AttrDef<SPMD_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "The instruction set that a function is generated for";
  let description = [{
    `cpu` and `features` are LLVM's. `dot` says what `llmc.group_dot` becomes: `plain` arithmetic on
    any machine, `vnni` (vpdpbusd on 512 bits), `maddubs` (vpmaddubsw, sums in int16, vpmaddwd) or
    `sdot` (of AArch64).
  }];
  let parameters = (ins StringRefParameter<"of the variant">:$name, StringRefParameter<>:$cpu,
                        StringRefParameter<>:$features, EnumParameter<SPMD_DotLowering>:$dot);
  let assemblyFormat = "`<` $name `,` struct($cpu, $features, $dot) `>`";
}

def SPMD_RegionAttr : AttrDef<SPMD_Dialect, "Region"> {
  let mnemonic = "region";
  let summary = "An array indexed by position inside a sequence's state";
  let description = [{
    An `llmc_state_region` of the runtime: positions stand in blocks of `block`, of
    block · stride bytes each, from `offset`.
  }];
  let parameters = (ins "int64_t":$offset, "int64_t":$stride, "int64_t":$block);
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

def SPMD_Step : TypeDef<SPMD_Dialect, "Step"> {
  let mnemonic = "step";
  let summary = "What is computed (an llmc_step), and which worker of how many computes";
}

class SPMD_Op<string mnemonic, list<Trait> traits = []> : Op<SPMD_Dialect, mnemonic, traits>;

def SPMD_FieldOp : SPMD_Op<"field", [Pure]> {
  let summary = "A pointer of the step";
  let description = [{
    `worker_arena` is the calling worker's own part, of which each has `stride` bytes.

    Constraints:
    - C1. `stride` is 0 but for `worker_arena`, and never negative.
  }];
  let arguments = (ins SPMD_Step:$step, SPMD_FieldAttr:$field, DefaultValuedAttr<I64Attr, "0">:$stride);
  let results = (outs LLVM_AnyPointer:$result);
  let assemblyFormat = "$step $field attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SPMD_CountOp : SPMD_Op<"count", [Pure]> {
  let summary = "A number of the step";
  let arguments = (ins SPMD_Step:$step, SPMD_CountAttr:$count);
  let results = (outs I64:$result);
  let assemblyFormat = "$step $count attr-dict";
}

def SPMD_AddressOp : SPMD_Op<"address", [Pure]> {
  let summary = "The address `offset` bytes after `base`";
  let arguments = (ins LLVM_AnyPointer:$base, I64Attr:$offset);
  let results = (outs LLVM_AnyPointer:$result);
  let assemblyFormat = "$base `[` $offset `]` attr-dict `:` type($base) `->` type($result)";
}

def SPMD_StageOp : SPMD_Op<"stage", [SingleBlock, NoTerminator]> {
  let summary = "Independent pieces of work, shared out over the workers";
  let description = [{
    Worker w of W runs the body once with [begin, end) = [count · w / W, count · (w + 1) / W),
    unless that is empty. `name` says what of the model the stage computes.

    Constraints:
    - C1. The body has two arguments of type i64.
  }];
  let arguments = (ins StrAttr:$name, SPMD_Step:$step, I64:$count);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name $step `,` $count $body attr-dict";
  let hasVerifier = 1;
}

def SPMD_BarrierOp : SPMD_Op<"barrier"> {
  let summary = "Waits until every worker is here";
  let arguments = (ins SPMD_Step:$step);
  let assemblyFormat = "$step attr-dict";
}

def SPMD_EntryOp : SPMD_Op<"entry", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A function of the object: what every worker calls to compute a step";
  let description = [{
    An `llmc_step_function` of the runtime. It calls `row` where the step has one row, else `rows`.

    ```mlir
    spmd.entry @step_avx2 row @step_row_avx2 rows @step_rows_avx2 target <"avx2", …>
    ```

    Constraints:
    - C1. `row` and `rows` are functions that take a step and give nothing.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$row, FlatSymbolRefAttr:$rows,
                       SPMD_TargetAttr:$target);
  let assemblyFormat = "$sym_name `row` $row `rows` $rows `target` $target attr-dict";
}

def SPMD_ProgramOp : SPMD_Op<"program", [
    IsolatedFromAbove, NoTerminator, SingleBlock, SymbolTable, HasParent<"::mlir::ModuleOp">]> {
  let summary = "What the runtime is told of a program, and what its packed weights hold";
  let description = [{
    Makes a planned module complete: functions, entries (variants, best first) and this are all that
    an object is made of. The region has the parameters, as `llmc.parameter`, each with its place in
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
  let arguments = (ins StrAttr:$triple, SPMD_SizesAttr:$sizes,
                       TypedArrayAttrBase<SPMD_RegionAttr, "regions of the state">:$state,
                       StrAttr:$description);
  let regions = (region SizedRegion<1>:$weights);
  let assemblyFormat = [{
    $triple $sizes `state` $state `description` $description $weights attr-dict
  }];
  let hasVerifier = 1;
}

#endif // LLMC_DIALECT_SPMD_IR_SPMD_TD
