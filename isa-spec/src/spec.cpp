// Look-ups in a Spec, registers put together from elements, decoding and encoding.
// SPDX-License-Identifier: Apache-2.0
#include "isa/spec.hpp"

#include <algorithm>
#include <bit>

#include "field_condition.hpp"
#include "isa/concrete.hpp"
#include "isa/require.hpp"

namespace pogo::isa {

std::string_view name(Role role) {
    switch (role) {
        case Role::data:
            return "data";
        case Role::memory:
            return "memory";
        case Role::pc:
            return "pc";
        case Role::mode:
            return "mode";
        case Role::relocation:
            return "relocation";
        case Role::control:
            return "control";
        case Role::io:
            return "io";
        case Role::time:
            return "time";
    }
    POGO_REQUIRE(false);
}

std::string_view name(TrapKind kind) {
    switch (kind) {
        case TrapKind::memory:
            return "memory";
        case TrapKind::privilege:
            return "privilege";
        case TrapKind::call:
            return "call";
        case TrapKind::arithmetic:
            return "arithmetic";
        case TrapKind::illegal:
            return "illegal";
        case TrapKind::unmodelled:
            return "unmodelled";
        case TrapKind::exit:
            return "virtual";
    }
    POGO_REQUIRE(false);
}

namespace {

template <class T, class IdType>
IdType find(const std::vector<T>& list, std::string_view name, IdType) {
    for (std::uint32_t i = 0; i < list.size(); ++i)
        if (list[i].name == name) return {i};
    return {};
}

}  // namespace

ElementId Spec::find_element(std::string_view wanted) const { return find(elements, wanted, ElementId{}); }
CauseId Spec::find_cause(std::string_view wanted) const { return find(causes, wanted, CauseId{}); }
ModeId Spec::find_mode(std::string_view wanted) const { return find(modes, wanted, ModeId{}); }
ContextId Spec::find_context(std::string_view wanted) const { return find(contexts, wanted, ContextId{}); }

InstructionId Spec::find_instruction(std::string_view wanted) const {
    for (std::uint32_t i = 0; i < instructions.size(); ++i)
        if (instructions[i].name == wanted || instructions[i].identifier == wanted) return {i};
    return {};
}

const Register* Spec::find_register(std::string_view wanted) const {
    for (const auto& reg : registers)
        if (reg.name == wanted) return &reg;
    return nullptr;
}

std::vector<std::string> grouped(std::span<const std::string> names) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < names.size();) {
        const auto dot = names[i].find('.');
        const std::string prefix = dot == std::string::npos ? names[i] : names[i].substr(0, dot + 1);
        std::string parts;
        std::size_t end = i + 1;
        if (dot != std::string::npos)
            for (; end < names.size() && names[end].starts_with(prefix); ++end)
                parts += "," + names[end].substr(prefix.size());
        result.push_back(parts.empty() ? names[i] : prefix + "{" + names[i].substr(prefix.size()) + parts + "}");
        i = end;
    }
    return result;
}

std::uint64_t State::get(const Register& reg, const Spec& spec) const {
    std::uint64_t value = reg.constant;
    for (const auto& piece : reg.pieces) {
        const std::uint64_t part = get(spec[piece.element], piece.entry) >> piece.from;
        value |= (part & static_cast<std::uint64_t>(ones(piece.high - piece.low + 1))) << piece.low;
    }
    return value;
}

void State::set(const Register& reg, const Spec& spec, std::uint64_t value) {
    for (const auto& piece : reg.pieces) {
        const Element& element = spec[piece.element];
        const auto mask = static_cast<std::uint64_t>(ones(piece.high - piece.low + 1));
        const std::uint64_t old = get(element, piece.entry) & ~(mask << piece.from);
        set(element, old | ((value >> piece.low & mask) << piece.from), piece.entry);
    }
}

std::vector<std::uint64_t> encode(const Form& form, std::span<const std::uint64_t> fields) {
    std::vector<std::uint64_t> parcels;
    for (const auto& parcel : form.encoding.parcels) parcels.push_back(parcel.value);
    for (const auto& piece : form.encoding.pieces) {
        const std::uint64_t part = fields[piece.field] >> piece.from & static_cast<std::uint64_t>(ones(piece.width));
        parcels[piece.parcel] |= part << piece.low;
    }
    return parcels;
}

std::vector<std::uint64_t> fields_of(const Form& form, std::span<const std::uint64_t> parcels) {
    std::vector<std::uint64_t> fields(form.fields.size(), 0);
    for (const auto& piece : form.encoding.pieces)
        fields[piece.field] |= (parcels[piece.parcel] >> piece.low & static_cast<std::uint64_t>(ones(piece.width)))
                               << piece.from;
    return fields;
}

