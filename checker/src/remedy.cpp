// Which instructions have to trap: sets by asking again what holds without each element.
// SPDX-License-Identifier: Apache-2.0
#include "check/remedy.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "isa/require.hpp"
#include "parallel.hpp"
#include "remedies.hpp"
#include "row.hpp"

namespace pogo::check {

using isa::FormId;
using isa::InstructionId;
using isa::ModeId;
using isa::Term;

namespace {

/// Fields up to this wide are looked at value by value.
constexpr unsigned small_field = 5;

/// Fields that the instruction's own statements can name, and that every form has.
std::vector<std::string> small_fields(const isa::Spec& spec, const isa::Instruction& row) {
    std::vector<std::string> result;
    for (const auto& field : spec.forms[row.first_form].fields) {
        const auto has = [&](std::uint32_t i) {
            const auto& fields = spec.forms[row.first_form + i].fields;
            return std::any_of(fields.begin(), fields.end(), [&](const auto& other) {
                return other.name == field.name && other.width == field.width;
            });
        };
        bool all = field.width <= small_field && field.name.find('.') == std::string::npos;
        for (std::uint32_t i = 1; i < row.form_count && all; ++i) all = has(i);
        if (all) result.push_back(field.name);
    }
    return result;
}

/// What a trap may be raised with: those that say "you may not" first, and those that take no arguments.
std::vector<isa::CauseId> causes_by_fitness(const isa::Spec& spec, const std::optional<isa::CauseId>& given) {
    if (given) return {*given};
    std::vector<isa::CauseId> result;
    for (const bool arguments : {false, true})
        for (const auto kind :
             {isa::TrapKind::privilege, isa::TrapKind::exit, isa::TrapKind::illegal, isa::TrapKind::call})
            for (std::uint32_t i = 0; i < spec.causes.size(); ++i)
                if (spec.causes[i].kind == kind && spec.causes[i].parameters.empty() != arguments)
                    result.push_back({i});
    return result;
}

/// The smallest part of one row that has to trap: first everything does, then what need not is taken out. Forms are
/// independent of one another. Modes are not quite: the virtual machine is the new machine, too.
class RowTraps {
  public:
    RowTraps(const isa::Spec& spec, const isa::VmMap& map, const Under& under, const Obligation& obligation,
             isa::CauseId cause, bool whole)
        : spec_(spec), under_(under), obligation_(obligation), cause_(cause), modes_(real_modes(map)) {
        const isa::Instruction& row = spec[obligation.instruction];
        for (std::uint32_t i = 0; i < row.form_count; ++i)
            if (whole && i > 0)
                parts_.front().push_back({row.first_form + i});
            else
                parts_.push_back({FormId{row.first_form + i}});
        if (!whole) fields_ = small_fields(spec, row);
    }

    std::vector<MustTrap> run(unsigned jobs) {
        std::vector<std::vector<MustTrap>> found(parts_.size());
        in_parallel(parts_.size(), jobs, {}, [&](std::size_t i) { found[i] = decide(i); });
        // What differs in the forms is joined, then what differs in the modes.
        std::vector<MustTrap> by_mode;
        for (auto& elements : found)
            for (MustTrap& one : elements) join(by_mode, std::move(one), &MustTrap::modes, &MustTrap::forms);
        std::vector<MustTrap> result;
        for (MustTrap& one : by_mode) join(result, std::move(one), &MustTrap::forms, &MustTrap::modes);
        return result;
    }

  private:
    /// Into an element that is like it but for one of its lists, which becomes longer.
    template <class Same, class Other>
    static void join(std::vector<MustTrap>& elements, MustTrap one, std::vector<Same> MustTrap::*same,
                     std::vector<Other> MustTrap::*other) {
        for (MustTrap& element : elements) {
            if (element.*same != one.*same || element.spared != one.spared) continue;
            (element.*other).insert((element.*other).end(), (one.*other).begin(), (one.*other).end());
            element.needed = both(element.needed, one.needed);
            element.rechecks += one.rechecks;
            return;
        }
        elements.push_back(std::move(one));
    }

    [[nodiscard]] MustTrap element(std::size_t part, std::vector<ModeId> modes) const {
        MustTrap result;
        result.instruction = obligation_.instruction;
        result.forms = parts_[part];
        result.modes = std::move(modes);
        return result;
    }

