// Replay of witnesses.
// SPDX-License-Identifier: Apache-2.0
#include "replay.hpp"

#include <fmt/format.h>

#include "format.hpp"

namespace pogo::report {

void Recorder::on_cycle(const model::CycleEvent& event) {
    for (unsigned i = 0; i < event.stages.size(); ++i) {
        const model::StageView& view = event.stages[i];
        if (view.content == model::StageView::Content::empty) continue;
        if (!started_) {
            started_ = true;
            sequence_ = view.sequence;
            start_ = event.cycle;
        }
        if (view.sequence != sequence_) continue;
        const std::uint64_t cycle = event.cycle - start_;
        if (!seen_.empty() && seen_.back().stage == i)
            seen_.back().last = cycle;
        else
            seen_.push_back({i, cycle, cycle});
    }
}

std::vector<Trace::Stage> Recorder::stages(const isa::Timing& timing) const {
    std::vector<Trace::Stage> result;
    for (const Seen& seen : seen_) result.push_back({timing.stages[seen.stage], seen.first, seen.last});
    return result;
}

namespace {

using Kind = model::StepOutcome::Kind;

void prepare(const check::Side& side, model::Simulator& simulator) {
    simulator.clear_memory();
    for (const auto& [address, value] : side.memory) simulator.poke(address, value);
    simulator.set_state(side.state);
}

std::string_view text(Kind kind) {
    switch (kind) {
        case Kind::completed:
            return "it completes";
        case Kind::trapped:
            return "it traps";
        case Kind::interrupted:
            return "an interrupt comes";
        case Kind::waiting:
            return "the machine waits";
        case Kind::halted:
            return "the machine has halted";
    }
    return "";
}

/// Where the state and memory after a step differ from the prediction; empty if they agree.
std::string difference_after(const isa::Spec& spec, const check::Side& side, const model::StepOutcome& seen,
                             const model::Simulator& simulator) {
    const check::Outcome& predicted = side.outcome;
    for (const Value& value : named_values(spec)) {
        const std::uint64_t want = value.of(predicted.post);
        const std::uint64_t is = value.of(simulator.state());
        if (want != is)
            return fmt::format("{}: predicted {}, observed {}", value.name(), hex(want, value.width()),
                               hex(is, value.width()));
    }
    auto memory = side.memory;
    for (const auto& [address, value] : predicted.memory) memory[address] = value;
    for (const auto& change : seen.memory) memory.try_emplace(change.address, 0);
    for (const auto& [address, want] : memory)
        if (const std::uint64_t is = simulator.peek(address); is != want)
            return fmt::format("memory {}: predicted {}, observed {}", hex(address, spec.physical_width),
                               hex(want, spec.unit_bits), hex(is, spec.unit_bits));
    return {};
}

/// Where observation and prediction part; empty if they agree.
std::string difference(const isa::Spec& spec, const check::Witness& witness, const check::Side& side,
                       const model::StepOutcome& seen, const model::Simulator& simulator) {
    const check::Outcome& predicted = side.outcome;
    if (!witness.form.valid() && !predicted.cause.valid()) {
        const auto taken = seen.kind == Kind::interrupted ? std::optional(seen.interrupt) : std::nullopt;
        if (taken == predicted.interrupt) return {};
        const auto interrupt = [&](std::optional<std::uint32_t> number) {
            return number ? "interrupt " + spec.interrupts[*number].name : std::string("no interrupt");
        };
        return fmt::format("predicted: {}; observed: {}", interrupt(predicted.interrupt), interrupt(taken));
    }
    if (seen.form != witness.form)
        return seen.form.valid()
                   ? fmt::format("another instruction is decoded: {}", spec[spec[seen.form].instruction].name)
                   : "no instruction is decoded";
    const std::string expected =
        predicted.completes ? "it completes" : fmt::format("trap {}", spec[predicted.cause].name);
    if (predicted.completes != (seen.kind == Kind::completed) || (!predicted.completes && seen.kind != Kind::trapped)) {
        const std::string observed = seen.kind == Kind::trapped && !seen.traps.empty()
                                         ? fmt::format("trap {}", spec[seen.traps.front().cause].name)
                                         : std::string(text(seen.kind));
        return fmt::format("predicted: {}; observed: {}", expected, observed);
    }
    if (!predicted.completes) {
        const model::TrapTaken taken = seen.traps.empty() ? model::TrapTaken{} : seen.traps.front();
        if (taken.cause != predicted.cause || taken.arguments != predicted.arguments)
            return fmt::format("predicted: {}; observed: {}", trap_text(spec, predicted.cause, predicted.arguments),
                               taken.cause.valid() ? trap_text(spec, taken.cause, taken.arguments) : "no trap");
        return {};
    }
    return difference_after(spec, side, seen, simulator);
}

}  // namespace

Replay replay(const isa::Spec& spec, const check::Witness& witness, model::Simulator& simulator, Recorder& recorder) {
    Replay result;
    result.status = ReplayStatus::confirmed;
    for (std::size_t i = 0; i < witness.sides.size(); ++i) {
        const check::Side& side = witness.sides[i];
        model::StepOptions options;
        options.choices = witness.choices;
        options.take_traps = false;
        // Where nothing decodes, a trap is predicted; else it is about interrupts.
        options.interrupts = !witness.form.valid() && !side.outcome.cause.valid();
        prepare(side, simulator);
        const auto judge = [&](const std::string& mismatch) {
            if (mismatch.empty()) return;
            result.status = ReplayStatus::failed;
            if (result.mismatch.empty()) result.mismatch = fmt::format("state {}: {}", i + 1, mismatch);
        };
        const auto seen = simulator.step(options);
        judge(difference(spec, witness, side, seen, simulator));

        options.take_traps = true;
        prepare(side, simulator);
        recorder.clear();
        const auto whole = simulator.step(options);
        if (side.outcome.entered) judge(difference_after(spec, side, whole, simulator));
        Trace trace{whole.form,  whole.cycles,      recorder.stages(spec.timing),
                    whole.traps, simulator.state(), whole.memory};
        result.traces.push_back(std::move(trace));
    }
    simulator.clear_memory();
    return result;
}

}  // namespace pogo::report
