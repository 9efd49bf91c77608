//===- Families.cpp - small decoders of several families ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <utility>
#include <vector>

using namespace llmc::test;

namespace {

constexpr int width = 64, hiddenWidth = 96, vocabulary = 48, layers = 2, heads = 4, headSize = 16;

std::string vectorType(int size) { return "tensor<" + std::to_string(size) + "xf32>"; }
std::string matrixType(int rows, int columns) {
  return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) + "xf32>";
}
std::string rowsType(int columns) { return "tensor<?x" + std::to_string(columns) + "xf32>"; }

/// Writes a function's body; values are known by their names, "%v3", and have widths.
class BodyWriter {
public:
  BodyWriter(std::string prefix, int kvHeads) : prefix(std::move(prefix)), kvHeads(kvHeads) {}

  using Parameters = std::vector<std::pair<std::string, std::string>>;
  std::string body;
  Parameters parameters; ///< what is read, by name and type

  void setWidth(const std::string &value, int columns) { widths[value] = columns; }

  std::string read(const std::string &name, const std::string &type) {
    parameters.emplace_back(name, type);
    return "%" + name;
  }

  std::string linear(const std::string &x, const std::string &weight, int rows, bool bias = false) {
    std::string type = matrixType(rows, widths[x]), matrix = read(weight, type), values, types;
    if (bias) {
      values = " bias " + read(weight + "_bias", vectorType(rows));
      types = ", " + vectorType(rows);
    }
    return add("llmc.linear " + x + ", " + matrix + values + " : (" + rowsType(widths[x]) + ", " +
                   type + types + ") -> " + rowsType(rows),
               rows);
  }

  std::string rmsNorm(const std::string &x, const std::string &gain, int groups = 1) {
    int size = widths[x] / groups;
    std::string of = groups == 1 ? "" : ", groups = " + std::to_string(groups) + " : i64";
    std::string value = read(gain, vectorType(size));
    return add("llmc.rms_norm " + x + ", " + value + " : " + rowsType(widths[x]) + ", " +
                   vectorType(size) + " {epsilon = 1.0e-5 : f32" + of + "}",
               widths[x]);
  }

  std::string layerNorm(const std::string &x, const std::string &gain) {
    std::string type = vectorType(widths[x]), value = read(gain, type),
                bias = read(gain + "_bias", type);
    return add("llmc.layer_norm " + x + ", " + value + " bias " + bias + " : " +
                   rowsType(widths[x]) + ", " + type + ", " + type + " {epsilon = 1.0e-5 : f32}",
               widths[x]);
  }

  std::string rope(const std::string &x, const std::string &frequencies) {
    return add("llmc.rope " + x + ", %rows : " + rowsType(widths[x]) +
                   " {heads = " + std::to_string(widths[x] / headSize) +
                   " : i64, frequencies = array<f32: " + frequencies + ">}",
               widths[x]);
  }

  std::string attention(const std::string &q, const std::string &k, const std::string &v) {
    body += "%full = llmc.cache_append %cache, " + k + ", " + v + ", %rows : !cache, " +
            rowsType(widths[k]) + ", " + rowsType(widths[v]) + "\n";
    return add("llmc.attention " + q + ", %full, %rows : " + rowsType(widths[q]) +
                   ", !cache {heads = " + std::to_string(heads) + " : i64, scale = 0.25 : f32}",
               widths[q]);
  }

  std::string unary(const std::string &op, const std::string &x) {
    return add(op + " " + x + " : " + rowsType(widths[x]), widths[x]);
  }
  std::string scale(const std::string &x, const std::string &by) {
    return add("llmc.scale " + x + " by " + by + " : " + rowsType(widths[x]), widths[x]);
  }
  std::string binary(const std::string &op, const std::string &x, const std::string &y) {
    return add(op + " " + x + ", " + y + " : " + rowsType(widths[x]), widths[x]);
  }
  std::string sum(const std::string &x, const std::string &y) { return binary("arith.addf", x, y); }

