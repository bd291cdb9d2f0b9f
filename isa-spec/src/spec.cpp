// Look-ups in a Spec, registers put together from elements, decoding and encoding.
// SPDX-License-Identifier: Apache-2.0
#include "isa/spec.hpp"

#include <algorithm>
#include <bit>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
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

namespace {

// The condition on an encoding's fields, computed by the concrete domain.
struct FieldLeaves {
    const Form* form = nullptr;
    std::span<const std::uint64_t> fields;
    std::uint64_t variable(Variable variable, Sort) const {
        for (std::size_t i = 0; i < form->fields.size(); ++i)
            if (form->fields[i].variable == variable) return fields[i];
        POGO_REQUIRE(false);
    }
    std::uint64_t select(std::uint64_t, std::uint64_t) { POGO_REQUIRE(false); }
};

}  // namespace

bool permits(const Spec& spec, const Form& form, std::span<const std::uint64_t> fields) {
    if (spec.terms.is_true(form.encoding.where)) return true;
    Concrete<std::uint64_t, FieldLeaves> domain;
    domain.form = &form;
    domain.fields = fields;
    return fold(compile(spec.terms, std::span(&form.encoding.where, 1)), domain)[0] != 0;
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
            wanted = std::max(wanted, static_cast<unsigned>(expected.size()));
            continue;
        }
        Decoded decoded{{number}, std::vector<std::uint64_t>(form.fields.size(), 0)};
        for (const auto& piece : form.encoding.pieces)
            decoded.fields[piece.field] |=
                (parcels[piece.parcel] >> piece.low & static_cast<std::uint64_t>(ones(piece.width))) << piece.from;
        if (permits(*spec_, form, decoded.fields)) return decoded;
    }
    return std::nullopt;
}

}  // namespace pogo::isa
