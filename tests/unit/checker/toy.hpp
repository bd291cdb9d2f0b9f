// A builder for machines small enough that every verdict can be derived by hand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "check/check.hpp"
#include "isa/spec.hpp"

namespace pogo::check::toy {

using isa::CauseId;
using isa::ElementId;
using isa::Op;
using isa::Role;
using isa::Term;

/// A big-endian byte machine: pc(8), S (1 bit, mode), base and bound (8 bits, relocation), a file r of four bytes.
/// Instructions are one byte: the opcode in the high nibble counts up, the low nibble is the field `n`.
/// With `relocated`, address a goes to base + a and traps Bounds unless a < bound; else addresses are physical.
class Machine {
  public:
    explicit Machine(bool relocated);

    isa::Spec spec;
    ElementId pc, s, base, bound, r;
    CauseId bounds, privilege, call;

    ElementId element(const std::string& name, unsigned width, Role role);
    void invariant(Term holds);
    /// The bank `name` with the members for S = 0 and S = 1.
    void bank(const std::string& name, ElementId user, ElementId supervisor);

    [[nodiscard]] Term get(ElementId id) { return spec.terms.variable(spec[id].variable); }
    [[nodiscard]] Term constant(unsigned width, isa::Word value) { return spec.terms.constant(width, value); }
    [[nodiscard]] Term is(ElementId id, isa::Word value) {
        return spec.terms.eq(get(id), constant(spec[id].width, value));
    }
    [[nodiscard]] Term reg(unsigned number) { return spec.terms.select(get(r), constant(2, number)); }

    /// A form under construction.
    struct Draft {
        Machine& machine;
        isa::Form form;
        void trap(CauseId cause, Term guard);
        void set(ElementId element, Term value);
        void set_reg(unsigned number, Term value);
        Term field();
        Term choice(unsigned width);
        Term load(Term address);
        void store(Term address, Term data);
        Term load_direct(Term address);
        void store_direct(Term address, Term data);
    };
    /// Adds an instruction of one form for each body; every form moves pc on by one.
    isa::InstructionId instruction(const std::string& name, const std::vector<std::function<void(Draft&)>>& bodies);
    isa::InstructionId instruction(const std::string& name, const std::function<void(Draft&)>& body) {
        return instruction(name, std::vector{body});
    }

  private:
    Term translated(Term address);
    bool relocated_;
    unsigned opcode_ = 0;
};

/// The row of an instruction by name.
[[nodiscard]] const Row& row(const isa::Spec& spec, const Findings& findings, std::string_view name);

/// Everything in the findings but the time they took, as text.
[[nodiscard]] std::string text(const isa::Spec& spec, const Findings& findings);

/// One instruction of each kind that the definitions tell apart. See classes_test.cpp for what is known of them.
[[nodiscard]] Machine zoo();

}  // namespace pogo::check::toy
