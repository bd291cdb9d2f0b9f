// The observers that come with the model: instruction trace, waves, counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "model/observer.hpp"

namespace pogo::model {

/// Writes one line for each retired instruction, trap and interrupt, in program order: the cycle in which it entered
/// execute, its pc, its text, and what it changed.
class Trace final : public Observer {
  public:
    /// The stream must outlive the observer.
    explicit Trace(std::ostream& out) : out_(out) {}

    void on_spec(const isa::Spec& spec) override;
    void on_retire(const RetireEvent& event) override;
    void on_trap(const RetireEvent& event) override;
    void on_interrupt(const RetireEvent& event) override;

  private:
    void write(const RetireEvent& event, const std::string& text);
    std::ostream& out_;
    const isa::Spec* spec_ = nullptr;
    std::vector<std::string> slot_names_;
};

/// Writes the pipeline and all architectural state as a value change dump (IEEE 1364-2005, clause 18); one cycle is
/// 10 ns. For each stage: whether it is occupied, and the pc in it; besides, why nothing entered execute.
class Vcd final : public Observer {
  public:
    /// The stream must outlive the observer; a second spec starts no new file and is not dumped.
    explicit Vcd(std::ostream& out) : out_(out) {}
    void on_spec(const isa::Spec& spec) override;
    void on_cycle(const CycleEvent& event) override;

  private:
    struct Signal {
        std::string code;
        unsigned width = 1;
        std::uint64_t value = 0;
        bool known = false;
    };
    std::size_t declare(const std::string& name, unsigned width);
    void set(std::size_t number, std::uint64_t value);
    std::ostream& out_;
    bool started_ = false;
    bool active_ = false;
    bool time_written_ = false;
    std::uint64_t cycle_ = 0;
    unsigned pc_width_ = 0;
    std::vector<Signal> signals_;
    std::size_t first_stage_ = 0;
    std::size_t stall_ = 0;
    std::vector<std::pair<std::size_t, std::uint32_t>> slots_;  ///< signal, slot
};

/// Counts cycles and events, by timing class and by instruction.
class Counts final : public Observer {
  public:
    struct Row {
        std::uint64_t retired = 0;
        std::uint64_t trapped = 0;
        std::uint64_t cycles = 0;  ///< spent in execute or held before it: 1 + its data, structural and memory stalls
        std::array<std::uint64_t, stall_kinds> stalls{};  ///< for which it is to blame, by Stall
        std::uint64_t flushes = 0;
    };
    std::uint64_t cycles = 0;
    std::uint64_t retired = 0;
    std::uint64_t squashed = 0;
    std::array<std::uint64_t, stall_kinds> stalls{};     ///< by Stall; Stall::none: cycles in which one entered execute
    std::array<std::uint64_t, flush_reasons> flushes{};  ///< by FlushEvent::Reason
    std::vector<std::uint64_t> traps;                    ///< by cause
    std::vector<std::uint64_t> interrupts;               ///< by number
    /// What was taken from one mode to another. Modes are numbered as in CycleEvent::mode.
    struct Entry {
        bool interrupt = false;
        std::uint32_t cause = 0;  ///< number of the cause or interrupt
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        friend auto operator<=>(const Entry&, const Entry&) = default;
    };
    std::map<Entry, std::uint64_t> entries;
    std::vector<std::uint64_t> modes;  ///< cycles at whose end the machine was in that mode; the last: in none
    Traffic traffic;                   ///< since the spec was loaded
    std::vector<Row> classes;          ///< by timing class
    std::vector<Row> instructions;     ///< by instruction

    void on_spec(const isa::Spec& spec) override;  ///< starts at zero
    void on_cycle(const CycleEvent& event) override;
    void on_retire(const RetireEvent& event) override;
    void on_trap(const RetireEvent& event) override;
    void on_interrupt(const RetireEvent& event) override;
    void on_flush(const FlushEvent& event) override;

    /// As a table for people.
    [[nodiscard]] std::string print() const;

  private:
    void count_traps(const RetireEvent& event);
    template <class Change>
    void blame(isa::FormId form, Change change);
    const isa::Spec* spec_ = nullptr;
};

/// "sr.S", "r[3]": the names of the slots of a State.
[[nodiscard]] std::vector<std::string> slot_names(const isa::Spec& spec);

}  // namespace pogo::model
