// Conditions: counterexample-guided search for cubes over control elements.
// SPDX-License-Identifier: Apache-2.0
#include "condition.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pogo::check {

using isa::Term;
using isa::Word;

namespace {

/// One control element in a cube that is being generalised: the bits of it that are still said.
struct Part {
    isa::ElementId element;
    Term term;
    Word value = 0;
    Word bits = 0;
};

Term holds(isa::Terms& terms, const std::vector<Part>& parts) {
    Term result = terms.boolean(true);
    for (const Part& part : parts) {
        const unsigned width = terms.sort(part.term).width;
        if (part.bits == 0) continue;
        const Term masked = terms.apply(isa::Op::bvand, part.term, terms.constant(width, part.bits));
        result = terms.and_(result, terms.eq(masked, terms.constant(width, part.value & part.bits)));
    }
    return result;
}

Cube literals(const isa::Spec& spec, const std::vector<Part>& parts) {
    Cube cube;
    for (const Part& part : parts)
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

}  // namespace

Condition find_condition(World& world, Solver& solver, const Before& before, Term completes, Term traps,
                         unsigned max_cubes) {
    isa::Terms& terms = world.terms;
    Condition result;
    std::vector<Part> all;
    const std::array<Term, 2> both{completes, traps};
    const auto support = terms.support(both);
    for (std::uint32_t i = 0; i < world.spec.elements.size(); ++i) {
        const isa::Element& element = world.spec.elements[i];
        if (world.roles.role[i] != isa::Role::control || element.is_file()) continue;
        // Elements are the first variables of the arena, by the same numbers.
        if (std::binary_search(support.begin(), support.end(), isa::Variable{i}))
            all.push_back({{i}, before.elements[i], 0, isa::ones(element.width)});
    }
    std::vector<Term> order;
    for (const Part& part : all) order.push_back(part.term);

    Term rest = traps;
    bool unexplained = false;
    unsigned misses = 0;
    while (solver.satisfiable("condition.next", rest) == Verdict::yes) {
        if (all.empty() || misses == max_cubes) return result;
        if (result.cubes.size() == max_cubes) {
            result.limited = true;
            return result;
        }
        const auto model = solver.smallest(rest, {}, order);
        if (!model) return result;
        const auto values = solver.evaluate(*model, order);
        std::vector<Part> cube = all;
        for (std::size_t i = 0; i < cube.size(); ++i) cube[i].value = values[i];
        const auto implies_trap = [&](const std::vector<Part>& parts) {
            return solver.satisfiable("condition.cube", terms.and_(completes, holds(terms, parts))) == Verdict::no;
        };
        if (implies_trap(cube)) {
            // First whole elements, then single bits, as long as the rest implies the trap.
            for (const bool whole : {true, false})
                for (std::size_t i = cube.size(); i-- > 0;) {
                    const unsigned steps = whole ? 1 : world.spec[cube[i].element].width;
                    for (unsigned bit = steps; bit-- > 0;) {
                        const Word said = cube[i].bits;
                        const Word less = whole ? 0 : said & ~(Word{1} << bit);
                        if (less == said) continue;
                        cube[i].bits = less;
                        if (!implies_trap(cube)) cube[i].bits = said;
                    }
                }
            result.cubes.push_back(literals(world.spec, cube));
        } else {
            unexplained = true;  // this control state does not decide it
            ++misses;
        }
        rest = terms.and_(rest, terms.not_(holds(terms, cube)));
    }
    result.complete = !unexplained && solver.satisfiable("condition.next", rest) == Verdict::no;
    return result;
}

}  // namespace pogo::check
