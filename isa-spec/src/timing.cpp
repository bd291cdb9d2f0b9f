// Timing.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "elaborator.hpp"

namespace pogo::isa {

void Elaborator::define_timing(const Ast& ast) {
    Timing& timing = spec_.timing;
    const auto cycles = [&](const Ast& property, unsigned limit) {
        const Value value = property.size() == 1 ? eval(property[0]) : Value::of(Number{-1});
        const Number n = number(value, property.range);
        if (n < 0 || n > static_cast<Number>(limit))
            fail(Code::E0302, property.range, describe(value), fmt::format("0 to {}", limit));
        return static_cast<unsigned>(n);
    };
    const auto power = [&](const Ast& property, unsigned least, unsigned limit) {
        const unsigned n = cycles(property, limit);
        if (n < least || !std::has_single_bit(n))
            fail(Code::E0302, property.range, fmt::format("{}", n),
                 fmt::format("a power of two, {} to {}", least, limit));
        return n;
    };
    for (const Ast& item : ast.children) {
        if (item.is(Syntax::timing_cache)) {
            constexpr unsigned most = 1U << 30;
            constexpr unsigned most_lines = 1U << 24;  // the model keeps eight bytes of each
            Timing::Cache cache;
            std::vector<std::string_view> known;
            for (const Ast& property : item.children) {
                if (std::find(known.begin(), known.end(), property.text) != known.end())
                    fail(Code::E0202, property.range, property.text);
                known.push_back(property.text);
                if (property.text == "size")
                    cache.size = power(property, 2, most);
                else if (property.text == "line")
                    cache.line = power(property, 2, 65536);
                else if (property.text == "ways")
                    cache.ways = power(property, 1, 256);
                else if (property.text == "miss")
                    cache.miss = cycles(property, 10000);
                else
                    fail(Code::E0501, property.range, property.text);
            }
            for (const std::string_view needed : {"size", "line", "ways", "miss"})
                if (std::find(known.begin(), known.end(), needed) == known.end())
                    fail(Code::E0519, item.range, item.text, fmt::format("it lacks `{}`", needed));
            if (cache.sets() == 0)
                fail(Code::E0519, item.range, item.text,
                     fmt::format("{} ways of lines of {} are more than {}", cache.ways, cache.line, cache.size));
            if (cache.size / cache.line > most_lines)
                fail(Code::E0519, item.range, item.text, fmt::format("it has more than {} lines", most_lines));
            (item.text == "icache" ? timing.icache : timing.dcache) = cache;
        } else if (item.is(Syntax::timing_class)) {
            Timing::Class c;
            c.name = item.text;
            for (const Ast& property : item.children) {
                if (property.text == "occupies")
                    c.occupies = std::max(1U, cycles(property, 10000));
                else if (property.text == "latency")
                    c.latency = std::max(1U, cycles(property, 10000));
                else if (property.text == "serialises")
                    c.serialises = true;
                else
                    fail(Code::E0501, property.range, property.text);
            }
            for (const auto& known : timing.classes)
                if (known.name == c.name) fail(Code::E0202, item.range, c.name);
            timing.classes.push_back(std::move(c));
        } else if (item.text == "stages") {
            timing.stages.clear();
            for (const Ast& stage : item.children) timing.stages.push_back(stage.text);
            const auto position = [&](std::string_view stage) {
                const auto it = std::find(timing.stages.begin(), timing.stages.end(), stage);
                if (it == timing.stages.end()) fail(Code::E0502, item.range, std::string(stage));
                return static_cast<unsigned>(it - timing.stages.begin());
            };
            timing.decode_stage = position("decode");
            timing.execute_stage = position("execute");
            timing.memory_stage = position("memory");
            if (!(timing.decode_stage < timing.execute_stage && timing.execute_stage < timing.memory_stage) ||
                timing.decode_stage == 0 || timing.stages.size() > 32)
                fail(Code::E0503, item.range);
        } else if (item.text == "forwarding") {
            const bool good = item.size() == 1 && (item[0].text == "on" || item[0].text == "off");
            if (!good) fail(Code::E0302, item.range, "this value", "on or off");
            timing.forwarding = item[0].text == "on";
        } else if (item.text == "fetch") {
            timing.fetch_parcels = std::max(1U, cycles(item, 64));
        } else if (item.text == "load") {
            timing.load_latency = cycles(item, 10000);
        } else if (item.text == "store") {
            timing.store_latency = cycles(item, 10000);
        } else if (item.text == "branch") {
            timing.branch_penalty = cycles(item, 10000);
        } else if (item.text == "trap") {
            timing.trap_cycles = std::max(1U, cycles(item, 10000));
        } else if (item.text == "interrupt") {
            timing.interrupt_cycles = std::max(1U, cycles(item, 10000));
        } else if (item.text == "tlb") {
            timing.tlb_entries = power(item, 2, 65536);
        } else {
            fail(Code::E0501, item.range, item.text);
        }
    }
}

}  // namespace pogo::isa
