// Lining up terms as programs.
// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>

#include "isa/fold.hpp"

namespace pogo::isa {

Program compile(const Terms& terms, std::span<const Term> roots) {
    return compile(terms, roots, 0, [](Term) { return std::nullopt; });
}

Program compile(const Terms& terms, std::span<const Term> roots, std::uint32_t first, const Placement& placement) {
    Program program;
    program.first = first;
    std::unordered_map<Term, std::uint32_t> position;
    std::vector<std::pair<Term, bool>> stack;
    for (const Term root : roots) {
        stack.emplace_back(root, false);
        while (!stack.empty()) {
            const auto [term, ready] = stack.back();
            stack.pop_back();
            if (position.contains(term)) continue;
            const Node& n = terms.node(term);
            const unsigned count = arity(n.op);
            if (count == 0 || n.op == Op::select) {
                if (const auto place = placement(term)) {
                    position.emplace(term, *place);
                    continue;
                }
            }
            if (!ready && count > 0) {
                stack.emplace_back(term, true);
                const auto operands = terms.operands(term);
                for (auto it = operands.rbegin(); it != operands.rend(); ++it)
                    if (!position.contains(*it)) stack.emplace_back(*it, false);
                continue;
            }
            Program::Step step{n.op, n.sort, 0, 0, n.a, n.b, n.c};
            if (n.op == Op::constant) {
                step.a = static_cast<std::uint32_t>(program.values.size());
                program.values.push_back(terms.value(term));
            }
            if (count > 0) {
                step.width = terms.node({n.a}).sort.width;
                step.a = position.at({n.a});
            }
            if (count > 1) {
                step.width2 = terms.node({n.b}).sort.width;
                step.b = position.at({n.b});
            }
            if (count > 2) step.c = position.at({n.c});
            position.emplace(term, first + static_cast<std::uint32_t>(program.steps.size()));
            program.steps.push_back(step);
        }
        program.roots.push_back(position.at(root));
    }
    return program;
}

}  // namespace pogo::isa
