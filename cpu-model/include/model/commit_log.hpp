// The log of committed instructions that riscv-isa-sim ("Spike") writes with --log-commits, of a RISC-V machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/accesses.hpp"
#include "model/observer.hpp"

namespace pogo::model {

/// Writes one line for each instruction that completes, as commit_log_print_insn() in riscv/execute.cc of riscv-isa-sim
/// does; what traps, and entries of interrupts, get none:
///
///     core   0: 3 0x0000000080000000 (0x00000297) x5  0x0000000080000000
///
/// the mode before it, its address, its bits; registers in ascending order of 16·number + 4 for a control and status
/// register; ` mem` and the address of every load; ` mem`, address and data of every store. A control and status
/// register is there when the instruction writes it, changed or not, under the name of the one that holds its fields:
/// a write to sstatus shows mstatus. (riscv-isa-sim shows a few aliases besides: sie with mie, mvip with mip.)
///
/// What is particular to RISC-V comes from the spec: the register file `x`, the one element of role mode, and the
/// numbers of the control and status registers from the encodings of the instruction that its rows call csrrw.
class CommitLog final : public Observer {
  public:
    /// The state is the one from which the run goes on; the stream must outlive the observer. Memory serves loads that
    /// a store of the same instruction depends on.
    CommitLog(std::ostream& out, isa::State state, Accesses::Memory memory)
        : out_(out), state_(std::move(state)), memory_(std::move(memory)) {}

    /// Why a machine has no such log, if so.
    [[nodiscard]] static std::optional<std::string> unfit(const isa::Spec& spec);

    void on_spec(const isa::Spec& spec) override;
    void on_retire(const RetireEvent& event) override;
    void on_trap(const RetireEvent& event) override { follow(event); }
    void on_interrupt(const RetireEvent& event) override { follow(event); }

  private:
    struct Numbered {
        const isa::Register* reg = nullptr;
        unsigned number = 0;
    };
    void follow(const RetireEvent& event);
    [[nodiscard]] std::span<const Numbered> written(isa::FormId form, std::uint64_t bits) const;

    std::ostream& out_;
    isa::State state_;
    Accesses::Memory memory_;
    const isa::Spec* spec_ = nullptr;
    std::unique_ptr<Accesses> accesses_;
    isa::ElementId mode_;
    isa::ElementId file_;
    std::unordered_map<std::uint32_t, std::vector<Numbered>> written_;  ///< by form
};

}  // namespace pogo::model
