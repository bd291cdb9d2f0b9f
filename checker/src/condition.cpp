// Conditions: counterexample-guided search for cubes over control elements.
// SPDX-License-Identifier: Apache-2.0
#include "condition.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pogo::check {

using isa::Term;
using isa::Word;

Term holds(isa::Terms& terms, const std::vector<Said>& cube) {
    Term result = terms.boolean(true);
    for (const Said& part : cube) {
        const unsigned width = terms.sort(part.term).width;
        if (part.bits == 0) continue;
        const Term masked = terms.apply(isa::Op::bvand, part.term, terms.constant(width, part.bits));
        result = terms.and_(result, terms.eq(masked, terms.constant(width, part.value & part.bits)));
    }
    return result;
}

void generalise(std::vector<Said>& cube, const std::function<bool(const std::vector<Said>&)>& good) {
    for (const bool whole : {true, false})
        for (std::size_t i = cube.size(); i-- > 0;)
            for (unsigned bit = whole ? 1 : isa::max_width; bit-- > 0;) {
                const Word said = cube[i].bits;
                cube[i].bits = whole ? 0 : said & ~(Word{1} << bit);
                if (cube[i].bits != said && !good(cube)) cube[i].bits = said;
            }
}

Cube literals(const isa::Spec& spec, const std::vector<Said>& parts) {
    Cube cube;
    for (const Said& part : parts)
        for (unsigned high = spec[part.element].width; high-- > 0;) {
            if ((part.bits >> high & 1) == 0) continue;
            unsigned low = high;
            while (low > 0 && (part.bits >> (low - 1) & 1) != 0) --low;
            cube.push_back({part.element, high, low, part.value >> low & isa::ones(high - low + 1)});
            high = low;
            if (low == 0) break;
        }
    return cube;
}

Condition find_condition(World& world, Solver& solver, const Before& before, std::span<const isa::ElementId> elements,
                         std::span<const Term> completes, std::span<const Term> traps, unsigned max_cubes) {
    isa::Terms& terms = world.terms;
    Condition result;
    std::vector<Said> all;
    for (const isa::ElementId id : elements) {
        const isa::Element& element = world.spec[id];
        if (world.roles.role[id.index] == isa::Role::control && !element.is_file())
            all.push_back({id, before.elements[id.index], 0, isa::ones(element.width)});
    }
    if (all.empty()) return result;
    std::vector<Term> order;
    order.reserve(all.size());
    for (const Said& part : all) order.push_back(part.term);
    const auto implies_trap = [&](const std::vector<Said>& parts) {
        const Term here = holds(terms, parts);
        return std::all_of(completes.begin(), completes.end(), [&](Term goal) {
            return solver.satisfiable("condition.cube", terms.and_(goal, here)) == Verdict::no;
        });
    };

    Term uncovered = terms.boolean(true);
    unsigned misses = 0;
    Verdict left = Verdict::no;  // there is a state in `traps` that no cube covers
    for (const Term goal : traps)
        for (;;) {
            const Term rest = terms.and_(goal, uncovered);
            const Verdict more = solver.satisfiable("condition.next", rest);
            if (more == Verdict::unknown) left = more;
            if (more != Verdict::yes) break;
            result.limited = result.cubes.size() == max_cubes;
            if (result.limited || misses == max_cubes) return result;
            const auto values = solver.smallest_values(rest, order);
            if (!values) return result;
            std::vector<Said> cube = all;
            for (std::size_t i = 0; i < cube.size(); ++i) cube[i].value = (*values)[i];
            if (implies_trap(cube)) {
                generalise(cube, implies_trap);
                result.cubes.push_back(literals(world.spec, cube));
            } else {
                ++misses;  // this control state does not decide it
            }
            uncovered = terms.and_(uncovered, terms.not_(holds(terms, cube)));
        }
    result.complete = misses == 0 && left == Verdict::no;
    return result;
}

}  // namespace pogo::check