  std::string slice(const std::string &x, int from, int size) {
    std::string n = std::to_string(size);
    body += "%zero" + std::to_string(count) + " = arith.constant 0 : index\n%size" +
            std::to_string(count) + " = tensor.dim " + x + ", %zero" + std::to_string(count) +
            " : " + rowsType(widths[x]) + "\n";
    return add("tensor.extract_slice " + x + "[0, " + std::to_string(from) + "] [%size" +
                   std::to_string(count) + ", " + n + "] [1, 1] : " + rowsType(widths[x]) + " to " +
                   rowsType(size),
               size);
  }

  std::string embedding(const std::string &table) {
    return add("llmc.embedding %tokens, " + table + " : (tensor<?xi32>, " +
                   matrixType(vocabulary, width) + ") -> " + rowsType(width),
               width);
  }
  std::string outputRows(const std::string &x) {
    return add("llmc.output_rows " + x + ", %rows : " + rowsType(width) + " -> " + rowsType(width),
               width);
  }

  int getKeyWidth() const { return kvHeads * headSize; }

private:
  std::string add(const std::string &op, int columns) {
    std::string name = "%" + prefix + std::to_string(count++);
    body += name + " = " + op + "\n";
    widths[name] = columns;
    return name;
  }

  std::string prefix;
  int kvHeads, count = 0;
  llvm::StringMap<int> widths;
};

const char *const wholeHead = "1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001";
const char *const quarterOfHead = "1.0, 0.1";

std::string writeLlama(BodyWriter &w, const std::string &x) {
  std::string n = w.rmsNorm(x, "attention_norm");
  std::string q = w.rope(w.linear(n, "query", width), wholeHead);
  std::string k = w.rope(w.linear(n, "key", w.getKeyWidth()), wholeHead);
  std::string v = w.linear(n, "value", w.getKeyWidth());
  std::string h = w.sum(x, w.linear(w.attention(q, k, v), "output", width));
  std::string m = w.rmsNorm(h, "mlp_norm");
  std::string gate = w.linear(m, "gate", hiddenWidth), up = w.linear(m, "up", hiddenWidth);
  return w.sum(h, w.linear(w.binary("llmc.gate <silu>", gate, up), "down", width));
}

std::string writeGPT2(BodyWriter &w, const std::string &x) {
  std::string qkv = w.linear(w.layerNorm(x, "attention_norm"), "qkv", 3 * width, /*bias=*/true);
  std::string q = w.slice(qkv, 0, width), k = w.slice(qkv, width, width),
              v = w.slice(qkv, 2 * width, width);
  std::string h = w.sum(x, w.linear(w.attention(q, k, v), "output", width, /*bias=*/true));
  std::string up = w.linear(w.layerNorm(h, "mlp_norm"), "up", hiddenWidth, /*bias=*/true);
  return w.sum(h, w.linear(w.unary("llmc.activation <gelu>", up), "down", width, /*bias=*/true));
}

std::string writeGemma(BodyWriter &w, const std::string &x) {
  std::string n = w.rmsNorm(x, "attention_norm");
  std::string q = w.linear(n, "query", width), k = w.linear(n, "key", w.getKeyWidth());
  q = w.rope(w.rmsNorm(q, "query_norm", heads), wholeHead);
  k = w.rope(w.rmsNorm(k, "key_norm", w.getKeyWidth() / headSize), wholeHead);
  std::string o = w.attention(q, k, w.linear(n, "value", w.getKeyWidth()));
  std::string h = w.sum(x, w.rmsNorm(w.linear(o, "output", width), "attention_post_norm"));
  std::string m = w.rmsNorm(h, "mlp_norm");
  std::string gate = w.linear(m, "gate", hiddenWidth), up = w.linear(m, "up", hiddenWidth);
  std::string d = w.linear(w.binary("llmc.gate <gelu_tanh>", gate, up), "down", width);
  return w.sum(h, w.rmsNorm(d, "mlp_post_norm"));
}

