// Instances: rebuilding terms.
// SPDX-License-Identifier: Apache-2.0
#include "instance.hpp"

#include <array>

#include "isa/require.hpp"

namespace pogo::check {

using isa::Op;
using isa::Term;

Term Instance::operator()(Term root) {
    const auto known = [&](Term term) -> Term {
        const isa::Node& node = from_->node(term);
        if (node.op == Op::variable) {
            POGO_REQUIRE(leaves_[node.a].valid());
            return leaves_[node.a];
        }
        const auto it = memo_.find(term);
        return it == memo_.end() ? Term{} : it->second;
    };
    std::vector<Term> stack{root};
    while (!stack.empty()) {
        const Term term = stack.back();
        if (known(term).valid()) {
            stack.pop_back();
            continue;
        }
        const isa::Node& n = from_->node(term);
        const unsigned count = isa::arity(n.op);
        const std::array<Term, 3> old{Term{n.a}, Term{n.b}, Term{n.c}};
        std::array<Term, 3> with;
        bool ready = true;
        for (unsigned i = 0; i < count; ++i) {
            with[i] = known(old[i]);
            if (with[i].valid()) continue;
            ready = false;
            stack.push_back(old[i]);
        }
        if (!ready) continue;
        Term result;
        switch (isa::shape(n.op)) {
            case isa::Shape::leaf:
                result = n.sort.is_bool() ? to_->boolean(from_->value(term) != 0)
                                          : to_->constant(n.sort.width, from_->value(term));
                break;
            case isa::Shape::part:
                result = to_->extract(with[0], n.b, n.c);
                break;
            case isa::Shape::widen:
                result = n.op == Op::zero_extend ? to_->zero_extend(with[0], n.sort.width)
                                                 : to_->sign_extend(with[0], n.sort.width);
                break;
            case isa::Shape::unary_bool:
            case isa::Shape::unary_bits:
                result = to_->apply(n.op, with[0]);
                break;
            case isa::Shape::binary_bool:
            case isa::Shape::equality:
            case isa::Shape::binary_bits:
            case isa::Shape::compare_bits:
            case isa::Shape::join:
            case isa::Shape::array_read:
                result = to_->apply(n.op, with[0], with[1]);
                break;
            case isa::Shape::choice:
            case isa::Shape::array_write:
                result = to_->apply(n.op, with[0], with[1], with[2]);
                break;
        }
        memo_.emplace(term, result);
        stack.pop_back();
    }
    return known(root);
}

}  // namespace pogo::check
