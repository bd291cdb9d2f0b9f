// Text, waves and tables out of events.
// SPDX-License-Identifier: Apache-2.0
#include "model/observers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "isa/assembly.hpp"

namespace pogo::model {

std::vector<std::string> slot_names(const isa::Spec& spec) {
    std::vector<std::string> names(spec.slots);
    for (const auto& element : spec.elements)
        for (unsigned i = 0; i < element.slots(); ++i)
            names[element.slot + i] = element.is_file() ? fmt::format("{}[{}]", element.name, i) : element.name;
    return names;
}

// ---- Trace ----------------------------------------------------------------------------------------------------------

void Trace::on_spec(const isa::Spec& spec) {
    spec_ = &spec;
    slot_names_ = slot_names(spec);
}

namespace {

std::string describe(const isa::Spec& spec, const TrapTaken& trap) {
    std::string text = spec[trap.cause].name;
    for (std::size_t i = 0; i < trap.arguments.size(); ++i)
        text += fmt::format("{}{:#x}", i == 0 ? "(" : ", ", trap.arguments[i]);
    return trap.arguments.empty() ? text : text + ")";
}

}  // namespace

void Trace::write(const RetireEvent& event, const std::string& text) {
    const unsigned digits = ((*spec_)[spec_->pc].width + 3) / 4;
    std::string line = fmt::format("{:>8}  {:0{}x}  {:<28}", event.entered, event.pc, digits, text);
    for (const auto& change : event.changes) {
        const bool is_pc = change.slot == (*spec_)[spec_->pc].slot;
        if (change.before == change.value || is_pc) continue;
        line += fmt::format("  {}={:x}", slot_names_[change.slot], change.value);
    }
    for (const auto& store : event.stores) line += fmt::format("  [{:x}]={:x}", store.address, store.value);
    out_ << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
}

void Trace::on_retire(const RetireEvent& event) {
    write(event, isa::disassemble(*spec_, {event.form, {event.fields.begin(), event.fields.end()}}, event.pc));
}

void Trace::on_trap(const RetireEvent& event) {
    std::string text = "trap";
    for (const auto& trap : event.traps) text += " " + describe(*spec_, trap);
    write(event, text);
}

void Trace::on_interrupt(const RetireEvent& event) {
    std::string text = "interrupt " + spec_->interrupts[event.interrupt].name;
    for (const auto& trap : event.traps) text += ", trap " + describe(*spec_, trap);
    write(event, text);
}

// ---- Waves ----------------------------------------------------------------------------------------------------------

std::size_t Vcd::declare(const std::string& name, unsigned width) {
    Signal signal;
    signal.width = width;
    for (std::size_t n = signals_.size() + 1; n > 0; n = (n - 1) / 94)
        signal.code.push_back(static_cast<char>('!' + (n - 1) % 94));
    std::string plain = name;
    std::replace(plain.begin(), plain.end(), ' ', '_');
    out_ << fmt::format("$var {} {} {} {} $end\n", width == 1 ? "wire" : "reg", width, signal.code, plain);
    signals_.push_back(std::move(signal));
    return signals_.size() - 1;
}

void Vcd::on_spec(const isa::Spec& spec) {
    active_ = !started_;
    if (started_) return;
    started_ = true;
    pc_width_ = spec[spec.pc].width;
    out_ << "$timescale 1 ns $end\n$scope module " << spec.name << " $end\n$scope module pipeline $end\n";
    first_stage_ = signals_.size();
    for (const auto& stage : spec.timing.stages) {
        declare(stage + "_valid", 1);
        declare(stage + "_pc", pc_width_);
    }
    stall_ = declare("stall", 3);
    out_ << "$upscope $end\n$scope module state $end\n";
    const auto names = slot_names(spec);
    for (const auto& element : spec.elements)
        for (unsigned i = 0; i < element.slots(); ++i)
            slots_.emplace_back(declare(names[element.slot + i], element.width), element.slot + i);
    out_ << "$upscope $end\n$upscope $end\n$enddefinitions $end\n";
}

void Vcd::set(std::size_t number, std::uint64_t value) {
    Signal& signal = signals_[number];
    if (signal.known && signal.value == value) return;
    signal.known = true;
    signal.value = value;
    if (!time_written_) {
        out_ << '#' << cycle_ * 10 << '\n';
        time_written_ = true;
    }
    if (signal.width == 1)
        out_ << (value & 1) << signal.code << '\n';
    else
        out_ << fmt::format("b{:b} {}\n", value, signal.code);
}

void Vcd::on_cycle(const CycleEvent& event) {
    if (!active_) return;
    cycle_ = event.cycle;
    time_written_ = false;
    std::size_t signal = first_stage_;
    for (const auto& stage : event.stages) {
        set(signal++, stage.content == StageView::Content::empty ? 0 : 1);
        set(signal++, stage.pc);
    }
    set(stall_, static_cast<std::uint64_t>(event.stall));
    for (const auto& [number, slot] : slots_) set(number, event.slots[slot]);
}

// ---- Counts ---------------------------------------------------------------------------------------------------------

void Counts::on_spec(const isa::Spec& spec) {
    *this = Counts{};
    spec_ = &spec;
    traps.resize(spec.causes.size());
    interrupts.resize(spec.interrupts.size());
    classes.resize(std::max<std::size_t>(spec.timing.classes.size(), 1));
    instructions.resize(spec.instructions.size());
    modes.resize(spec.modes.size() + 1);
}

template <class Change>
void Counts::blame(isa::FormId form, Change change) {
    if (!form.valid()) return;
    const auto instruction = (*spec_)[form].instruction;
    change(instructions[instruction.index]);
    const auto number = (*spec_)[instruction].timing_class;
    if (number < classes.size()) change(classes[number]);
}

void Counts::on_cycle(const CycleEvent& event) {
    ++cycles;
    const auto kind = static_cast<std::size_t>(event.stall);
    ++stalls[kind];
    ++modes[event.mode];
    traffic = *event.traffic;
    blame(event.blamed, [&](Row& row) { ++row.stalls[kind], ++row.cycles; });
}

void Counts::on_retire(const RetireEvent& event) {
    ++retired;
    blame(event.form, [](Row& row) { ++row.retired, ++row.cycles; });
}

void Counts::on_trap(const RetireEvent& event) {
    count_traps(event);
    blame(event.form, [](Row& row) { ++row.trapped, ++row.cycles; });
}

void Counts::on_interrupt(const RetireEvent& event) {
    ++interrupts[event.interrupt];
    if (event.traps.empty()) ++entries[{true, event.interrupt, event.from_mode, event.to_mode}];
    count_traps(event);
}

// Where an entry traps, the entry of that trap is what is done.
void Counts::count_traps(const RetireEvent& event) {
    for (const auto& trap : event.traps) ++traps[trap.cause.index];
    if (!event.traps.empty()) ++entries[{false, event.traps.back().cause.index, event.from_mode, event.to_mode}];
}

void Counts::on_flush(const FlushEvent& event) {
    ++flushes[static_cast<std::size_t>(event.reason)];
    squashed += event.squashed;
    blame(event.form, [](Row& row) { ++row.flushes; });
}

std::string Counts::print() const {
    std::string text;
    const auto heading = [&](const char* title) { text += fmt::format("{}\n", title); };
    const auto line = [&](std::string_view what, std::uint64_t number) {
        text += fmt::format("  {:<30}{:>14}\n", what, number);
    };
    const auto share = [&](std::string_view what, std::uint64_t number, std::uint64_t all) {
        text += fmt::format("  {:<30}{:>14}{:>8.2f} %\n", what, number,
                            all == 0 ? 0.0 : 100.0 * static_cast<double>(number) / static_cast<double>(all));
    };
    heading("run");
    line("cycles", cycles);
    line("instructions", retired);
    text += retired == 0
                ? fmt::format("  {:<30}{:>14}\n", "CPI", "-")
                : fmt::format("  {:<30}{:>14.3f}\n", "CPI", static_cast<double>(cycles) / static_cast<double>(retired));
    line("thrown away", squashed);
    heading("cycles by what happened at execute");
    for (unsigned i = 0; i < stall_kinds; ++i)
        share(i == 0 ? "entered" : name(static_cast<Stall>(i)), stalls[i], cycles);
    heading("flushes");
    for (unsigned i = 0; i < flush_reasons; ++i) line(name(static_cast<FlushEvent::Reason>(i)), flushes[i]);
    if (spec_ == nullptr) return text;
    if (!spec_->translation.loads.empty()) {
        heading("page-table walks");
        line("for fetches", traffic.fetch.count);
        line("their loads", traffic.fetch.loads);
        line("for data", traffic.data.count);
        line("their loads", traffic.data.loads);
    }
    const auto cache = [&](const char* title, const isa::Timing::Cache& shape, const Traffic::Cache& counts) {
        if (shape.size == 0) return;
        heading(title);
        line("accesses", counts.accesses);
        share("misses", counts.misses, counts.accesses);
    };
    cache("icache", spec_->timing.icache, traffic.icache);
    cache("dcache", spec_->timing.dcache, traffic.dcache);
    const auto mode = [&](std::size_t number) -> std::string_view {
        return number < spec_->modes.size() ? std::string_view(spec_->modes[number].name) : "other";
    };
    heading("cycles by mode");
    for (std::size_t i = 0; i < modes.size(); ++i)
        if (i < spec_->modes.size() || modes[i] > 0) share(mode(i), modes[i], cycles);
    if (!entries.empty())
        text += fmt::format("{:<24}{:<22}{:<22}{:>14}\n", "traps and interrupts", "from", "to", "taken");
    for (const auto& [entry, number] : entries)
        text += fmt::format("  {:<22}{:<22}{:<22}{:>14}\n",
                            entry.interrupt ? spec_->interrupts[entry.cause].name : spec_->causes[entry.cause].name,
                            mode(entry.from), mode(entry.to), number);
    const auto table = [&](const char* title, const std::vector<Row>& rows, const auto& names) {
        text += fmt::format("{:<24}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", title, "retired", "trapped", "cycles",
                            "data", "struct.", "memory", "flushes");
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Row& row = rows[i];
            if (row.retired + row.trapped + row.cycles == 0) continue;
            const auto stalled = [&](Stall stall) { return row.stalls[static_cast<std::size_t>(stall)]; };
            text += fmt::format("{:<24}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
                                i < names.size() ? names[i].name : "", row.retired, row.trapped, row.cycles,
                                stalled(Stall::data), stalled(Stall::structural), stalled(Stall::memory), row.flushes);
        }
    };
    table("class", classes, spec_->timing.classes);
    table("instruction", instructions, spec_->instructions);
    return text;
}

}  // namespace pogo::model
