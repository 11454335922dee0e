#include "codegen/nvptx/RadixSelect.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kDigits = 256;
/// Digits that one thread adds up, and groups of them: 32 steps instead of 256 for the thread that finds the digit.
constexpr int64_t kGroup = 16;
constexpr int64_t kWordBits = 32;

} // namespace

RadixSelect::RadixSelect(KernelBuilder &builder, Warp &warp, Type amount)
    : builder(builder), warp(warp), amount(amount), low(warp.shared(kDigits, builder.getI32Type())),
      high(amount.isInteger(kWordBits) ? Value() : warp.shared(kDigits, builder.getI32Type())),
      groups(warp.shared(kDigits / kGroup, amount)), prefix(warp.shared(1, builder.getI32Type())),
      left(warp.shared(1, amount)) {}

RadixSelect::Found RadixSelect::find(Value wanted, function_ref<void(Add add)> walk) {
  Found found{builder.i32(0), wanted};
  for (int64_t shift = kWordBits - 8; shift >= 0; shift -= 8) {
    clear();
    count(found.key, shift, walk);
    findDigit(found.wanted, shift, found.key);
    found = {load(prefix, builder.index(0)), load(left, builder.index(0))};
    warp.barrier();
  }
  return found;
}

void RadixSelect::clear() {
  builder.loop(warp.thread(), builder.index(kDigits), warp.threads(), [&](Value digit) {
    builder.store(builder.i32(0), low, digit);
    if (high)
      builder.store(builder.i32(0), high, digit);
  });
  warp.barrier();
}

void RadixSelect::count(Value known, int64_t shift, function_ref<void(Add add)> walk) {
  walk([&](Value key, function_ref<Value()> ofKey) {
    auto add = [&] {
      Value digit = warp.bits(warp.shiftRight(key, shift), builder.i32(kDigits - 1));
      addTo(builder.toIndex(digit), ofKey());
    };
    if (shift + 8 == kWordBits)
      return add();
    builder.when(builder.equal(warp.shiftRight(key, shift + 8), warp.shiftRight(known, shift + 8)), add);
  });
  warp.barrier();
}

// Shared memory adds words by itself; 64 bits would be a loop of compare and swap. Each time the low words of a digit overflow exactly one
// thread sees it, whatever the order.
void RadixSelect::addTo(Value digit, Value value) {
  auto addWord = [&](Value word, Value bins) -> Value {
    return memref::AtomicRMWOp::create(builder, arith::AtomicRMWKind::addi, word, bins, ValueRange{digit});
  };
  if (!high) {
    addWord(value, low);
    return;
  }
  auto word = [&](Value wide) -> Value { return arith::TruncIOp::create(builder, builder.getI32Type(), wide); };
  Value lowWord = word(value), sum = builder.add(addWord(lowWord, low), lowWord);
  Value carry =
      arith::ExtUIOp::create(builder, builder.getI32Type(), warp.compare(arith::CmpIPredicate::ult, sum, lowWord));
  Value highWord = builder.add(word(warp.shiftRight(value, kWordBits)), carry);
  builder.when(warp.compare(arith::CmpIPredicate::ne, highWord, builder.i32(0)), [&] { addWord(highWord, high); });
}

void RadixSelect::findDigit(Value wanted, int64_t shift, Value known) {
  auto firstOf = [&](Value group) { return builder.mul(group, builder.index(kGroup)); };
  builder.when(builder.less(warp.thread(), builder.index(kDigits / kGroup)), [&] {
    Value sum = builder.fold(builder.index(0), builder.index(kGroup), 1, warp.integer(amount, 0),
                             [&](Value i, ValueRange carried) {
                               Value bin = binAt(builder.add(firstOf(warp.thread()), i));
                               return SmallVector<Value>{builder.add(carried[0], bin)};
                             })[0];
    builder.store(sum, groups, warp.thread());
  });
  warp.barrier();
  builder.when(builder.equal(warp.thread(), builder.index(0)), [&] {
    auto [group, inGroup] = descend(kDigits / kGroup, wanted, [&](Value place) { return load(groups, place); });
    Value first = firstOf(group);
    auto [place, inDigit] = descend(kGroup, inGroup, [&](Value i) { return binAt(builder.add(first, i)); });
    Value digit = builder.toI32(builder.add(first, place));
    builder.store(warp.orBits(known, warp.shiftLeft(digit, shift)), prefix, builder.index(0));
    builder.store(inDigit, left, builder.index(0));
  });
  warp.barrier();
}

std::pair<Value, Value> RadixSelect::descend(int64_t count, Value wanted, function_ref<Value(Value)> at) {
  SmallVector<Value> state = {builder.index(count - 1), wanted,
                              arith::ConstantOp::create(builder, builder.getBoolAttr(false))};
  state = builder.fold(builder.index(0), builder.index(count), 1, state, [&](Value i, ValueRange carried) {
    Value place = builder.sub(builder.index(count - 1), i);
    Value here = at(place), over = builder.less(here, carried[1]);
    Value done = builder.either(carried[2], builder.negation(over));
    return SmallVector<Value>{builder.select(carried[2], carried[0], place),
                              builder.select(done, carried[1], builder.sub(carried[1], here)), done};
  });
  return {state[0], state[1]};
}

Value RadixSelect::binAt(Value digit) {
  Value word = load(low, digit);
  if (!high)
    return word;
  Value wide = arith::ExtUIOp::create(builder, amount, load(high, digit));
  return warp.orBits(warp.shiftLeft(wide, kWordBits), arith::ExtUIOp::create(builder, amount, word));
}

Value RadixSelect::load(Value memref, Value place) { return memref::LoadOp::create(builder, memref, place); }

} // namespace glm
