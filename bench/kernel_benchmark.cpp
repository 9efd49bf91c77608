//===- kernel_benchmark.cpp - the speed of single kernels, on one thread ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// kernel-benchmark [VARIANT] [KERNEL]: times linear and attention kernels at the shapes of small
// language models, and prints what they reach in gigabytes (of weights or cache) and in 10^9
// operations per second. Time is the thread's own CPU time, which other processes disturb least;
// the median of many runs is reported. Weights of one row's kernels are cold: many copies are
// walked through.
//
//===----------------------------------------------------------------------===//

#include "KernelTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Transforms/Quantization/WeightBits.h"

#include "mlir/IR/Builders.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>
#include <sys/mman.h>

using namespace llmc;
using namespace llmc::test;

namespace {

double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Memory in huge pages, filled with bytes that are ordinary numbers in every type.
class Pages {
public:
  explicit Pages(size_t size) : size(size) {
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      llvm::report_fatal_error("no memory for a benchmark");
    madvise(memory, size, MADV_HUGEPAGE);
    std::memset(memory, 0x3c, size);
  }
  ~Pages() { munmap(memory, size); }
  uint8_t *data() { return static_cast<uint8_t *>(memory); }

private:
  void *memory;
  size_t size;
};

/// Median seconds of a call of `run`, measured for at least a fifth of a second.
double measure(llvm::function_ref<void()> run) {
  std::vector<double> seconds;
  run();
  for (double total = 0; total < 0.2 || seconds.size() < 5;) {
    double start = now();
    run();
    seconds.push_back(now() - start);
    total += seconds.back();
  }
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

void report(const TestTarget &target, const std::string &name, double seconds, double bytes,
            double operations) {
  std::printf("%-12s %-44s %10.1f us %8.2f GB/s %8.1f GOP/s\n", target.label.c_str(), name.c_str(),
              seconds * 1e6, bytes / seconds * 1e-9, operations / seconds * 1e-9);
  std::fflush(stdout);
}

struct LinearBenchmark {
  std::string encoding;
  mlir::RankedTensorType weight;
  bool rounded;
  int64_t rows;
  bool oneScale = false; ///< of a row of rounded activations

  std::string getName() const {
    return "linear " + std::to_string(weight.getDimSize(0)) + "x" +
           std::to_string(weight.getDimSize(1)) + " " + encoding +
           (rounded ? oneScale ? " a8 by row" : " a8" : "") + " rows=" + std::to_string(rows);
  }
};

/// A matrix of which a random half is kept, or random columns are listed, as kernels read it; empty
/// where neither is, for which any bytes will do. A multiple of 64 bytes.
std::vector<uint8_t> packRandom(const TiledLayout &layout) {
  const TiledPlane *positions = layout.getPositions();
  if (!layout.isMasked() && !positions)
    return {};
  auto form = CanonicalForm::get(layout.encoding, {layout.rows, layout.columns});
  std::vector<uint8_t> bytes(form.size);
  std::mt19937_64 random(1);
  for (const PlaneArray &plane : form.planes)
    if (&plane != form.planes.begin() && !(plane.listed != 0 && !plane.isFloat()))
      std::fill_n(bytes.begin() + plane.offset, plane.getByteSize(), 0x3c);
  for (int64_t row = 0; row < layout.rows; ++row) {
    for (int64_t column = 0; layout.isMasked() && column < layout.columns; ++column)
      form[0].write(bytes.data(), row, column, static_cast<unsigned>(random() % 2));
    for (int64_t i = 0; positions && i < positions->listed; ++i)
      form[positions - layout.planes.begin()].write(
          bytes.data(), row, i, static_cast<unsigned>(random() % layout.columns));
  }
  std::vector<uint8_t> tiles((getPackedSize(layout, bytes) + 63) / 64 * 64);
  packTables(layout, bytes, tiles.data());
  for (int64_t tile = 0; tile < layout.tiles; ++tile)
    packTile(layout, bytes, tile, tiles.data() + layout.getTileOffset(tile));
  packKept(layout, bytes, tiles.data());
  return tiles;
}

void runLinear(mlir::MLIRContext &context, const TestTarget &target,
               const LinearBenchmark &benchmark) {
  LinearKernel kernel;
  kernel.weight = benchmark.weight;
  kernel.rounded = benchmark.rounded;
  kernel.oneScale = benchmark.oneScale;
  kernel.oneRow = benchmark.rows == 1;
  int64_t N = kernel.weight.getDimSize(0), K = kernel.weight.getDimSize(1);
  kernel.outputStride = getRowStride(N);
  const Emitter emitters[] = {[&](mlir::ModuleOp module, const KernelTarget &target) {
    return emitLinear(module, kernel, target);
  }};
  CompiledKernels kernels(context, target, emitters);
  TiledLayout layout = TiledLayout::get(kernel.weight);
  std::vector<uint8_t> tiles = packRandom(layout);
  int64_t rows = benchmark.rows, stride = getRowStride(K);
  int64_t bytes = tiles.empty() ? layout.getByteSize() : static_cast<int64_t>(tiles.size());
  int64_t copies = rows == 1 ? (256 << 20) / bytes + 1 : 1;
  // What prefetching reads beyond the end is there.
  Pages weights(bytes * copies + (1 << 20)), input(rows * stride * 4), scales(rows * stride / 8),
      sums(rows * stride / 8), output(rows * kernel.outputStride * 4),
      scratch(std::max<int64_t>(kernel.getScratchBytes(), 64));
  for (int64_t copy = 0; copy < copies; ++copy)
    llvm::copy(tiles, weights.data() + copy * bytes);
  double seconds = measure([&] {
    for (int64_t copy = 0; copy < copies; ++copy) {
      const uint8_t *data = weights.data() + copy * bytes;
      if (kernel.rounded)
        kernels.run(0, rows, int64_t(0), layout.tiles, data, input.data(), scales.data(),
                    sums.data(), output.data(), scratch.data());
      else
        kernels.run(0, rows, int64_t(0), layout.tiles, data, input.data(), output.data(),
                    scratch.data());
    }
  });
  report(target, benchmark.getName(), seconds / copies, bytes, 2.0 * N * K * rows);
}

void runAttention(mlir::MLIRContext &context, const TestTarget &target, mlir::Type element,
                  int64_t depth, int64_t rows) {
  constexpr int64_t kvHeads = 3, heads = 9, headSize = 64;
  auto cache = KVCacheType::get(&context, kvHeads, headSize, depth + rows, element, element);
  AttentionKernel kernel{cache, heads, 0.125f, {}, {}, {}, rows == 1};
  int64_t atOnce = kernel.getRowsAtOnce();
  int64_t tasks = rows == 1 ? heads : (rows + atOnce - 1) / atOnce * kvHeads;
  const Emitter emitters[] = {[&](mlir::ModuleOp module, const KernelTarget &target) {
    return emitAttention(module, kernel, target);
  }};
  CompiledKernels kernels(context, target, emitters);
  CacheLayout layout = CacheLayout::get(cache);
  Pages state(layout.size), query(rows * heads * headSize * 4), output(rows * heads * headSize * 4),
      scratch(kernel.getScratchBytes());
  uint8_t *states[] = {state.data()};
  std::vector<int32_t> positions(rows), sequences(rows, 0);
  for (int64_t row = 0; row < rows; ++row)
    positions[row] = static_cast<int32_t>(depth + row);
  double seconds = measure([&] {
    kernels.run(0, rows, int64_t(0), tasks, query.data(), states, positions.data(),
                sequences.data(), int64_t(0), output.data(), scratch.data());
  });
  double seen = static_cast<double>(rows) * (static_cast<double>(depth) + (rows + 1) / 2.0);
  std::string name;
  llvm::raw_string_ostream(name) << "attention 9/3x64 " << element << " depth=" << depth
                                 << " rows=" << rows;
  report(target, name, seconds,
         static_cast<double>(depth + rows) * kvHeads * headSize * 2 *
             element.getIntOrFloatBitWidth() / 8,
         seen * heads * headSize * 4);
}

} // namespace

int main(int count, char **arguments) {
  std::string variant = count > 1 ? arguments[1] : "", filter = count > 2 ? arguments[2] : "";
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::Builder builder(context.get());
  mlir::Type f32 = builder.getF32Type(), f16 = builder.getF16Type();
  auto grouped = [&](unsigned bits, ZeroPoint zero, int64_t N, int64_t K) {
    return mlir::RankedTensorType::get({N, K}, f32,
                                       GroupedAttr::get(context.get(), bits, 32, zero, f16));
  };
  auto sparse = [&](mlir::RankedTensorType inner) {
    return mlir::RankedTensorType::get(inner.getShape(), f32,
                                       SparseAttr::get(context.get(), 2, 4, inner.getEncoding()));
  };
  auto nf4 = [&](int64_t N, int64_t K) {
    return mlir::RankedTensorType::get({N, K}, f32, NF4Attr::get(context.get(), 64, f16));
  };
  auto floats = [&](mlir::Type element, int64_t group, mlir::Type scale, mlir::Type ofMatrix = {}) {
    return [=](int64_t N, int64_t K) {
      return mlir::RankedTensorType::get(
          {N, K}, f32, SmallFloatAttr::get(element.getContext(), element, group, scale, ofMatrix));
    };
  };
  mlir::Type power = builder.getType<mlir::Float8E8M0FNUType>();
  mlir::Type e2m1 = builder.getType<mlir::Float4E2M1FNType>();
  mlir::Type e4m3 = builder.getType<mlir::Float8E4M3FNType>();
  auto mxfp4 = floats(e2m1, 32, power);
  auto mxfp6 = floats(builder.getType<mlir::Float6E2M3FNType>(), 32, power);
  auto mxfp8 = floats(e4m3, 32, power);
  auto nvfp4 = floats(e2m1, 16, e4m3, f32);
  auto masked = [&](mlir::Attribute inner, int64_t N, int64_t K) {
    return mlir::RankedTensorType::get({N, K}, f32,
                                       MaskedAttr::get(context.get(), N * K / 2, inner));
  };
  auto bilevel = [&](int64_t N, int64_t K) {
    return mlir::RankedTensorType::get({N, K}, f32,
                                       BilevelAttr::get(context.get(), 3, 16, 3, 16, f16));
  };
  auto outliers = [&](mlir::RankedTensorType inner) {
    int64_t count = (inner.getDimSize(1) + 50) / 100;
    return mlir::RankedTensorType::get(
        inner.getShape(), f32, OutliersAttr::get(context.get(), count, f16, inner.getEncoding()));
  };
  auto trellis = [&](unsigned halves, int64_t N, int64_t K) {
    return mlir::RankedTensorType::get({N, K}, f32,
                                       TrellisAttr::ofHalves(context.get(), halves, f16));
  };
  auto codebook = [&](unsigned bits, int64_t sharing, int64_t N, int64_t K) {
    return mlir::RankedTensorType::get({N, K}, f32,
                                       CodebookAttr::get(context.get(), bits, sharing, f16));
  };
  auto ternary = [&](int64_t N, int64_t K) {
    return mlir::RankedTensorType::get(
        {N, K}, f32, TernaryAttr::get(context.get(), GroupedAttr::channelGroup, f16));
  };
  auto byChannel = [&](unsigned bits, int64_t N, int64_t K) {
    return mlir::RankedTensorType::get(
        {N, K}, f32,
        GroupedAttr::get(context.get(), bits, GroupedAttr::channelGroup, ZeroPoint::None, f16));
  };
  std::vector<LinearBenchmark> linears;
  for (int64_t rows : {1, 128})
    for (auto [N, K] :
         {std::pair<int64_t, int64_t>(576, 576), {1536, 576}, {576, 1536}, {2048, 5632}}) {
      linears.push_back({"int4", grouped(4, ZeroPoint::None, N, K), true, rows});
      linears.push_back({"2:4 int4", sparse(grouped(4, ZeroPoint::None, N, K)), true, rows});
      linears.push_back(
          {"50% int4", masked(grouped(4, ZeroPoint::None, N, K).getEncoding(), N, K), true, rows});
      linears.push_back({"int4z", grouped(4, ZeroPoint::Integer, N, K), true, rows});
      linears.push_back({"int4f", grouped(4, ZeroPoint::Float, N, K), true, rows});
      linears.push_back({"int8", grouped(8, ZeroPoint::None, N, K), true, rows});
      linears.push_back({"int4", grouped(4, ZeroPoint::None, N, K), false, rows});
      linears.push_back({"2:4 int4", sparse(grouped(4, ZeroPoint::None, N, K)), false, rows});
      linears.push_back({"nf4", nf4(N, K), false, rows});
      linears.push_back({"2:4 nf4", sparse(nf4(N, K)), false, rows});
      linears.push_back({"bilevel3", bilevel(N, K), false, rows});
      linears.push_back({"bilevel3 + 1%", outliers(bilevel(N, K)), false, rows});
      linears.push_back({"int4 + 1%", outliers(grouped(4, ZeroPoint::None, N, K)), true, rows});
      linears.push_back({"mxfp4", mxfp4(N, K), false, rows});
      linears.push_back({"nvfp4", nvfp4(N, K), false, rows});
      linears.push_back({"mxfp6", mxfp6(N, K), false, rows});
      linears.push_back({"mxfp8", mxfp8(N, K), false, rows});
      for (unsigned halves = TrellisAttr::leastHalves; halves <= TrellisAttr::mostHalves; ++halves)
        for (bool rounded : {true, false})
          linears.push_back({"trellis" + WeightBits::ofHalves(halves).str(), trellis(halves, N, K),
                             rounded, rows});
      for (unsigned bits : {3u, 4u, 5u})
        for (bool rounded : {true, false})
          linears.push_back(
              {"codebook" + std::to_string(bits), codebook(bits, 1, N, K), rounded, rows});
      linears.push_back({"codebook4 of 16 rows", codebook(4, 16, N, K), true, rows});
      linears.push_back({"codebook8 of all", codebook(8, CodebookAttr::allRows, N, K), true, rows});
      linears.push_back({"ternary", ternary(N, K), true, rows});
      linears.push_back({"int8 channel", byChannel(8, N, K), true, rows, true});
      linears.push_back({"int4 channel", byChannel(4, N, K), true, rows, true});
      linears.push_back({"codebook4", codebook(4, 1, N, K), true, rows, true});
      linears.push_back({"trellis4", trellis(8, N, K), true, rows, true});
      linears.push_back({"f16", mlir::RankedTensorType::get({N, K}, f16), false, rows});
      linears.push_back({"50% f16", masked(mlir::TypeAttr::get(f16), N, K), false, rows});
      linears.push_back({"f32", mlir::RankedTensorType::get({N, K}, f32), false, rows});
    }
  linears.push_back({"int8", grouped(8, ZeroPoint::None, 49152, 576), true, 1});
  for (const TestTarget &target : getTestTargets()) {
    if (!variant.empty() && variant != target.label)
      continue;
    for (const LinearBenchmark &linear : linears)
      if (linear.getName().find(filter) != std::string::npos)
        runLinear(*context, target, linear);
    if (!filter.empty() && filter != "attention")
      continue;
    for (mlir::Type element : {f32, f16})
      for (auto [depth, rows] : {std::pair<int64_t, int64_t>(0, 128), {1024, 1}, {1024, 128}})
        runAttention(*context, target, element, depth, rows);
  }
  return 0;
}
