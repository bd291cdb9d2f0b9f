// How fast the model is: against a trivial hand-written pipeline in the same kernel, and per replayed witness.
// SPDX-License-Identifier: Apache-2.0
//
// One process, one elaboration. The trivial pipeline is what the model costs if it does nothing for generality: five
// latches, a switch over a few opcodes, no traps, no translation, no hazards beyond forwarding.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <systemc>

#include "isa/elaborate.hpp"
#include "isa/require.hpp"
#include "model/simulator.hpp"

namespace {

using pogo::model::Simulator;
using pogo::model::View;
namespace isa = pogo::isa;

double seconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// ---- The yardstick --------------------------------------------------------------------------------------------------

struct Trivial {
    struct Latch {
        std::uint32_t bits = 0, pc = 0, a = 0, b = 0, result = 0;
        bool valid = false;
    };
    std::array<std::uint32_t, 1024> memory{};
    std::array<std::uint32_t, 16> registers{};
    std::uint32_t pc = 0;
    Latch decode, execute, memory_stage, writeback;
    std::uint64_t retired = 0;

    static std::uint32_t encode(unsigned op, unsigned rd, unsigned ra, unsigned n) {
        return op << 24 | rd << 20 | ra << 16 | n;
    }
    std::uint32_t read(unsigned r) const {
        if (memory_stage.valid && (memory_stage.bits >> 20 & 15) == r) return memory_stage.result;
        if (writeback.valid && (writeback.bits >> 20 & 15) == r) return writeback.result;
        return registers[r];
    }
    void step_cycle() {
        if (writeback.valid) {
            registers[writeback.bits >> 20 & 15] = writeback.result;
            ++retired;
        }
        writeback = memory_stage;
        memory_stage = execute;
        bool taken = false;
        std::uint32_t target = 0;
        if (memory_stage.valid) {
            Latch& i = memory_stage;
            const std::uint32_t n = i.bits & 0xffff;
            // Values in front of this instruction are in writeback now or in the registers.
            const auto value = [&](unsigned r) {
                return writeback.valid && (writeback.bits >> 20 & 15) == r ? writeback.result : registers[r];
            };
            i.a = value(i.bits >> 16 & 15);
            i.b = value(i.bits >> 20 & 15);
            switch (i.bits >> 24) {
                case 0:
                    i.result = i.a + n;
                    break;
                case 1:
                    i.result = i.a ^ i.b;
                    break;
                case 2:
                    i.result = i.a << (n & 31);
                    break;
                case 3:
                    i.result = memory[(i.a + n) >> 2 & 1023];
                    break;
                case 4:
                    memory[(i.a + n) >> 2 & 1023] = i.b;
                    i.result = i.b;
                    break;
                case 5:
                    i.result = i.b;
                    taken = i.b != i.a;
                    target = i.pc + n;
                    break;
                default:
                    break;
            }
        }
        execute = decode;
        decode = {memory[pc >> 2 & 1023], pc, 0, 0, 0, true};
        pc += 4;
        if (taken) {
            execute.valid = decode.valid = false;
            pc = target & 0xffff;
        }
    }
};

struct TrivialModule : sc_core::sc_module {
    SC_HAS_PROCESS(TrivialModule);
    explicit TrivialModule(const sc_core::sc_module_name& name) : sc_module(name) {
        SC_METHOD(tick);
        sensitive << tick_event;
        dont_initialize();
        SC_METHOD(batch);
        sensitive << batch_event;
        dont_initialize();
    }
    void tick() {
        if (left == 0) return sc_core::sc_pause();
        core.step_cycle();
        --left;
        tick_event.notify(period);
    }
    void batch() {
        if (left == 0) return sc_core::sc_pause();
        const std::uint64_t n = std::min<std::uint64_t>(left, 1000);
        for (std::uint64_t i = 0; i < n; ++i) core.step_cycle();
        left -= n;
        batch_event.notify(static_cast<double>(n) * period);
    }
    void run(View view, std::uint64_t cycles) {
        left = cycles;
        if (view == View::clocked)
            tick_event.notify(sc_core::SC_ZERO_TIME);
        else
            batch_event.notify(sc_core::SC_ZERO_TIME);
        sc_core::sc_start();
    }
    Trivial core;
    std::uint64_t left = 0;
    sc_core::sc_event tick_event{"tick_event"}, batch_event{"batch_event"};
    const sc_core::sc_time period{10, sc_core::SC_NS};
};

// ---- The model's machine: the same instructions ---------------------------------------------------------------------

const char* const plain_machine = R"isa(machine plain { title "Plain"; endian little; unit 8; address 32; parcel 32; }
register pc : bits(32) role pc;
regfile r[16] : bits(32) role data;
register s : bits(1) role mode;
register ie : bits(1) role control;
register base : bits(32) role relocation;
register limit : bits(32) role relocation;
register epc : bits(32) role control;
input irq : bits(1);
mode supervisor { s = 1; }
mode user { s = 0; }
reset { s = 1; }
translate (va, access, units) {
  trap bounds(va) when s == 0 && va >= limit;
  return if s == 1 then va else va + base;
}
trap bounds(va: bits(32)) kind memory { epc = pc; s = 1; pc = 0x100; }
trap illegal_op kind illegal { epc = pc; s = 1; pc = 0x104; }
illegal illegal_op;
interrupt external when irq == 1 && ie == 1 { epc = pc; ie = 0; s = 1; pc = 0x108; }
instruction addi { encoding 0x00 rd:4 ra:4 n:16; assembly "addi r{rd}, r{ra}, {n}"; r[rd] = r[ra] + zext(n, 32); }
instruction xor { encoding 0x01 rd:4 ra:4 0x0000; assembly "xor r{rd}, r{ra}"; r[rd] = r[ra] ^ r[rd]; }
instruction shl { encoding 0x02 rd:4 ra:4 n:16; assembly "shl r{rd}, r{ra}, {n}"; r[rd] = r[ra] << n[4..0]; }
instruction lw { encoding 0x03 rd:4 ra:4 n:16; assembly "lw r{rd}, {n}(r{ra})"; r[rd] = mem[r[ra] + zext(n, 32), 4]; }
instruction sw { encoding 0x04 rd:4 ra:4 n:16; assembly "sw r{rd}, {n}(r{ra})"; mem[r[ra] + zext(n, 32), 4] = r[rd]; }
instruction bne { encoding 0x05 rd:4 ra:4 n:16; assembly "bne r{rd}, r{ra}, {n}";
  if r[rd] != r[ra] { pc = (pc + zext(n, 32)) & 0xffff; } }
timing { stages fetch, decode, execute, memory, writeback; fetch 1; forwarding on; load 0; store 0; branch 0; trap 1; interrupt 1;
  class alu { occupies 1; latency 1; } }
)isa";

