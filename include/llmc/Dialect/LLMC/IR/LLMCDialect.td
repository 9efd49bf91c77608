//===- LLMCDialect.td - the dialect itself -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCDIALECT_TD
#define LLMC_DIALECT_LLMC_IR_LLMCDIALECT_TD

include "mlir/IR/OpBase.td"

def LLMC_Dialect : Dialect {
  let name = "llmc";
  let cppNamespace = "::llmc";
  let summary = "Language models as compression sees them";
  let description = [{
    The language in which compression passes work. A program is a module with one function `@step`,
    which takes the tokens of a step, the rows that they are, and one cache per attention layer, and
    gives logits; identical blocks are functions that it calls; weights are symbols.

    ```mlir
    llmc.parameter @embed : tensor<49152x576xf32> = #llmc.file<"model.onnx.data", offset = 0>
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                    %cache0: !llmc.kv_cache<3x64, capacity = 2048, keys = f32, values = f32>)
        -> tensor<?x49152xf32> {
      %table = llmc.parameter_value @embed : tensor<49152x576xf32>
      %h = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<49152x576xf32>) -> tensor<?x576xf32>
      …
    ```

    - The first dimension of every activation is *rows*: the tokens of any number of sequences, side
      by side. `!llmc.rows` says to which sequence and position each belongs. There is no batch
      dimension.
    - How a weight is stored is the encoding attribute of its tensor type; a type without one is
      stored as its element type says.
    - All arithmetic is fp32; a rounding of activations or of the cache is an attribute or a type
      that can be read in the IR.
    - Ordinary tensor algebra (adding a residual) is upstream `arith` on tensors.
    - A module's attribute `llmc.tokenizer`, where a tool has set it, is the path of the tokenizer.json
      that texts are read with for this model.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// The name of the function that computes one step of the model.
    static constexpr ::llvm::StringLiteral stepFunctionName = "step";

    /// The attribute of a module that names the model's tokenizer.json.
    static constexpr ::llvm::StringLiteral tokenizerAttributeName = "llmc.tokenizer";

    /// Files mapped on behalf of parameters; owned by the context, so that passes share them.
    class MappedFiles &getMappedFiles();

  private:
    void registerAttributes();
    void registerTypes();
    std::shared_ptr<class MappedFiles> mappedFiles;
  public:
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCDIALECT_TD
