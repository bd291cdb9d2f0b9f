// Compiling meanings: placing leaves, specialising forms, cutting programs into phases.
// SPDX-License-Identifier: Apache-2.0
#include "code.hpp"

#include <algorithm>

#include "isa/require.hpp"
#include "model/devices.hpp"

namespace pogo::model {

using isa::Op;
using isa::Term;
using isa::Variable;

namespace {

template <class Range, class Size>
std::uint32_t most(const Range& range, Size size) {
    std::size_t result = 0;
    for (const auto& item : range) result = std::max(result, static_cast<std::size_t>(size(item)));
    return static_cast<std::uint32_t>(result);
}

// Every meaning there is, for sizes.
std::vector<const isa::Meaning*> meanings(const isa::Spec& spec) {
    std::vector<const isa::Meaning*> all{&spec.reset};
    for (const auto& form : spec.forms) all.push_back(&form.meaning);
    for (const auto& cause : spec.causes) all.push_back(&cause.entry);
    for (const auto& interrupt : spec.interrupts) all.push_back(&interrupt.entry);
    return all;
}

// The terms of a meaning that are computed when nothing traps. `Meaning` may be const.
template <class Meaning, class Visit>
void each_term(Meaning& meaning, Visit visit) {
    for (auto& load : meaning.loads) {
        visit(load.guard);
        visit(load.physical);
        if (load.translated.valid()) visit(load.address);
    }
    for (auto& trap : meaning.traps) visit(trap.guard);
    for (auto& store : meaning.stores) {
        visit(store.guard);
        visit(store.physical);
        visit(store.data);
        if (store.translated.valid()) visit(store.address);
    }
    for (auto& write : meaning.writes) {
        visit(write.guard);
        if (write.index.valid()) visit(write.index);
        visit(write.value);
    }
    for (auto& fence : meaning.fences) {
        visit(fence.guard);
        for (auto& match : fence.matches) {
            visit(match.value);
            visit(match.when);
        }
    }
}

std::vector<Term> all_terms(const isa::Meaning& meaning) {
    std::vector<Term> terms;
    each_term(meaning, [&](Term term) { terms.push_back(term); });
    return terms;
}

}  // namespace

Layout::Layout(const isa::Spec& spec) {
    std::uint32_t at = spec.slots;
    const auto take = [&](std::uint32_t count) {
        const std::uint32_t first = at;
        at += count;
        return first;
    };
    const auto all = meanings(spec);
    std::uint32_t parameter_count = 0;
    for (const auto& cause : spec.causes) parameter_count += static_cast<std::uint32_t>(cause.parameters.size());
    next_pc = take(1);
    opcode = take(1);
    address = take(1);
    access = take(1);
    units = take(1);
    parameters = take(parameter_count);
    fields = take(most(spec.forms, [](const isa::Form& form) { return form.fields.size(); }));
    loads = take(most(all, [](const isa::Meaning* meaning) { return meaning->loads.size(); }));
    translated =
        take(most(all, [](const isa::Meaning* meaning) { return meaning->loads.size() + meaning->stores.size(); }));
    walk = take(static_cast<std::uint32_t>(spec.translation.loads.size()));
    choices = take(most(all, [](const isa::Meaning* meaning) { return meaning->choices.size(); }));
    constants = take(constant_capacity);
    temporaries = at;
}

std::optional<isa::ElementId> time_input(const isa::Spec& spec) {
    for (const auto& device : spec.platform.devices)
        for (const auto& drive : device.drives)
            if (device.kind == isa::Device::Kind::clint && drive.output == clint::time) return drive.input;
    return std::nullopt;
}

std::vector<isa::ElementId> asked_inputs(const isa::Spec& spec) {
    std::vector<isa::ElementId> inputs;
    if (const auto time = time_input(spec)) inputs.push_back(*time);
    for (const auto& count : spec.platform.counts) inputs.push_back(count.input);
    return inputs;
}

Compiler::Compiler(const isa::Spec& spec)
    : spec_(spec),
      terms_(spec.terms),
      term_limit_(spec.terms.size() + 4'000'000),
      layout_(spec),
      time_(time_input(spec)),
      asked_(asked_inputs(spec)),
      size_(layout_.temporaries) {
    for (std::uint32_t i = 0; i < spec.elements.size(); ++i) {
        const auto& element = spec.elements[i];
        if (element.is_file()) {
            files_.emplace(element.variable.id, i);
            POGO_REQUIRE(constant(element.slot));
        } else {
            places_.emplace(element.variable, element.slot);
        }
    }
    const auto known = [&](Variable variable, std::uint32_t place) {
        if (variable.valid()) places_.emplace(variable, place);
    };
    known(spec.next_pc, layout_.next_pc);
    known(spec.opcode, layout_.opcode);
    known(spec.translation.address, layout_.address);
    known(spec.translation.access, layout_.access);
    known(spec.translation.units, layout_.units);
    for (std::uint32_t i = 0; i < spec.translation.loads.size(); ++i)
        known(spec.translation.loads[i].result, layout_.walk + i);
    std::uint32_t parameter = layout_.parameters;
    for (const auto& cause : spec.causes)
        for (const auto variable : cause.parameters) known(variable, parameter++);
}

Compiler::Places Compiler::local_places(const isa::Form* form, const isa::Meaning* meaning) const {
    Places places;
    if (form != nullptr)
        for (std::uint32_t i = 0; i < form->fields.size(); ++i) places[form->fields[i].variable] = layout_.fields + i;
    if (meaning != nullptr) {
        std::uint32_t translated = layout_.translated;
        for (std::uint32_t i = 0; i < meaning->loads.size(); ++i, ++translated) {
            places[meaning->loads[i].result] = layout_.loads + i;
            if (meaning->loads[i].translated.valid()) places[meaning->loads[i].translated] = translated;
        }
        for (std::uint32_t i = 0; i < meaning->stores.size(); ++i, ++translated)
            if (meaning->stores[i].translated.valid()) places[meaning->stores[i].translated] = translated;
        for (std::uint32_t i = 0; i < meaning->choices.size(); ++i) places[meaning->choices[i]] = layout_.choices + i;
    }
    return places;
}

std::optional<std::uint32_t> Compiler::constant(isa::Word value) {
    if (value > ~std::uint64_t{0}) return std::nullopt;
    const auto narrow = static_cast<std::uint64_t>(value);
    if (const auto found = constant_index_.find(narrow); found != constant_index_.end()) return found->second;
    if (constants_.size() == Layout::constant_capacity) return std::nullopt;
    const auto position = layout_.constants + static_cast<std::uint32_t>(constants_.size());
    constants_.push_back(narrow);
    constant_index_.emplace(narrow, position);
    return position;
}

std::optional<std::uint32_t> Compiler::place(Term term, const Places& places) {
    const auto& node = terms_.node(term);
    if (node.op == Op::constant) return constant(terms_.value(term));
    if (node.op == Op::select) return std::nullopt;
    const Variable variable{node.a};
    if (const auto found = places.find(variable); found != places.end()) return found->second;
    if (const auto found = places_.find(variable); found != places_.end()) return found->second;
    // The value of a register file is the number of its first slot.
    const auto file = files_.find(variable.id);
    POGO_REQUIRE(file != files_.end());
    const auto position = constant(spec_.elements[file->second].slot);
    POGO_REQUIRE(position.has_value());
    return position;
}

Expression Compiler::line_up(std::span<const Term> roots, const Places& places, bool wide) {
    Expression result;
    std::unordered_set<std::uint32_t> leaves;
    result.program = isa::compile(terms_, roots, layout_.temporaries, [&](Term term) {
        const auto position = place(term, places);
        if (position) {
            wide = wide || terms_.sort(term).width > 64;
            result.timed = result.timed || std::any_of(asked_.begin(), asked_.end(), [&](isa::ElementId input) {
                               return *position == spec_[input].slot;
                           });
            leaves.insert(*position);
        }
        return position;
    });
    for (const auto& step : result.program.steps) wide = wide || step.sort.width > 64;
    result.wide = wide;
    if (wide) {
        result.leaves.assign(leaves.begin(), leaves.end());
        std::sort(result.leaves.begin(), result.leaves.end());
    }
    size_ = std::max(size_, layout_.temporaries + static_cast<std::uint32_t>(result.program.steps.size()));
    return result;
}

Expression Compiler::compile(std::span<const Term> roots, const isa::Form* form, const isa::Meaning* meaning) {
    return line_up(roots, local_places(form, meaning));
}

Code Compiler::compile(const isa::Meaning& meaning) { return compile(meaning, local_places(nullptr, &meaning), {}); }

Code Compiler::compile(const isa::Translation& translation) {
    isa::Meaning meaning;
    meaning.loads = translation.loads;
    meaning.traps = translation.faults;
    std::vector<Term> results{translation.physical};
    for (const auto& tag : translation.tags) results.push_back(tag.value);
    return compile(meaning, local_places(nullptr, nullptr), {}, std::move(results));
}

Code Compiler::compile(const isa::Form& form) {
    const auto length = static_cast<unsigned>(form.encoding.parcels.size()) * spec_.parcel_units;
    return compile(form.meaning, local_places(&form, &form.meaning), length);
}

Code Compiler::compile(const isa::Form& form, std::span<const std::uint64_t> fields) {
    const auto length = static_cast<unsigned>(form.encoding.parcels.size()) * spec_.parcel_units;
    return compile(specialise(form, fields), local_places(&form, &form.meaning), length);
}

// The meaning with fields as constants. Trap arguments stay as they are: they are computed from the form's own.
isa::Meaning Compiler::specialise(const isa::Form& form, std::span<const std::uint64_t> fields) {
    isa::Substitution values;
    for (std::size_t i = 0; i < form.fields.size(); ++i)
        values.emplace(terms_.variable(form.fields[i].variable), terms_.constant(form.fields[i].width, fields[i]));
    isa::Meaning meaning = form.meaning;
    isa::Substitution memo;
    each_term(meaning, [&](Term& term) { term = terms_.substitute(term, values, memo); });
    return meaning;
}

Code Compiler::compile(const isa::Meaning& original, const Places& places, std::optional<unsigned> length,
                       std::vector<Term> results) {
    // Entries of register files with constant numbers are slots like any other: a variable stands for each.
    isa::Meaning meaning = original;
    isa::Substitution entries;
    auto terms = all_terms(meaning);
    terms.insert(terms.end(), results.begin(), results.end());
    std::vector<Term> selects;
    isa::each_below(terms_, terms, [&](Term term) {
        const auto& node = terms_.node(term);
        if (node.op == Op::select && terms_.is_constant({node.b}) && terms_.node({node.a}).op == Op::variable)
            selects.push_back(term);
    });
    for (const Term select : selects) {
        const auto node = terms_.node(select);
        const auto file = files_.find(terms_.node({node.a}).a);
        if (file == files_.end()) continue;
        const auto& element = spec_.elements[file->second];
        const auto slot = element.slot + static_cast<std::uint32_t>(terms_.value({node.b}));
        auto found = entries_.find(slot);
        if (found == entries_.end()) {
            const Variable variable = terms_.declare(element.name, isa::Sort::bits(element.width));
            found = entries_.emplace(slot, variable).first;
            places_.emplace(variable, slot);
        }
        entries.emplace(select, terms_.variable(found->second));
    }
    if (!entries.empty()) {
        isa::Substitution memo;
        each_term(meaning, [&](Term& term) { term = terms_.substitute(term, entries, memo); });
        for (Term& result : results) result = terms_.substitute(result, entries, memo);
    }

    Code code;
    std::vector<Term> roots;
    const auto root = [&](Term term) {
        roots.push_back(term);
        return static_cast<std::uint32_t>(roots.size() - 1);
    };
    const auto guard = [&](Term term) { return terms_.is_true(term) ? Code::none : root(term); };
    // Numbers of roots first; positions once the program is lined up.
    std::vector<std::size_t> phase_roots;
    std::size_t trap = 0;
    unsigned before = 0;
    for (std::size_t load = 0; load <= meaning.loads.size(); ++load) {
        for (; trap < meaning.traps.size(); ++trap) {
            before = std::max(before, meaning.traps[trap].loads_before);
            if (before > load && load < meaning.loads.size()) break;
            if (terms_.is_false(meaning.traps[trap].guard)) continue;
            code.traps.push_back({guard(meaning.traps[trap].guard), static_cast<std::uint32_t>(trap)});
        }
        const auto traps_end = static_cast<std::uint32_t>(code.traps.size());
        if (load < meaning.loads.size()) {
            const auto& from = meaning.loads[load];
            // A load that never happens keeps its number: its result is zero.
            const auto to = (results.empty() ? layout_.loads : layout_.walk) + static_cast<std::uint32_t>(load);
            code.loads.push_back({guard(from.guard), root(from.physical), to, from.units,
                                  from.translated.valid() ? root(from.address) : Code::none, from.access});
        } else {
            for (const auto& store : meaning.stores)
                if (!terms_.is_false(store.guard))
                    code.stores.push_back({guard(store.guard), root(store.physical), root(store.data), store.units,
                                           store.translated.valid() ? root(store.address) : Code::none, store.access});
            for (const Term result : results) code.results.push_back(root(result));
            for (const auto& fence : meaning.fences) {
                if (terms_.is_false(fence.guard)) continue;
                Code::Fence to{guard(fence.guard), {}};
                for (const auto& match : fence.matches)
                    if (!terms_.is_false(match.when))
                        to.matches.push_back({match.tag, root(match.value), guard(match.when)});
                code.fences.push_back(std::move(to));
            }
            for (const auto& write : meaning.writes) {
                if (terms_.is_false(write.guard)) continue;
                const auto& element = spec_[write.element];
                Code::Write to;
                to.slot = element.slot;
                if (write.element == spec_.pc && length) {
                    const Term next = terms_.apply(Op::bvadd, terms_.variable(element.variable),
                                                   terms_.constant(element.width, *length));
                    if (write.value == next && terms_.is_true(write.guard)) {
                        code.sequential = true;
                        continue;
                    }
                }
                to.guard = guard(write.guard);
                if (element.is_file()) {
                    to.file = spec_.slots + write.element.index;
                    if (terms_.is_constant(write.index))
                        to.slot += static_cast<std::uint32_t>(terms_.value(write.index));
                    else
                        to.index = root(write.index);
                }
                to.value = root(write.value);
                code.writes.push_back(to);
            }
        }
        phase_roots.push_back(roots.size());
        code.phases.push_back({0, traps_end});
    }

    // A translation runs apart from the array of values, as wide programs do.
    code.expression = line_up(roots, places, !results.empty());
    const auto& position = code.expression.program.roots;
    std::uint32_t end = 0;
    std::size_t done = 0;
    for (std::size_t phase = 0; phase < code.phases.size(); ++phase) {
        for (; done < phase_roots[phase]; ++done)
            if (position[done] >= layout_.temporaries) end = std::max(end, position[done] - layout_.temporaries + 1);
        code.phases[phase].end = end;
    }
    const auto settle = [&](std::uint32_t& number) {
        if (number != Code::none) number = position[number];
    };
    for (auto& at : code.traps) settle(at.guard);
    for (auto& at : code.loads) {
        settle(at.guard);
        settle(at.physical);
        settle(at.address);
    }
    for (auto& at : code.stores) {
        settle(at.guard);
        settle(at.physical);
        settle(at.data);
        settle(at.address);
    }
    for (auto& result : code.results) settle(result);
    for (auto& fence : code.fences) {
        settle(fence.guard);
        for (auto& match : fence.matches) {
            settle(match.value);
            settle(match.when);
        }
    }
    most_written_ = std::max(most_written_, 2 * code.writes.size());
    bool wrote_unknown = false;
    std::unordered_set<std::uint32_t> written;
    for (auto& at : code.writes) {
        settle(at.guard);
        settle(at.index);
        settle(at.value);
        for (const auto read : {at.guard, at.index, at.value})
            if (read < spec_.slots && (wrote_unknown || written.contains(read))) code.gather = true;
        wrote_unknown = wrote_unknown || at.index != Code::none;
        written.insert(at.slot);
    }
    return code;
}

Reads Compiler::reads(const isa::Form& form) {
    Reads result;
    std::vector<Term> indices;
    std::unordered_set<std::uint32_t> fields;
    for (const auto& field : form.fields) fields.insert(field.variable.id);
    const auto add = [&](std::uint32_t number) { result.known.push_back(number); };
    const auto terms = all_terms(form.meaning);
    isa::each_below(terms_, terms, [&](Term term) {
        const auto& node = terms_.node(term);
        if (node.op == Op::variable) {
            const auto found = places_.find(Variable{node.a});
            if (found != places_.end() && found->second < spec_.slots && found->second != spec_[spec_.pc].slot)
                add(found->second);
            return;
        }
        if (node.op != Op::select) return;
        const auto file =
            terms_.node({node.a}).op == Op::variable ? files_.find(terms_.node({node.a}).a) : files_.end();
        POGO_REQUIRE(file != files_.end());
        const Term index{node.b};
        bool known = true;
        for (const Variable variable : terms_.support(std::span(&index, 1)))
            known = known && fields.contains(variable.id);
        if (known) {
            indices.push_back(index);
            result.bases.push_back(spec_.elements[file->second].slot);
        } else {
            add(spec_.slots + file->second);
        }
    });
    std::sort(result.known.begin(), result.known.end());
    result.known.erase(std::unique(result.known.begin(), result.known.end()), result.known.end());
    result.indices = compile(indices, &form, nullptr);
    return result;
}

Thresholds Compiler::thresholds(std::span<const Term> conditions) {
    Thresholds result;
    if (!time_) return result;
    const Variable variable = spec_[*time_].variable;
    const Term time = terms_.variable(variable);
    const auto add = [&](Term other, bool after) {
        result.roots.push_back(other);
        result.after.push_back(after);
    };
    isa::each_below(terms_, conditions, [&](Term term) {
        const auto operands = terms_.operands(term);
        if (std::find(operands.begin(), operands.end(), time) == operands.end()) return;
        const Op op = terms_.node(term).op;
        const bool compares = op == Op::bvult || op == Op::bvule || op == Op::eq;
        const bool left = compares && operands[0] == time;
        const Term other = compares ? operands[left ? 1 : 0] : time;
        const auto support = terms_.support(std::span(&other, 1));
        if (std::find(support.begin(), support.end(), variable) != support.end()) {
            result.always = true;
        } else if (op == Op::eq) {
            add(other, false);
            add(other, true);
        } else {
            // time < x and x <= time change at x; time <= x and x < time behind it.
            add(other, left == (op == Op::bvule));
        }
    });
    return result;
}

std::vector<std::uint32_t> Compiler::slots(std::span<const Term> roots) const {
    std::vector<std::uint32_t> result;
    for (const Variable variable : terms_.support(roots)) {
        if (const auto file = files_.find(variable.id); file != files_.end()) {
            const auto& element = spec_.elements[file->second];
            for (unsigned i = 0; i < element.slots(); ++i) result.push_back(element.slot + i);
        } else if (const auto found = places_.find(variable); found != places_.end() && found->second < spec_.slots) {
            result.push_back(found->second);
        }
    }
    return result;
}

}  // namespace pogo::model