// A loop of eight instructions with a load, a store and a taken branch.
std::vector<std::uint32_t> program() {
    const auto op = Trivial::encode;
    return {op(0, 1, 1, 1),     op(1, 2, 1, 0), op(2, 3, 2, 3),     op(0, 4, 3, 7),
            op(3, 5, 0, 0x800), op(0, 5, 5, 1), op(4, 5, 0, 0x800), op(5, 1, 0, 0xffe4)};
}

isa::Spec load(const char* text) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto buffer = sources.add("plain.isa", text);
    auto spec = isa::load_spec(sources, buffer, std::nullopt, {}, diagnostics);
    if (!spec) std::fputs(isa::render(diagnostics, sources).c_str(), stderr);
    POGO_REQUIRE(spec.has_value());
    return std::move(*spec);
}

const char* name(View view) { return view == View::clocked ? "clocked" : "batched"; }

}  // namespace

int main() {
    TrivialModule trivial("trivial");
    const isa::Spec spec = load(plain_machine);
    Simulator simulator;
    POGO_REQUIRE(!simulator.load(spec));
    simulator.reset();
    const auto words = program();
    for (unsigned i = 0; i < words.size(); ++i) {
        trivial.core.memory[i] = words[i];
        for (unsigned k = 0; k < 4; ++k) simulator.poke(4 * i + k, words[i] >> 8 * k);
    }

    std::printf("%-10s %22s %22s %8s %24s\n", "view", "trivial, Mcycles/s", "model, Mcycles/s", "ratio",
                "model, Minstructions/s");
    for (const View view : {View::clocked, View::batched}) {
        const std::uint64_t cycles = view == View::clocked ? 3'000'000 : 20'000'000;
        simulator.set_view(view);
        double yardstick = 1e9;
        double model = 1e9;
        std::uint64_t steps = 0;
        for (int round = 0; round < 5; ++round) {
            yardstick = std::min(yardstick, seconds([&] { trivial.run(view, cycles); }));
            model = std::min(model, seconds([&] { steps = simulator.run({.cycles = cycles}).steps; }));
        }
        const double mega = static_cast<double>(cycles) / 1e6;
        std::printf("%-10s %22.1f %22.1f %8.2f %24.1f\n", name(view), mega / yardstick, mega / model, yardstick / model,
                    static_cast<double>(steps) / 1e6 / model);
    }

    // Witnesses: load a state and an instruction, step, look at the result.
    for (const View view : {View::clocked, View::batched}) {
        simulator.set_view(view);
        std::mt19937_64 random(1);
        constexpr unsigned count = 300'000;
        std::vector<std::uint64_t> slots(spec.slots);
        pogo::model::StepOutcome outcome;
        std::uint64_t sum = 0;
        const double time = seconds([&] {
            for (unsigned i = 0; i < count; ++i) {
                const auto bits = static_cast<std::uint32_t>(random());
                const auto word = Trivial::encode(bits % 6, bits >> 8 & 15, bits >> 12 & 15, bits >> 16 & 0xfc);
                for (auto& slot : slots) slot = bits >> 16 & 0xfffc;
                simulator.clear_memory();
                simulator.set_state(slots);
                for (unsigned k = 0; k < 4; ++k) simulator.poke((bits >> 16 & 0xfffc) + k, word >> 8 * k);
                simulator.step({}, outcome);
                sum += simulator.slots()[0] + outcome.memory.size();
            }
        });
        std::printf("witness, %s: %.2f microseconds for clearing memory, loading, a step and reading (checksum %llx)\n",
                    name(view), time / count * 1e6, static_cast<unsigned long long>(sum));
    }
}
