// Proving invariants inductive.
// SPDX-License-Identifier: Apache-2.0
#include "invariants.hpp"

#include "solver.hpp"

namespace pogo::check {

using namespace isa;

namespace {

class Induction {
  public:
    Induction(const Spec& spec, const Options& options)
        : spec_(spec), terms_(spec.terms), solver_(terms_, {options.rlimit, options.seed}) {
        before_ = terms_.boolean(true);
        for (const Invariant& invariant : spec.invariants) before_ = terms_.and_(before_, invariant.holds);
    }

    std::vector<Kept> run() {
        std::vector<Kept> result;
        for (const Invariant& invariant : spec_.invariants) {
            Kept kept{invariant.name, invariant.where, Verdict::yes, {}, invariant.assumed};
            if (invariant.assumed) {
                result.push_back(std::move(kept));
                continue;
            }
            // Reset begins with zeros. Register files stay open: they have no constant.
            Substitution zeros;
            for (const Element& element : spec_.elements)
                if (!element.is_file()) zeros[terms_.variable(element.variable)] = terms_.constant(element.width, 0);
            consider(kept, "reset", spec_.reset, terms_.boolean(true), invariant, &zeros);
            const Term running = terms_.not_(terms_.or_(spec_.waiting, spec_.halted));
            for (const Form& form : spec_.forms)
                consider(kept, spec_[form.instruction].name, form.meaning, terms_.and_(running, form.encoding.where),
                         invariant);
            for (const Cause& cause : spec_.causes)
                consider(kept, "trap " + cause.name, cause.entry, terms_.boolean(true), invariant);
            for (const Interrupt& interrupt : spec_.interrupts)
                consider(kept, "interrupt " + interrupt.name, interrupt.entry, interrupt.condition, invariant);
            result.push_back(std::move(kept));
        }
        return result;
    }

  private:
    void consider(Kept& kept, const std::string& what, const Meaning& meaning, Term guard, const Invariant& invariant,
                  const Substitution* from = nullptr) {
        if (!kept.broken_by.empty() && kept.broken_by.back() == what) return;  // another form has broken it
        Substitution after;
        for (const Write& write : meaning.writes) {
            const Term element = terms_.variable(spec_[write.element].variable);
            const Term old = after.contains(element) ? after[element] : element;
            const Term now = write.index.valid() ? terms_.store(old, write.index, write.value) : write.value;
            after[element] = terms_.ite(write.guard, now, old);
        }
        Term broken = terms_.not_(terms_.substitute(invariant.holds, after));
        Term start = terms_.and_(guard, before_);
        for (const Trap& trap : meaning.traps) start = terms_.and_(start, terms_.not_(trap.guard));
        if (from != nullptr) {
            broken = terms_.substitute(broken, *from);
            start = terms_.boolean(true);  // of zeros nothing is known to hold
        }
        const Term formula = terms_.and_(start, broken);
        switch (solver_.satisfiable("invariant." + invariant.name, formula)) {
            case Verdict::no:
                return;
            case Verdict::unknown:
                if (kept.holds == Verdict::yes) kept.holds = Verdict::unknown;
                return;
            case Verdict::yes:
                kept.holds = Verdict::no;
                kept.broken_by.push_back(what);
        }
    }

    const Spec& spec_;
    Terms terms_;
    Solver solver_;
    Term before_;
};

}  // namespace

std::vector<Kept> decide_invariants(const Spec& spec, const Options& options) {
    if (spec.invariants.empty()) return {};
    return Induction(spec, options).run();
}

}  // namespace pogo::check
