// Dispatcher and interpretive routines: guests on the real machine, and in its place.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "monitor_impl.hpp"

namespace pogo::model {

using isa::Access;

// The guest's time has come to where a device had something to do, or something on the real machine changes with it.
// Whether it runs on as it was.
bool Monitor::Impl::goes_on(Guest& guest) {
    Guest* const running = std::exchange(current, nullptr);
    guest.driven = false;
    fire(guest);
    guest.machine->reconsider();
    if (!guest.running || guest.driven || guest.machine->halted() ||
        guest.machine->pending_interrupt() != Machine::no_interrupt)
        return false;
    current = running;
    if (now() >= wake_cycle) {
        wake_wanted.reset();
        wake_cycle = ~std::uint64_t{0};
        core->machine().time_changed();
    }
    return true;
}

// One guest, until it waits, has stopped, or its time is over.
void Monitor::Impl::execute(Guest& guest, std::uint64_t end) {
    Machine& machine = *guest.machine;
    while (guest.running && now() < end) {
        fire(guest);
        if (!guest.running) return;
        machine.reconsider();
        if (machine.halted()) return guest.stop(StopReason::halted);
        if (const auto interrupt = machine.pending_interrupt(); interrupt != Machine::no_interrupt) {
            deliver(guest, interrupt);
            continue;
        }
        if (machine.waiting()) return;
        std::optional<std::size_t> mode;
        if (function) {
            machine.read_clock();
            mode = function->runs(machine.slots(), guest.constants);
        }
        const bool code = mode && translates(guest, *mode);
        const Guest::Block* const translated = code ? block(guest) : nullptr;
        if (mode && (!code || translated != nullptr))
            direct(guest, *mode, end, translated);
        else
            interpret(guest, false);
    }
}

void Monitor::Impl::deliver(Guest& guest, std::uint32_t interrupt) const {
    ++guest.activity.interrupts;
    guest.activity.monitor_cycles += config.routine_cycles;
    pass(config.routine_cycles);
    if (guest.machine->interrupt(interrupt) == Machine::Outcome::double_fault) guest.stop(StopReason::double_fault);
}

void Monitor::Impl::direct(Guest& guest, std::size_t mode, std::uint64_t end, const Guest::Block* translated) {
    Machine& machine = *guest.machine;
    Machine& real = core->machine();
    if (map->tables && map->tables->shadow) set_root(guest, root(guest));
    const std::vector<std::uint64_t> before(machine.slots().begin(), machine.slots().end());
    std::vector<std::uint64_t> state = base;
    function->image(before, guest.constants, mode, state);
    const std::uint32_t pc = spec[spec.pc].slot;
    if (translated != nullptr) {
        state[pc] = translated->places.front();
        real.set_state(state);
        const auto there = real.physical({state[pc], static_cast<unsigned>(Access::fetch), spec.parcel_units});
        const bool shadowed = map->tables && map->tables->shadow;
        if (!shadowed && (!there || *there != guest.cache_real + (state[pc] - guest.cache->address)))
            return interpret(guest, false);
    }
    current = &guest;
    wake_wanted.reset();
    wake_cycle = ~std::uint64_t{0};
    real.set_state(state);
    core->empty_pipeline();
    const std::uint64_t first_cycle = now();
    const std::uint64_t first_step = core->steps();
    const std::uint64_t first_retired = core->retired();
    do {
        real.reconsider();  // which says until when, and may stop what has not begun
        core->begin_run(Limits::none);
        const std::uint64_t until = std::min({end, wake_cycle, guest.next_due()});
        if (!core->stopped()) world.driver.run(config.view, std::max(now() + 1, until));
    } while (core->stop_reason() == StopReason::cycles && now() < end && goes_on(guest));
    current = nullptr;
    Activity& activity = guest.activity;
    const bool left = core->stop_reason() == StopReason::monitor;
    const std::uint64_t retired = core->retired() - first_retired;
    activity.direct += retired;
    activity.kept += core->steps() - first_step - retired - (left ? 1 : 0);
    activity.direct_cycles += now() - first_cycle;
    if (retired != 0) guest.fills_in_a_row = 0;

    std::vector<std::uint64_t> end_state(real.slots().begin(), real.slots().end());
    if (translated != nullptr)
        if (const auto place = guest.guest_places.find(end_state[pc]); place != guest.guest_places.end())
            end_state[pc] = place->second;
    std::vector<std::uint64_t> then(machine.slots().begin(), machine.slots().end());
    const auto after = function->back(end_state, mode, then);
    machine.set_state(then);
    machine.forget_walks();
    if (after) {
        // What devices have driven meanwhile is for the next time.
        for (const auto& element : spec.elements)
            if (element.input) std::copy_n(before.begin() + element.slot, element.slots(), then.begin() + element.slot);
        state = base;
        function->image(then, guest.constants, *after, state);
        if (const auto element = function->differs(end_state, state)) {
            const isa::Element& which = spec[*element];
            guest.broken = fmt::format("{} of the real machine is {:#x}, but the VM map {} says {:#x}", which.name,
                                       end_state[which.slot], map->name, state[which.slot]);
        }
    } else {
        guest.broken = "the real machine is in a mode in which the VM map lets no guest run";
    }
    if (!guest.broken.empty()) return guest.stop(StopReason::monitor);
    core->empty_pipeline();
    switch (core->stop_reason()) {
        case StopReason::cycles:
        case StopReason::exit:
        case StopReason::waiting_forever:
            return;
        case StopReason::halted:
            return guest.stop(StopReason::halted);
        case StopReason::double_fault:
            return guest.stop(StopReason::double_fault);
        case StopReason::monitor:
            return leave(guest);
        case StopReason::steps:
        case StopReason::reset:
            POGO_UNREACHABLE("nobody stops the real machine so");
    }
}

// The dispatcher: the real machine is where the guest's instruction would begin.
void Monitor::Impl::leave(Guest& guest) {
    Activity& activity = guest.activity;
    const Machine& real = core->machine();
    const bool trap = !real.traps().empty();
    const std::uint64_t cost = std::max(trap ? spec.timing.trap_cycles : spec.timing.interrupt_cycles, 1U);
    ++activity.exits;
    activity.trap_cycles += cost;
    activity.monitor_cycles += config.exit_cycles;
    pass(cost + config.exit_cycles);
    if (trap) ++activity.exits_by_cause[real.traps().back().cause.index];
    constexpr unsigned most_fills = 16;  // of one instruction; more means that its accesses exclude each other
    if (trap && real.refused() && map->tables && map->tables->shadow && guest.fills_in_a_row < most_fills &&
        fill(guest, *real.refused())) {
        ++guest.fills_in_a_row;
        ++activity.fills;
        activity.monitor_cycles += config.routine_cycles;
        return pass(config.routine_cycles);
    }
    if (!guest.running) return;
    fire(guest);  // time has passed
    guest.machine->reconsider();
    if (!trap && guest.machine->pending_interrupt() != Machine::no_interrupt) return;
    interpret(guest, true);
}

void Monitor::Impl::interpret(Guest& guest, bool after_exit) {
    Machine& machine = *guest.machine;
    guest.activity.monitor_cycles += config.routine_cycles;
    pass(std::max<std::uint64_t>(config.routine_cycles, 1));
    guest.fills_in_a_row = 0;
    auto patched = guest.patched.end();
    if (!guest.patched.empty()) {
        const auto address_mask = static_cast<std::uint64_t>(isa::ones(spec.address_width));
        const auto at =
            machine.physical({machine.pc() & address_mask, static_cast<unsigned>(Access::fetch), spec.parcel_units});
        if (at) patched = guest.patched.find(*at);
    }
    // What stands in the instruction's place and what was there change places.
    const auto exchange = [&] {
        if (patched == guest.patched.end()) return;
        for (std::size_t i = 0; i < patched->second.size(); ++i) {
            const std::uint64_t unit = machine.memory().load_narrow(patched->first + i, 1);
            machine.memory().store(patched->first + i, 1, patched->second[i]);
            patched->second[i] = unit;
        }
    };
    exchange();
    Fetched fetched;
    machine.fetch(machine.pc(), fetched);
    const Machine::Outcome outcome = machine.execute(fetched);
    exchange();
    account(guest, outcome, fetched, after_exit);
    machine.trim();
    if (machine.fenced() != guest.fenced) {
        guest.fenced = machine.fenced();
        if (map != nullptr && map->tables && map->tables->shadow) drop_tables(guest);
    }
}

void Monitor::Impl::account(Guest& guest, Machine::Outcome outcome, const Fetched& fetched, bool after_exit) {
    Activity& activity = guest.activity;
    switch (outcome) {
        case Machine::Outcome::completed:
            ++(after_exit ? activity.emulated : activity.interpreted);
            if (after_exit) ++activity.by_instruction[spec[fetched.operation->form].instruction.index];
            break;
        case Machine::Outcome::trapped:
            ++activity.reflected;
            break;
        case Machine::Outcome::double_fault:
            guest.stop(StopReason::double_fault);
            break;
        case Machine::Outcome::left:
            POGO_UNREACHABLE("the virtual machine keeps its traps");
    }
}

}  // namespace pogo::model
