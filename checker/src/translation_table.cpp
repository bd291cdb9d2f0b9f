// What a translator makes of each form: a copy, another pc, or the monitor.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "isa/require.hpp"
#include "remedies.hpp"

namespace pogo::check {

using isa::FormId;
using isa::ModeId;
using isa::Term;

std::string_view text(Translated::Why why) {
    switch (why) {
        case Translated::Why::same:
            return "does the same at any address";
        case Translated::Why::refuted:
            return "breaks the VM map";
        case Translated::Why::undecided:
            return "its obligation is undecided";
        case Translated::Why::traps:
            return "never completes there";
        case Translated::Why::jumps:
            return "sets the program counter";
        case Translated::Why::reads_pc:
            return "reads the program counter";
        case Translated::Why::delivers:
            return "raises a trap that may go to the guest";
    }
    POGO_REQUIRE(false);
}

namespace {

/// Where a meaning goes and what it depends on, read off its terms.
class Reading {
  public:
    explicit Reading(const isa::Spec& spec) : spec_(spec), terms_(spec.terms) {
        pc_ = terms_.variable(spec[spec.pc].variable);
    }

    [[nodiscard]] bool goes_on(const isa::Form& form) {
        const auto length = form.encoding.parcels.size() * spec_.parcel_units;
        const Term next = terms_.apply(isa::Op::bvadd, pc_, terms_.constant(spec_[spec_.pc].width, length));
        return std::all_of(form.meaning.writes.begin(), form.meaning.writes.end(),
                           [&](const isa::Write& write) { return write.element != spec_.pc || write.value == next; });
    }

    [[nodiscard]] bool reads_pc(const isa::Meaning& meaning) const {
        std::vector<Term> roots;
        const auto root = [&](Term term) {
            if (term.valid()) roots.push_back(term);
        };
        for (const auto& load : meaning.loads) root(load.guard), root(load.direct ? load.physical : load.address);
        for (const auto& trap : meaning.traps) root(trap.guard);
        for (const auto& store : meaning.stores)
            root(store.guard), root(store.direct ? store.physical : store.address), root(store.data);
        for (const auto& write : meaning.writes)
            if (write.element != spec_.pc) root(write.index), root(write.value), root(write.guard);
        for (const auto& fence : meaning.fences) {
            root(fence.guard);
            for (const auto& match : fence.matches) root(match.value), root(match.when);
        }
        const auto support = terms_.support(roots);
        return std::find(support.begin(), support.end(), spec_[spec_.pc].variable) != support.end();
    }

    /// Some trap of a cause can be raised in one of the modes.
    [[nodiscard]] bool raises(const isa::Meaning& meaning, const std::set<isa::CauseId>& causes,
                              const std::vector<ModeId>& modes) {
        return std::any_of(meaning.traps.begin(), meaning.traps.end(), [&](const isa::Trap& trap) {
            return causes.contains(trap.cause) && std::any_of(modes.begin(), modes.end(), [&](ModeId mode) {
                       isa::Substitution in_mode;
                       for (const auto& part : spec_[mode].cube)
                           in_mode.emplace(terms_.variable(spec_[part.element].variable),
                                           terms_.constant(spec_[part.element].width, part.value));
                       return !terms_.is_false(terms_.substitute(trap.guard, in_mode));
                   });
        });
    }

  private:
    const isa::Spec& spec_;
    isa::Terms terms_;  ///< a copy, in which questions may build terms
    Term pc_;
};

}  // namespace

TranslationTable translation_table(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings,
                                   TrapSet set, const Options& options) {
    const Under under(spec, map, findings, options);
    TranslationTable result;
    std::set<isa::CauseId> staying;
    for (std::uint32_t i = 0; i < spec.causes.size(); ++i)
        if (under.stays(isa::CauseId{i}) != Verdict::no) staying.insert({i});
    for (const Obligation& obligation : findings.obligations)
        if (obligation.kind == Obligation::Kind::interrupt && under.direct(obligation) != Verdict::no)
            result.delivered.push_back("interrupt " + obligation.name);
    for (const isa::CauseId cause : staying)
        if (std::any_of(spec.translation.faults.begin(), spec.translation.faults.end(),
                        [&](const auto& fault) { return fault.cause == cause; }))
            result.delivered.push_back("trap " + spec[cause].name);

    Reading reading(spec);
    const auto modes = real_modes(map);
    const auto why = [&](FormId id, const Obligation& row, bool completes) {
        const isa::Form& form = spec[id];
        const Verdict holds = under.holds(row);
        const bool found = std::any_of(set.elements.begin(), set.elements.end(), [&](const MustTrap& element) {
            return std::find(element.forms.begin(), element.forms.end(), id) != element.forms.end();
        });
        if (holds == Verdict::unknown) return Translated::Why::undecided;
        if (found || (holds == Verdict::no && !set.cause.valid())) return Translated::Why::refuted;
        if (!completes) return Translated::Why::traps;
        if (!reading.goes_on(form)) return Translated::Why::jumps;
        if (reading.reads_pc(form.meaning)) return Translated::Why::reads_pc;
        if (reading.raises(form.meaning, staying, modes)) return Translated::Why::delivers;
        return Translated::Why::same;
    };
    for (const Obligation& obligation : findings.obligations) {
        if (obligation.kind != Obligation::Kind::instruction) continue;
        // What the configuration mends it may mend by a trap.
        const Verdict completes = obligation.holds == Verdict::no ? under.direct(obligation) : obligation.direct;
        for (std::uint32_t i = 0; i < spec[obligation.instruction].form_count; ++i)
            result.forms.push_back(
                {why({spec[obligation.instruction].first_form + i}, obligation, completes != Verdict::no)});
    }
    POGO_REQUIRE(result.forms.size() == spec.forms.size());

    std::size_t longest = 1;
    for (const auto& form : spec.forms) longest = std::max(longest, form.encoding.parcels.size());
    result.exit = replacement(spec, under, set, longest);
    if (result.exit) {
        const std::size_t needed = result.exit->form ? spec[*result.exit->form].encoding.parcels.size() : 1;
        result.exit->parcels.resize(needed);
    }
    const bool mends = std::all_of(set.beyond.begin(), set.beyond.end(),
                                   [&](const auto& name) { return spec.find_instruction(name).valid(); });
    result.complete = !result.exit || !mends ? Verdict::no : set.undecided.empty() ? Verdict::yes : Verdict::unknown;
    result.set = std::move(set);
    return result;
}

}  // namespace pogo::check
