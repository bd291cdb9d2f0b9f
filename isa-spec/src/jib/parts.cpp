// Values as parts, and back.
// SPDX-License-Identifier: Apache-2.0
#include "jib/parts.hpp"

namespace pogo::isa::jib {

bool Parts::bounded(const Type& type, unsigned depth) const {
    switch (type.kind) {
        case Type::Kind::unit:
        case Type::Kind::bits:
        case Type::Kind::boolean:
        case Type::Kind::enumeration:
            return true;
        case Type::Kind::union_:
            return depth < 4 && model_.unions.contains(type.name);
        case Type::Kind::integer:
        case Type::Kind::string:
        case Type::Kind::real:
        case Type::Kind::structure:
        case Type::Kind::vector:
        case Type::Kind::reference:
            return false;
    }
    return false;
}

void Parts::take(const Type& type, const Value* value, std::vector<Term>& into, unsigned depth) const {
    Values& values = executor_.values;
    Terms& terms = values.terms;
    if (!bounded(type, depth)) throw Stuck{"a trap tells something without bounds"};
    if (value != nullptr && !value->set()) value = nullptr;
    if (type.kind == Type::Kind::bits) {
        const unsigned width = type.width.value_or(64);
        if (width == 0) return;
        Term term = value != nullptr ? values.want_bits(*value) : terms.constant(width, 0);
        const unsigned has = terms.sort(term).width;
        into.push_back(has >= width ? terms.extract(term, width - 1, 0) : terms.zero_extend(term, width));
    } else if (type.kind == Type::Kind::boolean) {
        into.push_back(value != nullptr ? terms.to_bits(values.want_boolean(*value)) : terms.constant(1, 0));
    } else if (type.kind == Type::Kind::enumeration) {
        into.push_back(value != nullptr ? value->term : terms.constant(executor_.width_of(type.name), 0));
    } else if (type.kind == Type::Kind::union_) {
        const Composite& constructors = model_.unions.at(type.name);
        if (value != nullptr && value->kind == Value::Kind::union_)
            for (const Name name : value->more->names)
                if (!constructors.find(name)) throw Stuck{"a trap tells a constructor of another union"};
        for (const auto& member : constructors.members) {
            const Value* payload = nullptr;
            Term guard = terms.boolean(false);
            if (value != nullptr && value->kind == Value::Kind::union_)
                for (std::size_t i = 0; i < value->more->names.size(); ++i)
                    if (value->more->names[i] == member.name) {
                        payload = &value->more->members[i];
                        guard = value->more->guards[i];
                    }
            into.push_back(terms.to_bits(guard));
            // What never occurs may be anything.
            if (payload != nullptr || bounded(member.type, depth + 1)) take(member.type, payload, into, depth + 1);
        }
    }
}

Value Parts::put(const Type& type, std::span<const Term> parts, std::size_t& at, unsigned depth) const {
    Terms& terms = executor_.values.terms;
    if (!bounded(type, depth)) return Value::unit();
    if (type.kind == Type::Kind::bits)
        return type.width && *type.width == 0 ? Value::empty_bits() : Value::bits(parts[at++]);
    if (type.kind == Type::Kind::boolean) return Value::boolean(terms.to_bool(parts[at++]));
    if (type.kind == Type::Kind::enumeration) return Value::enumerator(parts[at++]);
    if (type.kind != Type::Kind::union_) return Value::unit();
    Compound made;
    for (const auto& member : model_.unions.at(type.name).members) {
        const Term guard = terms.to_bool(parts[at++]);
        Value payload = put(member.type, parts, at, depth + 1);
        if (terms.is_false(guard)) continue;
        made.names.push_back(member.name);
        made.guards.push_back(guard);
        made.members.push_back(std::move(payload));
    }
    return Value::made(Value::Kind::union_, std::move(made));
}

}  // namespace pogo::isa::jib
