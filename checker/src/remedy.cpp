// Remedies: sets by asking again what holds without each element, replacements and copies by proof.
// SPDX-License-Identifier: Apache-2.0
#include "check/remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "isa/assembly.hpp"
#include "isa/require.hpp"
#include "parallel.hpp"
#include "row.hpp"

namespace pogo::check {

using isa::FormId;
using isa::InstructionId;
using isa::ModeId;
using isa::Term;

namespace {

/// Fields up to this wide are looked at value by value.
constexpr unsigned small_field = 5;

unsigned field_number(const isa::Form& form, std::string_view name) {
    for (unsigned i = 0; i < form.fields.size(); ++i)
        if (form.fields[i].name == name) return i;
    POGO_REQUIRE(false);
}

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

/// The modes of the real machine in which the guest runs, each once.
std::vector<ModeId> real_modes(const isa::VmMap& map) {
    std::vector<ModeId> result;
    for (const auto& [machine, real] : map.modes)
        if (std::find(result.begin(), result.end(), real) == result.end()) result.push_back(real);
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

/// The obligations of a map under the configuration that is used.
class Under {
  public:
    Under(const isa::Spec& spec, isa::VmMap map, const MapFindings& findings, Options options)
        : spec_(spec), map_(std::move(map)), findings_(findings), options_(std::move(options)) {
        options_.witnesses = false;
        options_.progress = {};
        map_.synthesized.clear();
        if (!findings.synthesis || findings.synthesis->found != Verdict::yes) return;
        configuration_ = findings.synthesis->cube;
        for (const Literal& literal : *configuration_)
            options_.assumptions.push_back({literal.element, literal.value << literal.low,
                                            isa::ones(literal.high - literal.low + 1) << literal.low});
    }

    [[nodiscard]] const std::optional<Cube>& configuration() const { return configuration_; }

    [[nodiscard]] Verdict holds(const Obligation& obligation) const {
        if (!configuration_ || obligation.holds != Verdict::no) return obligation.holds;
        return obligation.mended;
    }
    [[nodiscard]] Verdict again(const isa::Spec& spec, const Obligation& obligation) const {
        return check_obligation(spec, map_, obligation, options_).holds;
    }
    [[nodiscard]] std::vector<Verdict> by_value(const isa::Spec& spec, FormId form, unsigned field) const {
        return check_values(spec, map_, form, field, options_);
    }
    /// Obligation::direct: of a trap or an interrupt, that the real machine takes it and goes on with the guest.
    [[nodiscard]] Verdict direct(const Obligation& obligation) const {
        if (obligation.direct == Verdict::no || !configuration_ || configuration_->empty()) return obligation.direct;
        return check_obligation(spec_, map_, obligation, options_).direct;
    }
    [[nodiscard]] Verdict stays(isa::CauseId cause) const {
        for (const Obligation& obligation : findings_.obligations)
            if (obligation.kind == Obligation::Kind::trap && obligation.name == spec_[cause].name)
                return direct(obligation);
        POGO_REQUIRE(false);
    }
    [[nodiscard]] Verdict leaves(FormId form) const { return always_leaves(spec_, map_, form, options_); }

  private:
    const isa::Spec& spec_;
    isa::VmMap map_;
    const MapFindings& findings_;
    Options options_;
    std::optional<Cube> configuration_;
};

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

// ---- Text ---------------------------------------------------------------------------------------------------------

namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view with) {
    std::string result;
    for (const auto& part : parts) result += (result.empty() ? "" : std::string(with)) + part;
    return result;
}

std::string either_of(const std::vector<std::string>& parts) {
    return parts.size() == 1 ? parts.front() : "(" + joined(parts, " || ") + ")";
}

std::vector<std::string> modes_text(const isa::Spec& spec, const MustTrap& element) {
    std::vector<std::string> modes;
    for (const ModeId mode : element.modes) {
        std::vector<std::string> parts;
        for (const auto& part : spec[mode].cube)
            parts.push_back(fmt::format("{} == {}", spec[part.element].name, static_cast<std::uint64_t>(part.value)));
        modes.push_back(joined(parts, " && "));
    }
    return modes;
}

std::vector<std::string> cases_of(const isa::Form& form) {
    std::vector<std::string> result{""};
    for (const char c : form.variant)
        if (c == '.')
            result.emplace_back();
        else
            result.back() += c;
    return result;
}

/// Which operand cases: nothing for all that the instruction has, in all of its rows.
std::string forms_text(const isa::Spec& spec, const MustTrap& element) {
    const isa::Instruction& row = spec[element.instruction];
    std::vector<std::uint32_t> all;
    for (const auto& other : spec.instructions)
        if (other.where == row.where)
            for (std::uint32_t i = 0; i < other.form_count; ++i) all.push_back(other.first_form + i);
    if (all.size() == element.forms.size()) return {};
    const std::size_t operands = row.operands.size();
    std::vector<std::vector<std::string>> chosen(operands);
    const auto seen = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (const FormId form : element.forms)
        for (std::size_t i = 0; i < operands; ++i)
            if (const auto name = cases_of(spec[form])[i]; !seen(chosen[i], name)) chosen[i].push_back(name);
    // What the operands' cases allow one by one, and whether that is what is meant.
    const auto count = [&](std::size_t without) {
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](std::uint32_t f) {
            const auto cases = cases_of(spec.forms[f]);
            for (std::size_t i = 0; i < operands; ++i)
                if (i != without && !seen(chosen[i], cases[i])) return false;
            return true;
        }));
    };
    const auto is = [&](std::size_t i, const std::string& name) {
        return fmt::format("{}.is({})", row.operands[i], name);
    };
    std::vector<std::string> parts;
    if (count(operands) == element.forms.size()) {
        for (std::size_t i = 0; i < operands; ++i) {
            if (count(i) == element.forms.size() && operands > 1) continue;  // the others say it
            std::vector<std::string> cases;
            for (const auto& name : chosen[i]) cases.push_back(is(i, name));
            parts.push_back(either_of(cases));
        }
        if (!parts.empty()) return joined(parts, " && ");
    }
    for (const FormId form : element.forms) {
        std::vector<std::string> cases;
        for (std::size_t i = 0; i < operands; ++i) cases.push_back(is(i, cases_of(spec[form])[i]));
        parts.push_back(joined(cases, " && "));
    }
    return either_of(parts);
}

