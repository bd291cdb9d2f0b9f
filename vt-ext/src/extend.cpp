// Applying a VT extension.
// SPDX-License-Identifier: Apache-2.0
#include "vt/extend.hpp"

#include <algorithm>

#include "isa/require.hpp"

namespace pogo::vt {

using namespace isa;

namespace {

bool is_privileged(const Spec& spec, const Instruction& row) {
    for (std::uint32_t i = 0; i < row.form_count; ++i)
        for (const Trap& trap : spec.forms[row.first_form + i].meaning.traps)
            if (spec[trap.cause].kind == TrapKind::privilege) return true;
    return false;
}

class Extender {
  public:
    explicit Extender(const Spec& spec) : spec_(spec), extension_(*spec.extension) {}

    Spec run() {
        const std::size_t own = spec_.permissions.size();
        for (const ExitRule& rule : extension_.rules) tabulate(rule);
        for (std::size_t i = own; i < spec_.permissions.size(); ++i)
            for (const InstructionId id : spec_.permissions[i].instructions)
                add_exit(spec_[id], extension_.rules[i - own]);
        if (extension_.second) {
            for (Form& form : spec_.forms) second_level(form.meaning);
            for (std::uint32_t i = 0; i < extension_.first_cause; ++i) second_level(spec_.causes[i].entry);
            for (std::uint32_t i = 0; i < extension_.first_interrupt; ++i) second_level(spec_.interrupts[i].entry);
            second_level(spec_.translation);
        }
        wake_halted();
        redirect_interrupts();
        spec_.name += "+" + extension_.name;
        spec_.extension.reset();
        return std::move(spec_);
    }

  private:
    Terms& terms() { return spec_.terms; }

    Term reason(unsigned number) {
        const Variable parameter = spec_[extension_.exit].parameters.at(0);
        return terms().constant(terms().sort(parameter).width, number);
    }

    // The rule as a permission: what leaves, in which modes, and when.
    void tabulate(const ExitRule& rule) {
        const bool named = rule.select == ExitRule::Select::instruction;
        Permission permission{named ? "exits on instruction" : "exits on privileged", {}, {}, rule.where};
        for (std::uint32_t i = 0; i < spec_.instructions.size(); ++i)
            if (named ? rule.instruction.index == i : is_privileged(spec_, spec_.instructions[i]))
                permission.instructions.push_back({i});
        for (std::uint32_t i = 0; i < spec_.modes.size(); ++i) {
            Substitution in_mode;
            for (const Mode::Part& part : spec_.modes[i].cube)
                in_mode.emplace(terms().variable(spec_[part.element].variable),
                                terms().constant(spec_[part.element].width, part.value));
            bool leaves = true;
            std::string condition;
            const auto also = [&](Term term, const std::string& text) {
                const Term here = terms().substitute(term, in_mode);
                leaves = leaves && !terms().is_false(here);
                if (terms().is_true(here)) return;
                const bool loose = text.find("||") != std::string::npos || text.find("if ") != std::string::npos;
                condition += (condition.empty() ? "" : " && ") + (loose ? "(" + text + ")" : text);
            };
            also(extension_.active, extension_.active_text);
            if (!named) also(extension_.supervisor, extension_.supervisor_text);
            also(rule.when, rule.condition);
            if (leaves) permission.lines.push_back({{i}, condition, extension_.exit});
            if (!leaves || !condition.empty()) permission.lines.push_back({{i}, "", {}});
        }
        spec_.permissions.push_back(std::move(permission));
    }

    // The exit comes right after the instruction's own privilege traps, so that those still go to the guest.
    void add_exit(const Instruction& row, const ExitRule& rule) {
        Term guard = terms().and_(extension_.active, rule.when);
        if (rule.select == ExitRule::Select::privileged) guard = terms().and_(guard, extension_.supervisor);
        for (std::uint32_t i = 0; i < row.form_count; ++i) {
            auto& traps = spec_.forms[row.first_form + i].meaning.traps;
            const auto last = std::find_if(traps.rbegin(), traps.rend(), [&](const Trap& trap) {
                return spec_[trap.cause].kind == TrapKind::privilege || trap.cause == extension_.exit;
            });
            const unsigned loads = last == traps.rend() ? 0 : last->loads_before;
            const auto number = static_cast<unsigned>(&row - spec_.instructions.data());
            traps.insert(last.base(), Trap{extension_.exit, guard, {reason(number)}, loads, rule.where});
        }
    }

    struct Level {
        Term physical;
        std::vector<Trap> faults;
    };
    Level apply(Term guest, Term access, Term units, Term guard) {
        const Translation& second = *extension_.second;
        Substitution with{{terms().variable(second.address), guest},
                          {terms().variable(second.access), access},
                          {terms().variable(second.units), units}};
        Substitution memo;
        const auto put = [&](Term term) { return terms().substitute(term, with, memo); };
        Level level{terms().ite(extension_.active, put(second.physical), guest), second.faults};
        for (Trap& fault : level.faults) {
            fault.guard = terms().and_(terms().and_(guard, extension_.active), put(fault.guard));
            for (Term& argument : fault.arguments) argument = put(argument);
        }
        return level;
    }
    Term access_term(unsigned access) {
        return terms().constant(terms().sort(extension_.second->access).width, access);
    }

