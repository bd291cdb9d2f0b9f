// A builder for machines small enough that every verdict can be derived by hand.
// SPDX-License-Identifier: Apache-2.0
#include "toy.hpp"

#include <fmt/format.h>

#include "isa/require.hpp"

namespace pogo::check::toy {

using isa::Sort;

Machine::Machine(bool relocated) : relocated_(relocated) {
    spec.name = "toy";
    spec.big_endian = true;
    spec.address_width = 8;
    spec.physical_width = 8;
    spec.parcel_units = 1;
    for (const auto& [name, kind] :
         {std::pair{"Bounds", isa::TrapKind::memory}, std::pair{"Privilege", isa::TrapKind::privilege},
          std::pair{"Call", isa::TrapKind::call}}) {
        isa::Cause cause;
        cause.name = name;
        cause.kind = kind;
        spec.causes.push_back(cause);
    }
    bounds = {0};
    privilege = {1};
    call = {2};
    pc = element("pc", 8, Role::pc);
    s = element("S", 1, Role::mode);
    base = element("base", 8, relocated ? Role::relocation : Role::data);
    bound = element("bound", 8, relocated ? Role::relocation : Role::data);
    spec.pc = pc;
    r = {static_cast<std::uint32_t>(spec.elements.size())};
    spec.elements.push_back(
        {"r", 8, 4, Role::data, spec.terms.declare("r", Sort::array(2, 8)), 2, spec.slots, false, {}});
    spec.slots += 4;
    spec.modes = {{"supervisor", {{s, 1}}, {}}, {"user", {{s, 0}}, {}}};
    spec.contexts = {{"toy", {0}, {1}, {}, {}}};
    spec.waiting = spec.halted = spec.terms.boolean(false);
    isa::Translation& t = spec.translation;
    t.address = spec.terms.declare("translate.address", Sort::bits(8));
    t.access = spec.terms.declare("translate.access", Sort::bits(2));
    t.units = spec.terms.declare("translate.units", Sort::bits(8));
    const Term address = spec.terms.variable(t.address);
    t.physical = translated(address);
    if (relocated_) {
        const Term inside = spec.terms.apply(Op::bvult, address, get(bound));
        t.faults.push_back({bounds, spec.terms.not_(inside), {}, 0, {}});
    }
}

Term Machine::translated(Term address) {
    return relocated_ ? spec.terms.apply(Op::bvadd, address, get(base)) : address;
}

ElementId Machine::element(const std::string& name, unsigned width, Role role) {
    const ElementId id{static_cast<std::uint32_t>(spec.elements.size())};
    spec.elements.push_back(
        {name, width, 1, role, spec.terms.declare(name, Sort::bits(width)), 0, spec.slots++, false, {}});
    return id;
}

void Machine::invariant(Term holds) { spec.invariants.push_back({"invariant", holds, {}}); }

void Machine::bank(const std::string& name, ElementId user, ElementId supervisor) {
    spec.banks.push_back({name, get(s), {{0, user}, {1, supervisor}}, {}});
}

void Machine::Draft::trap(CauseId cause, Term guard) {
    form.meaning.traps.push_back({cause, guard, {}, static_cast<unsigned>(form.meaning.loads.size()), {}});
}

void Machine::Draft::set(ElementId element, Term value) {
    form.meaning.writes.push_back({element, {}, value, machine.spec.terms.boolean(true), {}});
}

void Machine::Draft::set_reg(unsigned number, Term value) {
    form.meaning.writes.push_back(
        {machine.r, machine.constant(2, number), value, machine.spec.terms.boolean(true), {}});
}

Term Machine::Draft::field() { return machine.spec.terms.variable(form.fields.at(0).variable); }

Term Machine::Draft::choice(unsigned width) {
    form.meaning.choices.push_back(machine.spec.terms.declare("choice", Sort::bits(width)));
    return machine.spec.terms.variable(form.meaning.choices.back());
}

Term Machine::Draft::load(Term address) {
    isa::Terms& terms = machine.spec.terms;
    if (machine.relocated_)
        trap(machine.bounds, terms.not_(terms.apply(Op::bvult, address, machine.get(machine.bound))));
    const isa::Variable result = terms.declare("loaded", Sort::bits(8));
    form.meaning.loads.push_back({terms.boolean(true), address, machine.translated(address), false, 1, result, {}});
    return terms.variable(result);
}

void Machine::Draft::store(Term address, Term data) {
    isa::Terms& terms = machine.spec.terms;
    if (machine.relocated_)
        trap(machine.bounds, terms.not_(terms.apply(Op::bvult, address, machine.get(machine.bound))));
    form.meaning.stores.push_back({terms.boolean(true), address, machine.translated(address), false, 1, data, {}});
}

Term Machine::Draft::load_direct(Term address) {
    isa::Terms& terms = machine.spec.terms;
    const isa::Variable result = terms.declare("loaded", Sort::bits(8));
    form.meaning.loads.push_back({terms.boolean(true), address, address, true, 1, result, {}});
    return terms.variable(result);
}

void Machine::Draft::store_direct(Term address, Term data) {
    form.meaning.stores.push_back({machine.spec.terms.boolean(true), address, address, true, 1, data, {}});
}

isa::InstructionId Machine::instruction(const std::string& name,
                                        const std::vector<std::function<void(Draft&)>>& bodies) {
    const isa::InstructionId id{static_cast<std::uint32_t>(spec.instructions.size())};
    isa::Instruction instruction;
    instruction.name = instruction.identifier = name;
    instruction.first_form = static_cast<std::uint32_t>(spec.forms.size());
    instruction.form_count = static_cast<std::uint32_t>(bodies.size());
    for (const auto& body : bodies) {
        Draft draft{*this, {}};
        draft.form.instruction = id;
        draft.form.fields.push_back({"n", 3, spec.terms.declare("n", Sort::bits(3)), {}});
        draft.form.encoding.parcels.push_back({0xf8, static_cast<std::uint64_t>(opcode_++) << 3});
        draft.form.encoding.pieces.push_back({0, 0, 3, 0, 0});
        draft.form.encoding.where = spec.terms.boolean(true);
        body(draft);
        const auto& writes = draft.form.meaning.writes;
        bool jumps = false;
        for (const auto& write : writes) jumps = jumps || write.element == pc;
        if (!jumps) draft.set(pc, spec.terms.apply(Op::bvadd, get(pc), constant(8, 1)));
        spec.forms.push_back(draft.form);
    }
    POGO_REQUIRE(opcode_ <= 32);
    spec.instructions.push_back(instruction);
    return id;
}

const Row& row(const isa::Spec& spec, const Findings& findings, std::string_view name) {
    return findings.rows.at(spec.find_instruction(name).index);
}

namespace {

std::string text(const Models& models) { return fmt::format("{}/{}", name(models.strict), name(models.extended)); }

std::string text(const Theorem& theorem) {
    std::string result(name(theorem.holds));
    for (const auto id : theorem.against) result += fmt::format(" {}", id.index);
    for (const auto id : theorem.undecided) result += fmt::format(" ?{}", id.index);
    return result;
}

}  // namespace

std::string text(const isa::Spec& spec, const Findings& findings) {
    std::string result;
    for (const Row& r : findings.rows) {
        result += fmt::format("{}: {} always {} completes {}/{}\n", spec[r.instruction].name, name(r.privileged),
                              name(r.always), name(r.completes_supervisor), name(r.completes_user));
        if (r.privileged_when) result += "  when " + check::text(spec, *r.privileged_when) + "\n";
        result += fmt::format("  control {} behavior {} time {} sensitive {} user {} supervisor {} critical {}\n",
                              text(r.control), text(r.behavior), name(r.time_sensitive), text(r.sensitive),
                              text(r.user_sensitive), text(r.supervisor_sensitive), text(r.critical));
        for (const auto& w : r.writes)
            result += fmt::format("  writes {} {}/{}\n", w.subject.name, name(w.supervisor), name(w.user));
        for (const auto& d : r.depends_on)
            result += fmt::format("  depends {} {} {}/{} {}\n", d.subject.name, name(d.kind), name(d.supervisor),
                                  name(d.user), d.strict);
        for (const auto& w : r.witnesses) {
            result += fmt::format("  witness {} {} form {} fields {} choices {}\n", w.property, w.element, w.form.index,
                                  fmt::join(w.fields, ","), fmt::join(w.choices, ","));
            for (const auto& side : w.sides) {
                result += fmt::format("    state {} memory", fmt::join(side.state.slots, ","));
                for (const auto& [at, value] : side.memory) result += fmt::format(" {}:{}", at, value);
                result += fmt::format(" completes {} post {} cause {} stored", side.outcome.completes,
                                      fmt::join(side.outcome.post.slots, ","), side.outcome.cause.index);
                for (const auto& [at, value] : side.outcome.memory) result += fmt::format(" {}:{}", at, value);
                result += "\n";
            }
        }
        result += fmt::format("  queries {} {} {} {}\n", r.statistics.queries, r.statistics.rewritten,
                              r.statistics.solved, r.statistics.rlimit);
    }
    result +=
        fmt::format("theorem 1 {} | {}\ntheorem 3 {} | {}\n", text(findings.theorem1_strict),
                    text(findings.theorem1_extended), text(findings.theorem3_strict), text(findings.theorem3_extended));
    return result;
}

Machine zoo() {
    Machine m(true);
    isa::Terms& t = m.spec.terms;
    const ElementId ie = m.element("IE", 1, Role::control);
    const ElementId tsd = m.element("TSD", 1, Role::control);
    const ElementId iopl = m.element("IOPL", 2, Role::control);
    const ElementId a = m.element("twin0", 1, Role::control);
    const ElementId b = m.element("twin1", 1, Role::control);
    const ElementId timer = m.element("timer", 8, Role::time);
    const ElementId line = m.element("line", 1, Role::data);
    m.spec.elements[line.index].input = true;
    m.invariant(t.eq(m.get(a), m.get(b)));
    m.spec.regions.push_back({"cells", 4, 7, Role::control, {}});

    using Draft = Machine::Draft;
    const auto user = [&] { return m.is(m.s, 0); };
    const auto byte = [&](Term x) { return t.zero_extend(x, 8); };
    m.instruction("nop", [](Draft&) {});
    m.instruction("cli", [&](Draft& d) {
        d.trap(m.privilege, user());
        d.set(ie, m.constant(1, 0));
    });
    m.instruction("smsw", [&](Draft& d) { d.set_reg(0, byte(m.get(ie))); });
    m.instruction("getmode", [&](Draft& d) { d.set_reg(0, byte(m.get(m.s))); });
    m.instruction("popf", [&](Draft& d) { d.set(ie, t.ite(user(), m.get(ie), t.extract(m.reg(0), 0, 0))); });
    m.instruction("lra", [&](Draft& d) { d.set_reg(0, t.apply(Op::bvadd, m.get(m.base), m.reg(1))); });
    m.instruction("svc", [&](Draft& d) { d.trap(m.call, t.boolean(true)); });
    m.instruction("jrst", [&](Draft& d) { d.set(m.s, m.constant(1, 0)); });
    m.instruction("rdtsc_tsd", [&](Draft& d) {
        d.trap(m.privilege, t.and_(user(), m.is(tsd, 1)));
        d.set_reg(0, byte(m.get(ie)));
    });
    m.instruction("in_iopl", [&](Draft& d) {
        d.trap(m.privilege, t.and_(user(), t.apply(Op::bvult, m.get(iopl), m.constant(2, 2))));
        d.set_reg(0, byte(m.get(ie)));
    });
    m.instruction("on_data", [&](Draft& d) { d.trap(m.privilege, t.and_(user(), t.eq(m.reg(0), m.constant(8, 7)))); });
    m.instruction("twins", [&](Draft& d) { d.set_reg(0, byte(m.get(a))); });
    m.instruction("rdtime", [&](Draft& d) { d.set_reg(0, m.get(timer)); });
    m.instruction("rdline", [&](Draft& d) { d.set_reg(0, byte(m.get(line))); });
    m.instruction("undefined", [&](Draft& d) { d.set_reg(0, d.choice(8)); });
    m.instruction("undefined_user", [&](Draft& d) { d.set_reg(0, t.ite(user(), d.choice(8), m.constant(8, 0))); });
    m.instruction("load", [&](Draft& d) { d.set_reg(0, d.load(m.reg(1))); });
    m.instruction("store", [&](Draft& d) { d.store(m.reg(0), m.reg(1)); });
    m.instruction("read_cell", [&](Draft& d) { d.set_reg(0, d.load_direct(m.constant(8, 5))); });
    m.instruction("write_cell", [&](Draft& d) { d.store_direct(m.constant(8, 5), m.reg(0)); });
    m.instruction("copy_cells", [&](Draft& d) { d.store_direct(m.constant(8, 5), d.load_direct(m.constant(8, 6))); });
    m.instruction("beyond_cells", [&](Draft& d) { d.set_reg(0, d.load_direct(m.constant(8, 8))); });
    // The second form leaks, for one field value, the first does not.
    m.instruction("two_forms", {[](Draft&) {},
                                [&](Draft& d) {
                                    const Term leak = t.eq(d.field(), m.constant(3, 5));
                                    d.set_reg(1, t.ite(leak, byte(m.get(m.s)), m.reg(1)));
                                }});
    return m;
}

}  // namespace pogo::check::toy
