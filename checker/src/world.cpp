// The states a row's queries speak of.
// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>

#include "condition.hpp"
#include "isa/require.hpp"

namespace pogo::check {

using isa::ElementId;
using isa::Role;
using isa::Sort;
using isa::Term;

Roles::Roles(const isa::Spec& spec, const isa::Context& context) : selects(spec.elements.size()) {
    const auto kind = [](Role r) {
        switch (r) {
            case Role::mode:
                return Kind::mode;
            case Role::relocation:
                return Kind::location;
            case Role::time:
                return Kind::time;
            case Role::control:
            case Role::io:
            case Role::data:
            case Role::memory:
            case Role::pc:
                return Kind::configuration;
        }
        POGO_REQUIRE(false);
    };
    const auto counts = [](Role r) {
        return r == Role::relocation || r == Role::control || r == Role::io || r == Role::time;
    };
    Item mode;
    mode.subject = {"mode", Role::mode, {}};
    for (std::uint32_t i = 0; i < spec.elements.size(); ++i) {
        const isa::Element& element = spec.elements[i];
        const bool guest = std::find(context.guest.begin(), context.guest.end(), ElementId{i}) != context.guest.end();
        role.push_back(guest ? Role::data : element.input && element.role != Role::time ? Role::io : element.role);
        if (role.back() == Role::mode) mode.elements.push_back({i});
        if (counts(role.back())) items.push_back({{element.name, role.back(), {i}}, kind(role.back()), {{i}}, {}});
    }
    for (std::uint32_t i = 0; i < spec.regions.size(); ++i) {
        const isa::Region& region = spec.regions[i];
        if (counts(region.role)) items.push_back({{region.name, region.role, {}}, kind(region.role), {}, i});
    }
    std::stable_partition(items.begin(), items.end(), [](const Item& item) { return item.strict(); });
    if (!mode.elements.empty()) items.insert(items.begin(), mode);

    for (const auto& bank : spec.banks)
        for (const auto& member : bank.members) POGO_REQUIRE(!spec[member.element].is_file());
    for (const auto& bank : spec.banks) {
        std::vector<ElementId> concerned;
        for (const auto& member : bank.members) concerned.push_back(member.element);
        std::vector<ElementId> read;
        for (const auto variable : spec.terms.support(std::span(&bank.selector, 1)))
            for (std::uint32_t i = 0; i < spec.elements.size(); ++i)
                if (spec.elements[i].variable == variable) read.push_back({i});
        concerned.insert(concerned.end(), read.begin(), read.end());
        for (const ElementId e : read)
            selects[e.index].insert(selects[e.index].end(), concerned.begin(), concerned.end());
    }
}

World::World(const isa::Spec& s, const Options& options, const isa::Context& context, const Roles& r)
    : own_(std::make_unique<isa::Terms>(options.rewrite)),
      spec(s),
      roles(r),
      terms(*own_),
      scratch_(s.terms, terms),
      options_(&options),
      context_(&context) {
    for (const auto& element : spec.elements) (void)terms.declare(element.name, spec.terms.sort(element.variable));
    view = terms.declare("memory", Sort::array(spec.address_width, spec.unit_bits));
    special = terms.declare("memory of special accesses", Sort::array(spec.address_width, spec.unit_bits));
    physical = terms.declare("physical memory", Sort::array(spec.physical_width, spec.unit_bits));
}

World::World(const isa::Spec& s, const Options& options, const isa::Context& context, const Roles& r,
             const World& beside)
    : spec(s),
      roles(r),
      terms(beside.terms),
      view(beside.view),
      special(beside.special),
      physical(beside.physical),
      scratch_(s.terms, terms),
      options_(&options),
      context_(&context) {}

Before World::supervisor() {
    Before state{{}, {}, terms.variable(physical), Instance(spec.terms, terms), {}};
    // Elements were declared first, in order: their numbers are those of their variables.
    for (std::uint32_t i = 0; i < spec.elements.size(); ++i) state.elements.push_back(terms.variable({i}));
    for (const auto& part : spec[context_->supervisor].cube)
        state.elements[part.element.index] = terms.constant(spec[part.element].width, part.value);
    // An element of the guest's is data: where the two modes of the context disagree about it, neither counts.
    for (const auto& part : spec[context_->supervisor].cube)
        for (const auto& other : spec[context_->user].cube)
            if (other.element == part.element && other.value != part.value &&
                roles.role[part.element.index] != Role::mode)
                state.elements[part.element.index] = terms.variable({part.element.index});
    state.regions.assign(spec.regions.size(), terms.variable(physical));
    finish(state);
    return state;
}

Before World::vary(const Before& first, bool user, std::span<const Item* const> items) {
    Before state{first.elements, first.regions, first.physical, Instance(spec.terms, terms), {}};
    if (user)
        for (const auto& part : spec[context_->user].cube)
            if (roles.role[part.element.index] == Role::mode)
                state.elements[part.element.index] = terms.constant(spec[part.element].width, part.value);
    const auto fresh = [&](const std::string& name, Term like) {
        return terms.variable(terms.declare(name + "'" + std::to_string(terms.variable_count()), terms.sort(like)));
    };
    std::vector<bool> differs(spec.elements.size(), false);
    for (const Item* item : items) {
        if (item->kind == Kind::mode) continue;
        for (const ElementId e : item->elements) {
            differs[e.index] = true;
            state.elements[e.index] = fresh(spec[e].name, first.elements[e.index]);
        }
        if (item->region) state.regions[*item->region] = fresh(item->subject.name, first.regions[*item->region]);
    }
    auto swapped = swap_banks(first.elements, first.elements, state.elements);
    for (const auto& bank : spec.banks)
        for (const auto& member : bank.members)
            if (!differs[member.element.index]) state.elements[member.element.index] = swapped[member.element.index];
    finish(state);
    return state;
}

Term World::selector(const isa::Bank& bank, std::span<const Term> elements) {
    scratch_.forget();
    for (const isa::Variable variable : spec.terms.support(std::span(&bank.selector, 1)))
        for (std::size_t i = 0; i < elements.size(); ++i)
            if (spec.elements[i].variable == variable) scratch_.bind(variable, elements[i]);
    return scratch_(bank.selector);
}

namespace {

std::vector<ElementId> members_of(const isa::Bank& bank) {
    std::vector<ElementId> members;
    for (const auto& member : bank.members)
        if (std::find(members.begin(), members.end(), member.element) == members.end())
            members.push_back(member.element);
    return members;
}

}  // namespace

Term World::is_active(const isa::Bank& bank, Term selector, ElementId element) {
    Term result = terms.boolean(false);
    for (const auto& member : bank.members) {
        if (member.element != element) continue;
        const unsigned width = terms.sort(selector).width;
        const Term value =
            terms.sort(selector).is_bool() ? terms.boolean(member.value != 0) : terms.constant(width, member.value);
        result = terms.or_(result, terms.eq(selector, value));
    }
    return result;
}

Term World::active_value(const isa::Bank& bank, Term selector, std::span<const Term> elements) {
    const std::vector<ElementId> members = members_of(bank);
    Term result = elements[members.back().index];
    for (std::size_t i = members.size() - 1; i-- > 0;)
        result = terms.ite(is_active(bank, selector, members[i]), elements[members[i].index], result);
    return result;
}

Before World::state(std::vector<Term> elements, bool real) { return state(std::move(elements), real, physical); }

Before World::state(std::vector<Term> elements, bool real, isa::Variable memory) {
    Before state{std::move(elements), {}, terms.variable(memory), Instance(spec.terms, terms), {}};
    state.regions.assign(spec.regions.size(), state.physical);
    finish(state, real);
    return state;
}

Before World::narrowed(const Before& state, const isa::Substitution& with) {
    Before result = state;
    for (Term& element : result.elements) element = terms.substitute(element, with);
    result.holds = terms.substitute(state.holds, with);
    result.instance = Instance(spec.terms, terms);
    for (std::size_t i = 0; i < spec.elements.size(); ++i)
        result.instance.bind(spec.elements[i].variable, result.elements[i]);
    return result;
}

std::vector<Term> World::swap_banks(std::vector<Term> values, std::span<const Term> first,
                                    std::span<const Term> second) {
    for (const auto& bank : spec.banks) {
        const Term one = selector(bank, first);
        const Term two = selector(bank, second);
        if (one == two) continue;
        const std::vector<ElementId> members = members_of(bank);
        const auto active = [&](Term by, ElementId element) { return is_active(bank, by, element); };
        Term has_one = terms.boolean(false);
        Term has_two = terms.boolean(false);
        for (const ElementId e : members) {
            has_one = terms.or_(has_one, active(one, e));
            has_two = terms.or_(has_two, active(two, e));
        }
        const Term both = terms.and_(has_one, has_two);
        const Term of_one = active_value(bank, one, values);
        const Term of_two = active_value(bank, two, values);
        std::vector<std::pair<ElementId, Term>> moved;
        for (const ElementId e : members) {
            const Term inner = terms.ite(active(one, e), of_two, values[e.index]);
            moved.emplace_back(e, terms.ite(both, terms.ite(active(two, e), of_one, inner), values[e.index]));
        }
        for (const auto& [e, term] : moved) values[e.index] = term;
    }
    return values;
}

void World::leave_out_banked(std::vector<bool>& compared, std::span<const Term> first, std::span<const Term> second) {
    for (const auto& bank : spec.banks) {
        const bool all = std::all_of(bank.members.begin(), bank.members.end(),
                                     [&](const auto& member) { return compared[member.element.index]; });
        if (all || selector(bank, first) == selector(bank, second)) continue;
        for (const auto& member : bank.members) compared[member.element.index] = false;
    }
}

void World::finish(Before& state, bool assume) {
    for (std::size_t i = 0; i < spec.elements.size(); ++i)
        state.instance.bind(spec.elements[i].variable, state.elements[i]);
    Term holds = terms.boolean(true);
    for (const auto& invariant : spec.invariants) holds = terms.and_(holds, state.instance(invariant.holds));
    if (assume)
        for (const auto& [element, value, bits] : options_->assumptions) {
            const isa::Element& info = spec[element];
            POGO_REQUIRE(!info.is_file());
            const Said said{element, state.elements[element.index], value, bits & isa::ones(info.width)};
            holds = terms.and_(holds, check::holds(terms, {said}));
        }
    if (spec.waiting.valid()) holds = terms.and_(holds, terms.not_(state.instance(spec.waiting)));
    if (spec.halted.valid()) holds = terms.and_(holds, terms.not_(state.instance(spec.halted)));
    state.holds = holds;
}

}  // namespace pogo::check
