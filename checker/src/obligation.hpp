// Deciding one obligation of a VM map: an arena, a solver, the pairs of the map's modes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "check/vm_map.hpp"
#include "map_world.hpp"
#include "question.hpp"

namespace pogo::check {

class ObligationCheck {
  public:
    ObligationCheck(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles,
                    Obligation obligation);

    Obligation instruction(isa::InstructionId id);

    /// One form's, for each value of a field.
    std::vector<Verdict> values(const isa::Form& form, unsigned field);

    /// From every state in which the real machine executes the form, a trap fires whose entry ends the guest's run.
    Verdict always_leaves(const isa::Form& form);

    /// The entry with the arguments that instructions and translations raise the trap with, on either machine.
    Obligation trap(isa::CauseId id);

    /// What the real machine takes without leaving the guest, the virtual machine takes; and nothing is lost: what is
    /// due on the virtual machine is taken by the real one, or by the monitor that made it so.
    Obligation interrupt(std::uint32_t number);

    /// An access of the real machine that does not fault reaches what the virtual machine's reaches, from its first
    /// unit to its last.
    Obligation relocation();

    /// What would interrupt the monitor's guest, because of an input, does so whatever the guest's own registers hold.
    Obligation preemption();

    /// What the guest does directly leaves the virtual machine one that the map is for.
    Obligation where();

  private:
    isa::Terms& terms() { return in_.world.terms; }
    isa::Term all(std::initializer_list<isa::Term> conditions) { return terms().all(std::span(conditions)); }
    isa::Term guest_mode(const Before& before) { return in_.stays(before, {}, {}, {}); }

    /// What becomes of a form in a pair of states.
    struct Outcomes {
        isa::Term executes;   ///< on both machines
        isa::Term completes;  ///< on the real one
        isa::Term leaves;     ///< a trap of the real one goes to the monitor
        isa::Term bad;        ///< the obligation fails
    };
    Outcomes outcomes_of(Pair& pair, FormInWorld& form);

    /// What the map leaves to the monitor and the real machine changes wherever this goal is met.
    std::vector<isa::ElementId> changed(const Question& question, Pair& pair);

    /// What traps on the virtual machine traps on the real one, whatever addresses are accessed: forms have most of
    /// that in common, so that one answer does for many. Both runs have been made; false says nothing.
    bool traps_as_well(Pair& pair, const FormInWorld& form);
    isa::Term any_address(std::size_t number);
    /// The parts that the term is joined of become those of another one.
    void set_free(isa::Term term, isa::Term to, isa::Substitution& with);
    [[nodiscard]] std::size_t form_number(const isa::Form& form) const {
        return static_cast<std::size_t>(&form - spec_.forms.data()) - spec_[form.instruction].first_form;
    }

    /// The virtual machine raises the same trap there. With which arguments is the trap's own obligation.
    isa::Term fires(const Run& machine, const Fired& trap);

    [[nodiscard]] std::string mode_name(std::size_t k) const { return spec_[map_.modes[k].first].name; }
    isa::Term plus(isa::Term address, unsigned units) {
        return terms().apply(isa::Op::bvadd, address, terms().constant(terms().sort(address).width, units));
    }

    void keep(std::optional<Witness> witness, const std::vector<std::string>& machines);

    /// The interrupt may come, and as the first of those that may.
    isa::Term is_due(Before& before, std::uint32_t number);
    isa::Term takes(Before& before, std::uint32_t number);
    isa::Term takes_none(Before& before);
    Act::Entry interrupt_entry(Before& before, std::uint32_t number, const isa::Form& form);
    /// As a replay can tell: one of the interrupts predicted comes, or none at all.
    isa::Term foreseen(Act& act);

    /// What the map says that an interrupt of the real machine is there.
    [[nodiscard]] std::uint32_t on_the_virtual_machine(std::uint32_t number) const;

    /// The state with other values in the guest's registers.
    Before with_other_guest(const Before& before, bool real);

    /// An interrupt of the virtual machine that the map names: when it is due, the real machine takes some interrupt,
    /// the one named or one of the monitor's.
    Verdict delivered(std::uint32_t number, std::size_t k);

    /// One that it does not name is the monitor's to bring: it sees all that makes it due, as nothing does that the
    /// guest changes directly.
    Verdict held(std::uint32_t number, std::size_t k);
    Act::Entry virtual_entry(Before& before, std::uint32_t number);

    /// The real machine's entry stays with the guest, and the virtual machine's does not do the same: what may be
    /// otherwise, one by one.
    std::vector<isa::Term> entry_parts(Pair& pair, const Run& there, const Run& here, const isa::Meaning& real,
                                       const std::vector<isa::Variable>& parameters, isa::Term due, isa::Term taken);

    /// Can the trap be raised on both machines with arguments for which one of these, of the entry's fields, holds?
    Verdict raised(isa::CauseId id, std::size_t k, const std::vector<isa::Term>& parts);

    /// Faults of a translation that loads, for any address: the first that fires on either machine is the one raised.
    /// Where the real machine loads the virtual one's entry it is the same entry, else any.
    /// The trap's arguments where it is reached on either machine, by a form or, without one, by a translation.
    using Consider = std::function<void(isa::Term reached, std::vector<isa::Term> machine, std::vector<isa::Term> real,
                                        FormInWorld* form, isa::Term next)>;
    void walked(isa::CauseId id, Pair& pair, std::size_t kind, const Consider& consider);

    /// Is there a state in which the obligation, which is not an instruction's, fails? The first is replayed where the
    /// acts say how, else told as it is.
    Verdict refuted(std::string_view name, isa::Term bad, std::size_t k, std::vector<Act> acts,
                    Engine engine = Engine::search);

    Obligation finish(Verdict broken);

    /// Counterexample-guided: a setting is tried; one under which the obligation holds is made more general.
    void find_settings();

    static constexpr unsigned max_rounds = 256;
    static constexpr const char* broken_map = "breaks the VM map";
    static constexpr const char* virtual_machine = "virtual machine";
    static constexpr const char* real_machine = "real machine";

    const isa::Spec& spec_;
    const isa::VmMap& map_;
    const Options& options_;
    MapInWorld in_;
    Solver solver_;
    std::vector<FormInWorld> forms_;
    Judge judge_;
    std::deque<Pair> pairs_;
    std::deque<isa::Form> entries_;  ///< of traps and interrupts
    std::size_t form_number_ = 0;    ///< of the next form that is one of many
    std::vector<isa::Term> goals_;
    std::vector<isa::Term> addresses_;  ///< any ones
    Obligation result_;
};

}  // namespace pogo::check