/// A permission that lets nobody do it in these modes, and everybody elsewhere.
const isa::Permission* permission_like(const isa::Spec& spec, const MustTrap& element) {
    for (const auto& permission : spec.permissions) {
        bool fits = true;
        for (std::uint32_t i = 0; i < spec.modes.size() && fits; ++i) {
            const auto line = std::find_if(permission.lines.begin(), permission.lines.end(),
                                           [&](const auto& one) { return !one.mode.valid() || one.mode == ModeId{i}; });
            const bool wanted = std::find(element.modes.begin(), element.modes.end(), ModeId{i}) != element.modes.end();
            fits = line != permission.lines.end() && line->condition.empty() && line->cause.valid() == wanted;
        }
        if (fits && !permission.instructions.empty()) return &permission;
    }
    return nullptr;
}

}  // namespace

std::string fields_condition(const isa::Spec& spec, const MustTrap& element) {
    std::vector<std::string> parts;
    for (const auto& spared : element.spared) {
        const isa::Form& form = spec[element.forms.front()];
        const std::uint64_t count = std::uint64_t{1} << form.fields[field_number(form, spared.name)].width;
        std::vector<std::string> kept;  // said instead where they are fewer
        for (std::uint64_t value = 0; value < count; ++value)
            if (std::find(spared.values.begin(), spared.values.end(), value) == spared.values.end())
                kept.push_back(fmt::format("{} == {}", spared.name, value));
        if (kept.size() < spared.values.size()) {
            parts.push_back(either_of(kept));
            continue;
        }
        for (const std::uint64_t value : spared.values) parts.push_back(fmt::format("{} != {}", spared.name, value));
    }
    return joined(parts, " && ");
}

std::string condition(const isa::Spec& spec, const MustTrap& element) {
    std::vector<std::string> parts;
    if (auto forms = forms_text(spec, element); !forms.empty()) parts.push_back(std::move(forms));
    if (auto fields = fields_condition(spec, element); !fields.empty()) parts.push_back(std::move(fields));
    const auto modes = modes_text(spec, element);
    if (parts.empty()) return joined(modes, " || ");
    parts.insert(parts.begin(), either_of(modes));
    return joined(parts, " && ");
}

std::string statement(const isa::Spec& spec, isa::CauseId cause, const MustTrap& element) {
    if (element.spared.empty() && forms_text(spec, element).empty())
        if (const auto* permission = permission_like(spec, element); permission != nullptr)
            return fmt::format("require {};", permission->name);
    std::string arguments;
    for (std::size_t i = 0; i < spec[cause].parameters.size(); ++i) arguments += i == 0 ? "0" : ", 0";
    if (!arguments.empty()) arguments = "(" + arguments + ")";
    return fmt::format("trap {}{} when {};", spec[cause].name, arguments, condition(spec, element));
}

// ---- Hypercalls ---------------------------------------------------------------------------------------------------

namespace {

/// A first parcel that begins no instruction, small or made of ones only if there is one.
std::optional<std::uint64_t> undecodable(const isa::Spec& spec) {
    const isa::Decoder decoder(spec);
    const unsigned bits = spec.parcel_bits();
    const auto all = static_cast<std::uint64_t>(isa::ones(bits));
    const std::uint64_t count = std::uint64_t{1} << std::min(bits, 16U);
    for (const unsigned shift : {0U, bits - std::min(bits, 16U)})
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t parcel = i << shift & all;
            unsigned wanted = 0;
            if (!decoder.decode(std::span(&parcel, 1), wanted) && wanted <= 1) return parcel;
        }
    return std::nullopt;
}