std::string writeNeoX(BodyWriter &w, const std::string &x) {
  std::string n = w.layerNorm(x, "attention_norm");
  std::string q = w.rope(w.linear(n, "query", width, true), quarterOfHead);
  std::string k = w.rope(w.linear(n, "key", width, true), quarterOfHead);
  std::string o = w.linear(w.attention(q, k, w.linear(n, "value", width, true)), "output", width,
                           /*bias=*/true);
  std::string up = w.linear(w.layerNorm(x, "mlp_norm"), "up", hiddenWidth, /*bias=*/true);
  std::string d = w.linear(w.unary("llmc.activation <gelu>", up), "down", width, /*bias=*/true);
  return w.sum(w.sum(x, o), d);
}

std::string writeBlock(Family family, BodyWriter &w, const std::string &x) {
  switch (family) {
  case Family::Llama:
    return writeLlama(w, x);
  case Family::GPT2:
    return writeGPT2(w, x);
  case Family::Gemma:
    return writeGemma(w, x);
  case Family::NeoX:
    return writeNeoX(w, x);
  }
  return x;
}

bool hasLayerNorms(Family family) { return family == Family::GPT2 || family == Family::NeoX; }
bool hasTiedHead(Family family) { return family == Family::GPT2 || family == Family::Gemma; }

/// Declares parameters of names with `prefix`, and reads them in a step under those without dots.
class StepWriter {
public:
  std::string declarations, body;

  std::string read(const std::string &name, const std::string &type) {
    std::string value = "%" + llvm::join(llvm::split(name, '.'), "_");
    declarations +=
        "llmc.parameter @" + name + " : " + type + " = #llmc.file<\"random\", offset = 0>\n";
    body += value + " = llmc.parameter_value @" + name + " : " + type + "\n";
    return value;
  }
};

} // namespace

std::string llmc::test::writeModel(Family family) {
  int kvHeads = hasLayerNorms(family) ? heads : heads / 2;
  BodyWriter block("b", kvHeads);
  block.setWidth("%h", width);
  std::string result = writeBlock(family, block, "%h");
  std::string arguments;
  for (const auto &[name, type] : block.parameters)
    arguments += ", %" + name + ": " + type;
  std::string x = rowsType(width);
  std::string function = "func.func private @block(%h: " + x +
                         ", %rows: !llmc.rows, %cache: !cache" + arguments + ") -> " + x + " {\n" +
                         block.body + "return " + result + " : " + x + "\n}\n";

  StepWriter step;
  std::string table = step.read("embedding", matrixType(vocabulary, width));
  BodyWriter first("e", kvHeads), last("l", kvHeads);
  std::string h = first.embedding(table);
  if (family == Family::Gemma)
    h = first.scale(h, "8.0");
  std::string calls;
  for (int layer = 0; layer < layers; ++layer) {
    std::string n = std::to_string(layer), values, types;
    for (const auto &[name, type] : block.parameters) {
      values += ", " + step.read("layers." + n + "." + name, type);
      types += ", " + type;
    }
    calls += "%h" + n + " = call @block(" + h + ", %rows, %cache" + n + values + ") : (" + x +
             ", !llmc.rows, !cache" + types + ") -> " + x + "\n";
    h = "%h" + n;
  }
  last.setWidth(h, width);
  std::string kept = last.outputRows(h);
  std::string n =
      hasLayerNorms(family) ? last.layerNorm(kept, "final_norm") : last.rmsNorm(kept, "final_norm");
  for (const auto &[name, type] : last.parameters)
    step.read(name, type);
  std::string head = hasTiedHead(family) ? table : step.read("head", matrixType(vocabulary, width));
  std::string logits = "%logits = llmc.linear " + n + ", " + head + " : (" + x + ", " +
                       matrixType(vocabulary, width) + ") -> " + rowsType(vocabulary) + "\n";
  return "!cache = !llmc.kv_cache<" + std::to_string(kvHeads) + "x" + std::to_string(headSize) +
         ", capacity = 32, keys = f32, values = f32>\n" + step.declarations + function +
         "func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache0: !cache, "
         "%cache1: !cache) -> " +
         rowsType(vocabulary) + " {\n" + step.body + first.body + calls + last.body + logits +
         "return %logits : " + rowsType(vocabulary) + "\n}\n";
}