    void second_level(Meaning& meaning) {
        for (unsigned k = 0; k < meaning.loads.size(); ++k) {
            Load& load = meaning.loads[k];
            if (load.translated.valid()) continue;  // its translation has the second level within
            Level level = apply(load.physical, access_term(load.access), terms().constant(8, load.units), load.guard);
            load.physical = level.physical;
            const auto at = std::find_if(meaning.traps.begin(), meaning.traps.end(),
                                         [&](const Trap& trap) { return trap.loads_before > k; });
            for (Trap& fault : level.faults) fault.loads_before = k;
            meaning.traps.insert(at, level.faults.begin(), level.faults.end());
        }
        for (Store& store : meaning.stores) {
            if (store.translated.valid()) continue;
            Level level =
                apply(store.physical, access_term(store.access), terms().constant(8, store.units), store.guard);
            store.physical = level.physical;
            for (Trap& fault : level.faults) {
                fault.loads_before = static_cast<unsigned>(meaning.loads.size());
                meaning.traps.push_back(fault);
            }
        }
    }
    // The addresses that a translation loads from are the guest's, too.
    void second_level(Translation& first) {
        Meaning walk;
        walk.loads = std::move(first.loads);
        walk.traps = std::move(first.faults);
        second_level(walk);
        first.loads = std::move(walk.loads);
        first.faults = std::move(walk.traps);
        Level level =
            apply(first.physical, terms().variable(first.access), terms().variable(first.units), terms().boolean(true));
        first.physical = level.physical;
        for (Trap& fault : level.faults) fault.loads_before = static_cast<unsigned>(first.loads.size());
        first.faults.insert(first.faults.end(), level.faults.begin(), level.faults.end());
        std::vector<Term> roots{first.physical};
        for (const Load& load : first.loads) roots.insert(roots.end(), {load.guard, load.physical});
        for (const Trap& fault : first.faults) {
            roots.push_back(fault.guard);
            roots.insert(roots.end(), fault.arguments.begin(), fault.arguments.end());
        }
        const auto support = terms().support(roots);
        first.reads.clear();
        for (std::uint32_t i = 0; i < spec_.elements.size(); ++i)
            if (std::binary_search(support.begin(), support.end(), spec_.elements[i].variable))
                first.reads.push_back({i});
    }

    // An interrupt that belongs to real mode is two: in the virtual state it leaves, elsewhere it is what it was.
    void redirect_interrupts() {
        std::vector<Interrupt> list;
        std::vector<std::uint32_t> number;  // by the old one
        for (std::uint32_t i = 0; i < spec_.interrupts.size(); ++i) {
            Interrupt own = spec_.interrupts[i];
            const auto& named = extension_.interrupts;
            if (std::find(named.begin(), named.end(), i) != named.end()) {
                Interrupt leaving = own;
                leaving.name += "_exit";
                leaving.condition = terms().and_(own.condition, extension_.active);
                leaving.entry = exit_entry(interrupt_reason + i);
                list.push_back(std::move(leaving));
                own.condition = terms().and_(own.condition, terms().not_(extension_.active));
            }
            number.push_back(static_cast<std::uint32_t>(list.size()));
            list.push_back(std::move(own));
        }
        spec_.interrupts = std::move(list);
        for (VmMap& map : spec_.vm_maps)
            for (auto& [real, machine] : map.interrupts) real = number[real], machine = number[machine];
    }

    // The policy's own interrupts come even to a processor that has halted: the guest's, not the machine's.
    void wake_halted() {
        if (!spec_.halted.valid()) return;
        for (std::size_t i = extension_.first_interrupt; i < spec_.interrupts.size(); ++i)
            spec_.halted = terms().and_(spec_.halted, terms().not_(spec_.interrupts[i].condition));
    }

    // The entry of the exit trap for a fixed reason.
    Meaning exit_entry(unsigned number) {
        const Cause& cause = spec_[extension_.exit];
        const Substitution with{{terms().variable(cause.parameters.at(0)), reason(number)},
                                {terms().variable(spec_.next_pc), terms().variable(spec_[spec_.pc].variable)}};
        Substitution memo;
        const auto put = [&](Term& term) {
            if (term.valid()) term = terms().substitute(term, with, memo);
        };
        Meaning entry = cause.entry;
        for (Load& load : entry.loads) put(load.guard), put(load.address), put(load.physical);
        for (Store& store : entry.stores) put(store.guard), put(store.address), put(store.physical), put(store.data);
        for (Write& write : entry.writes) put(write.index), put(write.value), put(write.guard);
        for (Fence& fence : entry.fences) {
            put(fence.guard);
            for (Fence::Match& match : fence.matches) put(match.value), put(match.when);
        }
        for (Trap& trap : entry.traps) {
            put(trap.guard);
            for (Term& argument : trap.arguments) put(argument);
        }
        return entry;
    }

    Spec spec_;
    Extension extension_;
};

}  // namespace

Spec extend(const Spec& spec) {
    POGO_REQUIRE(spec.extension.has_value());
    return Extender(spec).run();
}

}  // namespace pogo::vt