/// A form that always goes to the monitor, of as few kinds of use to a guest as there are.
std::optional<Replacement> leaving_form(const isa::Spec& spec, const Under& under, const TrapSet& set,
                                        std::size_t parcels) {
    for (const auto kind : {isa::TrapKind::illegal, isa::TrapKind::exit, isa::TrapKind::privilege, isa::TrapKind::call})
        for (std::uint32_t i = 0; i < spec.forms.size(); ++i) {
            const isa::Form& form = spec.forms[i];
            const bool patched = std::any_of(set.elements.begin(), set.elements.end(), [&](const auto& element) {
                return element.instruction == form.instruction;
            });
            const bool raises = std::any_of(form.meaning.traps.begin(), form.meaning.traps.end(),
                                            [&](const auto& trap) { return spec[trap.cause].kind == kind; });
            const std::vector<std::uint64_t> zeros(form.fields.size(), 0);
            if (patched || !raises || form.encoding.parcels.size() > parcels || !permits(spec, form, zeros) ||
                under.leaves({i}) != Verdict::yes)
                continue;
            return Replacement{encode(form, zeros), FormId{i}, Verdict::yes};
        }
    return std::nullopt;
}

/// What is no instruction, if that leaves; else an instruction that does. Filled up to the length.
std::optional<Replacement> replacement(const isa::Spec& spec, const Under& under, const TrapSet& set,
                                       std::size_t parcels) {
    std::optional<Replacement> result;
    const auto nothing = undecodable(spec);
    if (nothing && under.stays(spec.illegal.cause) == Verdict::no)
        result = Replacement{{*nothing}, {}, Verdict::yes};
    else
        result = leaving_form(spec, under, set, parcels);
    if (result) result->parcels.resize(parcels, 0);
    return result;
}

}  // namespace

const Patch* PatchList::find(FormId form) const {
    const auto place = std::find_if(patches.begin(), patches.end(), [&](const Patch& p) { return p.form == form; });
    return place == patches.end() ? nullptr : &*place;
}

Verdict PatchList::complete() const {
    Verdict result = set.exists();
    for (const Patch& patch : patches)
        result = both(result, patch.possible() ? replacements[patch.replacement].leaves : Verdict::no);
    return result;
}

PatchList patch_list(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings, TrapSet set,
                     const Options& options) {
    const Under under(spec, map, findings, options);
    PatchList result;
    for (std::size_t e = 0; e < set.elements.size(); ++e)
        for (const FormId form : set.elements[e].forms)
            if (result.find(form) == nullptr) result.patches.push_back({form, e, Patch::none});
    std::sort(result.patches.begin(), result.patches.end(),
              [](const auto& a, const auto& b) { return a.form < b.form; });
    std::map<std::size_t, std::size_t> by_length;
    for (Patch& patch : result.patches) {
        const std::size_t parcels = spec[patch.form].encoding.parcels.size();
        const auto [place, fresh] = by_length.try_emplace(parcels, Patch::none);
        if (fresh)
            if (auto found = replacement(spec, under, set, parcels)) {
                place->second = result.replacements.size();
                result.replacements.push_back(std::move(*found));
            }
        patch.replacement = place->second;
    }
    result.set = std::move(set);
    return result;
}

std::vector<PatchSite> patch(const isa::Spec& spec, const PatchList& list, std::span<std::uint64_t> units,
                             std::uint64_t base) {
    const isa::Decoder decoder(spec);
    std::vector<PatchSite> result;
    std::size_t at = 0;
    while (at + spec.parcel_units <= units.size()) {
        std::vector<std::uint64_t> parcels;
        std::optional<isa::Decoded> decoded;
        for (unsigned wanted = 1; !decoded && parcels.size() < wanted;) {
            const std::size_t next = at + parcels.size() * spec.parcel_units;
            if (next + spec.parcel_units > units.size()) break;
            parcels.push_back(isa::parcel_of(spec, &units[next]));
            decoded = decoder.decode(parcels, wanted);
        }
        const std::size_t length = (decoded ? spec[decoded->form].encoding.parcels.size() : 1) * spec.parcel_units;
        const Patch* found = decoded ? list.find(decoded->form) : nullptr;
        if (found != nullptr && found->possible() && covers(spec, list.set.elements[found->element], *decoded)) {
            PatchSite site{base + at, std::move(*decoded), {}, {}};
            site.before.assign(units.begin() + static_cast<std::ptrdiff_t>(at),
                               units.begin() + static_cast<std::ptrdiff_t>(at + length));
            site.after = isa::units_of(spec, list.replacements[found->replacement].parcels);
            std::copy(site.after.begin(), site.after.end(), units.begin() + static_cast<std::ptrdiff_t>(at));
            result.push_back(std::move(site));
        }
        at += length;
    }
    return result;
}

// ---- Translation --------------------------------------------------------------------------------------------------

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