namespace {

// All leaves have their places.
struct NoLeaves {
    std::uint64_t variable(Variable, Sort) { POGO_REQUIRE(false); }
    std::uint64_t select(std::uint64_t, std::uint64_t) { POGO_REQUIRE(false); }
};

}  // namespace

FieldCondition::FieldCondition(const Terms& terms, const Form& form) : reads_(form.fields.size(), false) {
    const auto first = static_cast<std::uint32_t>(form.fields.size());
    program_ =
        compile(terms, std::span(&form.encoding.where, 1), first, [&](Term term) -> std::optional<std::uint32_t> {
            const Node& node = terms.node(term);
            if (node.op != Op::variable) return std::nullopt;
            for (std::uint32_t i = 0; i < first; ++i) {
                if (form.fields[i].variable != Variable{node.a}) continue;
                reads_[i] = true;
                return i;
            }
            POGO_REQUIRE(false);
        });
    values_.resize(first + program_.steps.size());
}

bool FieldCondition::operator()(std::span<const std::uint64_t> fields) {
    std::copy(fields.begin(), fields.end(), values_.begin());
    Concrete<std::uint64_t, NoLeaves> domain;
    fold(program_, 0, program_.steps.size(), domain, values_.data());
    return values_[program_.roots[0]] != 0;
}

bool permits(const Spec& spec, const Form& form, std::span<const std::uint64_t> fields) {
    return spec.terms.is_true(form.encoding.where) || FieldCondition(spec.terms, form)(fields);
}

Decoder::Decoder(const Spec& spec) : spec_(&spec) {
    std::vector<std::uint32_t> forms(spec.forms.size());
    for (std::uint32_t i = 0; i < forms.size(); ++i) forms[i] = i;
    build(std::move(forms), 0);
}

std::uint32_t Decoder::build(std::vector<std::uint32_t> forms, std::uint64_t used) {
    const auto number = static_cast<std::uint32_t>(branches_.size());
    branches_.emplace_back();
    // The longest run of bits (at most 10) that every form here fixes and that no branch above has looked at.
    std::uint64_t common = ~used;
    for (const auto form : forms) common &= spec_->forms[form].encoding.parcels[0].mask;
    unsigned best = 0;
    unsigned best_length = 0;
    for (unsigned low = 0; low < 64; ++low) {
        unsigned length = 0;
        while (low + length < 64 && length < 10 && (common >> (low + length) & 1) != 0) ++length;
        if (length > best_length) {
            best = low;
            best_length = length;
        }
    }
    if (forms.size() <= 2 || best_length == 0) {
        branches_[number].forms = std::move(forms);
        return number;
    }
    const std::uint64_t mask = static_cast<std::uint64_t>(ones(best_length)) << best;
    std::vector<std::vector<std::uint32_t>> groups(std::size_t{1} << best_length);
    for (const auto form : forms) groups[(spec_->forms[form].encoding.parcels[0].value & mask) >> best].push_back(form);
    std::vector<std::uint32_t> children;
    children.reserve(groups.size());
    for (auto& group : groups) children.push_back(group.empty() ? 0 : build(std::move(group), used | mask));
    branches_[number].mask = mask;
    branches_[number].shift = best;
    branches_[number].children = std::move(children);
    return number;
}

std::optional<Decoded> Decoder::decode(std::span<const std::uint64_t> parcels, unsigned& wanted) const {
    wanted = 1;
    if (parcels.empty()) return std::nullopt;
    // No more than the next that could decide: what lies behind the instruction may not be there.
    const auto want = [&](std::size_t size) {
        wanted = wanted == 1 ? static_cast<unsigned>(size) : std::min(wanted, static_cast<unsigned>(size));
    };
    std::uint32_t at = 0;
    while (branches_[at].mask != 0) {
        at = branches_[at].children[(parcels[0] & branches_[at].mask) >> branches_[at].shift];
        if (at == 0) return std::nullopt;
    }
    for (const auto number : branches_[at].forms) {
        const Form& form = spec_->forms[number];
        const auto& expected = form.encoding.parcels;
        bool fits = true;
        for (std::size_t i = 0; i < std::min(expected.size(), parcels.size()); ++i)
            fits = fits && (parcels[i] & expected[i].mask) == expected[i].value;
        if (!fits) continue;
        if (parcels.size() < expected.size()) {
            want(expected.size());
            continue;
        }
        Decoded decoded{{number}, fields_of(form, parcels)};
        if (permits(*spec_, form, decoded.fields)) return decoded;
    }
    return std::nullopt;
}

}  // namespace pogo::isa