    /// One part, by modes; all others trap meanwhile.
    std::vector<MustTrap> decide(std::size_t number) {
        std::vector<MustTrap> others;
        for (std::size_t i = 0; i < parts_.size(); ++i)
            if (i != number) others.push_back(element(i, modes_));
        std::vector<MustTrap> kept;
        for (const ModeId mode : modes_) {
            kept.push_back(element(number, {mode}));
            kept.back().needed = Verdict::yes;
        }
        const auto machine = [&] {
            std::vector<MustTrap> all = others;
            all.insert(all.end(), kept.begin(), kept.end());
            return trapping(spec_, cause_, all);
        };
        const auto leave_out = [&] {
            for (std::size_t i = 0; i < kept.size();) {
                MustTrap one = kept[i];
                kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
                const Verdict fine = under_.again(machine(), obligation_);
                ++one.rechecks;
                one.needed = both(one.needed, opposite(fine));
                if (fine != Verdict::yes) kept.insert(kept.begin() + static_cast<std::ptrdiff_t>(i++), std::move(one));
            }
        };
        leave_out();
        for (std::size_t i = 0; i < kept.size() && !fields_.empty(); ++i) {
            MustTrap one = kept[i];
            kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
            const isa::Spec open = machine();
            for (const std::string& field : fields_) spare(one, field, open);
            kept.insert(kept.begin() + static_cast<std::ptrdiff_t>(i), std::move(one));
        }
        // What was taken out after an element had been asked about may have been why it was needed.
        if (modes_.size() > 1) leave_out();
        return kept;
    }

    /// Takes values of a field, for which the obligation holds where the element does not trap, out of it. Both
    /// machines execute the same instruction, so each value is a case of its own.
    void spare(MustTrap& element, const std::string& field, const isa::Spec& open) const {
        const FormId form = element.forms.front();
        const auto holds = under_.by_value(open, form, field_number(spec_[form], field));
        MustTrap::Spared spared{field, {}};
        Verdict refuted = Verdict::yes;
        for (std::size_t value = 0; value < holds.size(); ++value)
            if (holds[value] == Verdict::yes)
                spared.values.push_back(value);
            else
                refuted = both(refuted, opposite(holds[value]));
        element.rechecks += static_cast<unsigned>(holds.size());
        if (spared.values.empty()) return;
        element.needed = both(element.needed, refuted);
        element.spared.push_back(std::move(spared));
    }

    const isa::Spec& spec_;
    const Under& under_;
    const Obligation& obligation_;
    isa::CauseId cause_;
    std::vector<ModeId> modes_;
    std::vector<std::vector<FormId>> parts_;
    std::vector<std::string> fields_;
};

Verdict critical(const Row& row, bool strict) {
    return strict ? row.critical.strict : either(row.critical.strict, row.critical.extended);
}

}  // namespace

bool covers(const isa::Spec& spec, const MustTrap& element, const isa::Decoded& decoded) {
    if (std::find(element.forms.begin(), element.forms.end(), decoded.form) == element.forms.end()) return false;
    return std::none_of(element.spared.begin(), element.spared.end(), [&](const auto& spared) {
        const std::uint64_t value = decoded.fields[field_number(spec[decoded.form], spared.name)];
        return std::find(spared.values.begin(), spared.values.end(), value) != spared.values.end();
    });
}

Verdict TrapSet::exists() const {
    return !undecided.empty() ? Verdict::unknown : beyond.empty() ? Verdict::yes : Verdict::no;
}

Verdict TrapSet::minimal() const {
    Verdict result = Verdict::yes;
    for (const MustTrap& element : elements) result = both(result, element.needed);
    return result;
}

TrapSet trap_set(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings,
                 const RemedyOptions& options) {
    const Under under(spec, map, findings, options.check);
    TrapSet result;
    result.map = map.name;
    result.context = map.context;
    result.configuration = under.configuration();
    std::vector<const Obligation*> refuted;
    result.already = Verdict::yes;
    for (const Obligation& obligation : findings.obligations) {
        const Verdict holds = under.holds(obligation);
        result.already = both(result.already, holds);
        if (holds == Verdict::no) refuted.push_back(&obligation);
        if (holds == Verdict::unknown) result.undecided.push_back(obligation.name);
    }
    if (refuted.empty()) return result;

    for (const isa::CauseId cause : causes_by_fitness(spec, options.cause)) {
        if (under.stays(cause) != Verdict::no) continue;
        result.cause = cause;
        break;
    }
    const bool traps = result.cause.valid();
    for (const Obligation* obligation : refuted) {
        if (!traps || obligation->kind != Obligation::Kind::instruction) continue;
        auto elements = RowTraps(spec, map, under, *obligation, result.cause, options.whole).run(options.check.jobs);
        result.elements.insert(result.elements.end(), elements.begin(), elements.end());
    }
    // With all of them, what was refuted holds: also what is no instruction, if instructions were the reason.
    const isa::Spec mended = traps ? trapping(spec, result.cause, result.elements) : spec;
    for (const Obligation* obligation : refuted) {
        const Verdict holds = traps ? under.again(mended, *obligation) : Verdict::no;
        if (holds == Verdict::no) result.beyond.push_back(obligation->name);
        if (holds == Verdict::unknown) result.undecided.push_back(obligation->name);
    }
    return result;
}

Verdict needed(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings, const TrapSet& set,
               std::size_t element, const RemedyOptions& options) {
    std::vector<MustTrap> others = set.elements;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(element));
    const auto owed = std::find_if(findings.obligations.begin(), findings.obligations.end(), [&](const auto& one) {
        return one.kind == Obligation::Kind::instruction && one.instruction == set.elements[element].instruction;
    });
    POGO_REQUIRE(owed != findings.obligations.end());
    return opposite(Under(spec, map, findings, options.check).again(trapping(spec, set.cause, others), *owed));
}

