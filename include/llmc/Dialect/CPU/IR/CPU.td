//===- CPU.td - stages of kernels at addresses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_CPU_IR_CPU_TD
#define LLMC_DIALECT_CPU_IR_CPU_TD

include "llmc/Dialect/SPMD/IR/SPMDBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"

def CPU_Dialect : Dialect {
  let name = "cpu";
  let cppNamespace = "::llmc::cpu";
  let summary = "A plan once kernels for CPUs are chosen";
  let description = [{
    What `convert-spmd-to-cpu` makes of a plan (`spmd`): buffers are addresses, a stage has a number
    of pieces and calls kernels for a range of them, and functions are for one instruction set.

    ```mlir
    func.func @step_row_avx2(%step: !spmd.step) attributes {cpu.target = #cpu.target<"avx2", …>} {
      %arena = cpu.field %step arena : !llvm.ptr
      %weights = cpu.field %step weights : !llvm.ptr
      %rows = cpu.count %step rows
      %x = cpu.address %arena[128] : !llvm.ptr -> !llvm.ptr
      %w = cpu.address %weights[81920] : !llvm.ptr -> !llvm.ptr
      cpu.stage "layers.0.up" %step, %tiles {
      ^bb0(%begin: i64, %end: i64):
        func.call @linear_1536x576_f32_row_avx2(%rows, %begin, %end, %w, %x, …)
      }
      spmd.barrier %step
    ```
  }];
  let extraClassDeclaration = [{
    /// The attribute of functions that says what they are generated for, a TargetAttr.
    static constexpr ::llvm::StringLiteral targetAttrName = "cpu.target";
  }];
  // Steps; the type of addresses.
  let dependentDialects = ["::llmc::spmd::SPMDDialect", "::mlir::LLVM::LLVMDialect"];
  let hasOperationAttrVerify = 1;
  let useDefaultAttributePrinterParser = 1;
}

def CPU_Field : I32Enum<"Field", "pointer of an llmc_step", [
    I32EnumCase<"Weights", 0, "weights">, I32EnumCase<"Arena", 1, "arena">,
    I32EnumCase<"WorkerArena", 2, "worker_arena">, I32EnumCase<"States", 3, "states">,
    I32EnumCase<"Tokens", 4, "tokens">, I32EnumCase<"Positions", 5, "positions">,
    I32EnumCase<"Sequences", 6, "sequences">, I32EnumCase<"Outputs", 7, "outputs">,
    I32EnumCase<"Logits", 8, "logits">, I32EnumCase<"Activations", 9, "activations">]> {
  let cppNamespace = "::llmc::cpu";
}
def CPU_FieldAttr : EnumAttr<CPU_Dialect, CPU_Field, "field">;

def CPU_Count : I32Enum<"Count", "number of an llmc_step", [
    I32EnumCase<"Rows", 0, "rows">, I32EnumCase<"OutputRows", 1, "output_rows">]> {
  let cppNamespace = "::llmc::cpu";
}
def CPU_CountAttr : EnumAttr<CPU_Dialect, CPU_Count, "count">;

def CPU_DotLowering : I32Enum<"DotLowering", "how llmc.group_dot becomes instructions", [
    I32EnumCase<"Plain", 0, "plain">, I32EnumCase<"Vnni", 1, "vnni">,
    I32EnumCase<"Maddubs", 2, "maddubs">, I32EnumCase<"Sdot", 3, "sdot">]> {
  let cppNamespace = "::llmc::cpu";
}

def CPU_TargetAttr : AttrDef<CPU_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "The instruction set that a function is generated for";
  let description = [{
    `cpu` and `features` are LLVM's. `dot` says what `llmc.group_dot` becomes: `plain` arithmetic on
    any machine, `vnni` (vpdpbusd on 512 bits), `maddubs` (vpmaddubsw, sums in int16, vpmaddwd) or
    `sdot` (of AArch64). Look-ups go by it too. `cpu.table_lookup` is one vpermps of 512 bits with
    `vnni`, two of 256 for each half with `maddubs`, and choices between halves of the table
    elsewhere; `cpu.take_bytes` is a pshufb with both, and shifts elsewhere. `cpu.shuffle_bytes` is a pshufb or a tbl
    where there is one, unless `dot` is plain. `cpu.look_up_bytes` and
    `cpu.windows` go by features: with AVX-512 VBMI and VBMI2 they are two vpermi2b and a vpmultishiftqb;
    a look-up is a pshufb for every 16 bytes with AVX2 or AVX-512 alone, tbl and tbx with NEON, loads
    elsewhere, and windows are shifts.
  }];
  let parameters = (ins StringRefParameter<"of the variant">:$name, StringRefParameter<>:$cpu,
                        StringRefParameter<>:$features, EnumParameter<CPU_DotLowering>:$dot);
  let assemblyFormat = "`<` $name `,` struct($cpu, $features, $dot) `>`";
}

class CPU_Op<string mnemonic, list<Trait> traits = []> : Op<CPU_Dialect, mnemonic, traits>;

def CPU_FieldOp : CPU_Op<"field", [Pure]> {
  let summary = "A pointer of the step";
  let description = [{
    `worker_arena` is the calling worker's own part, of which each has `stride` bytes.

    Constraints:
    - C1. `stride` is 0 but for `worker_arena`, and never negative.
  }];
  let arguments = (ins SPMD_Step:$step, CPU_FieldAttr:$field, DefaultValuedAttr<I64Attr, "0">:$stride);
  let results = (outs LLVM_AnyPointer:$result);
  let assemblyFormat = "$step $field attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def CPU_CountOp : CPU_Op<"count", [Pure]> {
  let summary = "A number of the step";
  let arguments = (ins SPMD_Step:$step, CPU_CountAttr:$count);
  let results = (outs I64:$result);
  let assemblyFormat = "$step $count attr-dict";
}