TrapSet trap_set(const isa::Spec& spec, const Findings& findings, const RemedyOptions& options) {
    TrapSet result;
    result.context = spec.find_context(findings.context);
    const isa::Context& context = spec[result.context];
    const Roles roles(spec, context);
    Options quiet = options.check;
    quiet.witnesses = false;
    for (const Kept& invariant : findings.invariants) {
        if (invariant.holds == Verdict::no) result.beyond.push_back("invariant " + invariant.name);
        if (invariant.holds == Verdict::unknown) result.undecided.push_back("invariant " + invariant.name);
    }
    std::vector<MustTrap> all;
    for (const Row& row : findings.rows) {
        const Verdict bad = critical(row, options.strict);
        if (bad == Verdict::unknown) result.undecided.push_back(spec[row.instruction].identifier);
        if (bad != Verdict::yes) continue;
        MustTrap element;
        element.instruction = row.instruction;
        element.modes = {context.user};
        for (std::uint32_t i = 0; i < spec[row.instruction].form_count; ++i)
            element.forms.push_back({spec[row.instruction].first_form + i});
        all.push_back(std::move(element));
    }
    result.already = all.empty() ? result.exists() : Verdict::no;

    const auto again = [&](const isa::Spec& machine, InstructionId id) {
        return critical(check_row(machine, quiet, context, roles, id, {}), options.strict);
    };
    for (const isa::CauseId cause : causes_by_fitness(spec, options.cause)) {
        if (all.empty() || result.cause.valid()) break;
        const isa::Spec mended = trapping(spec, cause, all);
        if (again(mended, all.front().instruction) == Verdict::no) result.cause = cause;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string& name = spec[all[i].instruction].identifier;
        const Verdict left =
            result.cause.valid() ? again(trapping(spec, result.cause, all), all[i].instruction) : Verdict::yes;
        if (left == Verdict::yes) result.beyond.push_back(name);
        if (left == Verdict::unknown) result.undecided.push_back(name);
        if (!result.cause.valid()) continue;
        std::vector<MustTrap> others = all;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
        all[i].needed = again(trapping(spec, result.cause, others), all[i].instruction);
        all[i].rechecks = 1;
        result.elements.push_back(all[i]);
    }
    return result;
}

isa::Spec trapping(const isa::Spec& spec, isa::CauseId cause, std::span<const MustTrap> elements) {
    isa::Spec result = spec;
    isa::Terms& terms = result.terms;
    const auto is = [&](isa::Variable variable, isa::Word value) {
        return terms.eq(terms.variable(variable), terms.constant(terms.sort(variable).width, value));
    };
    for (const MustTrap& element : elements) {
        Term there = terms.boolean(false);
        for (const ModeId mode : element.modes) {
            Term in_mode = terms.boolean(true);
            for (const auto& part : spec[mode].cube)
                in_mode = terms.and_(in_mode, is(spec[part.element].variable, part.value));
            there = terms.or_(there, in_mode);
        }
        for (const FormId id : element.forms) {
            isa::Form& form = result.forms[id.index];
            Term guard = there;
            for (const auto& spared : element.spared)
                for (const std::uint64_t value : spared.values)
                    guard =
                        terms.and_(guard, terms.not_(is(form.fields[field_number(form, spared.name)].variable, value)));
            isa::Trap trap{cause, guard, {}, 0, spec[element.instruction].where};
            for (const isa::Variable parameter : spec[cause].parameters)  // of an exit the row's number
                trap.arguments.push_back(terms.constant(
                    terms.sort(parameter).width,
                    spec[cause].kind == isa::TrapKind::exit && trap.arguments.empty() ? element.instruction.index : 0));
            form.meaning.traps.insert(form.meaning.traps.begin(), std::move(trap));
        }
    }
    return result;
}

}  // namespace pogo::check