def CPU_AddressOp : CPU_Op<"address", [Pure]> {
  let summary = "The address `offset` bytes after `base`";
  let arguments = (ins LLVM_AnyPointer:$base, I64Attr:$offset);
  let results = (outs LLVM_AnyPointer:$result);
  let assemblyFormat = "$base `[` $offset `]` attr-dict `:` type($base) `->` type($result)";
}

def CPU_TableLookupOp : CPU_Op<"table_lookup", [Pure]> {
  let summary = "Numbers of a small table, one for each of 16 indices";
  let description = [{
    Lane i of the result is the number at `indices[i]`. An index beyond the table gives any of its
    numbers. With `cpu.take_bytes` and `llmc.group_dot` a seam between kernels and instruction sets.

    Constraints:
    - C1. The table has 2, 4, 8 or 16 numbers.
  }];
  let arguments = (ins DenseF32ArrayAttr:$table, VectorOfLengthAndType<[16], [I32]>:$indices);
  let results = (outs VectorOfLengthAndType<[16], [F32]>:$result);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` type($indices) `->` type($result)";
  let hasVerifier = 1;
}

def CPU_TakeBytesOp : CPU_Op<"take_bytes", [Pure]> {
  let summary = "The bytes of each of 16 integers in another order";
  let description = [{
    Byte i of an integer of the result is the byte of the one of `bytes` that byte i of `places` says,
    counted from the lowest, 0 to 3.
  }];
  let arguments = (ins VectorOfLengthAndType<[16], [I32]>:$bytes,
                       VectorOfLengthAndType<[16], [I32]>:$places);
  let results = (outs VectorOfLengthAndType<[16], [I32]>:$result);
  let assemblyFormat = [{
    $bytes `[` $places `]` attr-dict `:` type($bytes) `,` type($places) `->` type($result)
  }];
}

def CPU_ExpandBytesOp : CPU_Op<"expand_bytes",
                               [Pure, AllTypesMatch<["bytes", "others", "result"]>]> {
  let summary = "Bytes that stand side by side, at the places that a mask says";
  let description = [{
    Byte i of the result is, where bit i of `mask` is 1, byte n of `bytes`, where n bits below i are
    1; elsewhere byte i of `others`.
  }];
  let arguments = (ins VectorOfLengthAndType<[64], [I8]>:$bytes, I64:$mask,
                       VectorOfLengthAndType<[64], [I8]>:$others);
  let results = (outs VectorOfLengthAndType<[64], [I8]>:$result);
  let assemblyFormat = "$bytes `to` $mask `of` $others attr-dict `:` type($result)";
}

def CPU_ShuffleBytesOp : CPU_Op<"shuffle_bytes",
                                [Pure, AllTypesMatch<["bytes", "places", "result"]>]> {
  let summary = "Bytes of each 16, in an order that others say";
  let description = [{
    Byte i of the result is, where `places[i]` is below 128, the byte of the 16 of `bytes` that i is
    one of at `places[i]` mod 16; elsewhere 0.
  }];
  let arguments = (ins VectorOfLengthAndType<[64], [I8]>:$bytes,
                       VectorOfLengthAndType<[64], [I8]>:$places);
  let results = (outs VectorOfLengthAndType<[64], [I8]>:$result);
  let assemblyFormat = "$bytes `[` $places `]` attr-dict `:` type($result)";
}

def CPU_LookUpBytesOp : CPU_Op<"look_up_bytes", [Pure]> {
  let summary = "Bytes of tables, one for each of 64 indices";
  let description = [{
    Byte i of the result is the byte at address `table` + `indices[i]`, indices without a sign, of a
    table of `size` bytes; an index beyond it gives any byte. With `by_row` there are 16 tables of that
    size one after the other, and byte i is one of table i / 4: each lane of 32 bits has its own. 256
    bytes from `table` on can be read whatever the size. Nothing writes to the table while kernels run.

    Constraints:
    - C1. `size` is a power of two from 4 to 256.
  }];
  let arguments = (ins LLVM_AnyPointer:$table, VectorOfLengthAndType<[64], [I8]>:$indices,
                       DefaultValuedAttr<I64Attr, "256">:$size, UnitAttr:$by_row);
  let results = (outs VectorOfLengthAndType<[64], [I8]>:$result);
  let assemblyFormat = [{
    $table `[` $indices `]` attr-dict `:` type($table) `,` type($indices) `->` type($result)
  }];
  let hasVerifier = 1;
}

def CPU_WindowsOp : CPU_Op<"windows", [Pure]> {
  let summary = "Bytes at any bits of 16 streams side by side";
  let description = [{
    Each lane of `low` and `high` has 64 bits of a stream, those of `low` first. Byte 4r + i of the
    result is the 8 bits of lane r that start at bit i of `starts`.

    Constraints:
    - C1. There are 4 starts, which ascend from one below 32; the last is at most 24 more.
  }];
  let arguments = (ins VectorOfLengthAndType<[16], [I32]>:$low,
                       VectorOfLengthAndType<[16], [I32]>:$high, DenseI64ArrayAttr:$starts);
  let results = (outs VectorOfLengthAndType<[64], [I8]>:$result);
  let assemblyFormat = [{
    $low `,` $high `from` $starts attr-dict `:` type($low) `,` type($high) `->` type($result)
  }];
  let hasVerifier = 1;
}

def CPU_StageOp : CPU_Op<"stage", [SingleBlock, NoTerminator]> {
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

#endif // LLMC_DIALECT_CPU_IR_CPU_TD
