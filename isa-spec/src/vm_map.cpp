// Elaboration of VM maps.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "elaborator.hpp"

namespace pogo::isa {

VmMap::Tables Elaborator::vm_tables(const Ast& item, const Ast& map, const VmMap& defined) {
    Terms& t = spec_.terms;
    VmMap::Tables tables;
    tables.shadow = item.text == "shadow";
    const auto& formals = map[0].children;
    const auto root =
        std::find_if(formals.begin(), formals.end(), [&](const Ast& formal) { return formal.text == item[0].text; });
    if (root == formals.end()) fail(Code::E0201, item[0].range, item[0].text);
    tables.root = defined.constants[static_cast<std::size_t>(root - formals.begin())];
    if (t.sort(tables.root) != Sort::bits(spec_.physical_width))
        fail(Code::E0206, item[0].range, fmt::format("bits({})", spec_.physical_width), item[0].text);
    tables.units = positive(item[1], 1U << 30);
    tables.levels = positive(item[2], 16);
    if (spec_.translation.loads.empty() || spec_.translation.page == 0) fail(Code::E0334, item.range);
    const unsigned width = spec_.translation.loads.front().units * spec_.unit_bits;
    const auto entry = [&](const Ast& at, Variable& address, std::span<Variable* const> rights) {
        std::vector<Frame::Local> locals;
        const auto local = [&](const Ast& name, Sort sort) {
            const Variable made = t.declare(map.text + "." + name.text, sort);
            locals.push_back({name.text, Value::of(t.variable(made)), nullptr});
            return made;
        };
        address = local(at[1], Sort::bits(spec_.physical_width));
        for (std::size_t right = 0; right < rights.size(); ++right)
            *rights[right] = local(at[2 + right], Sort::boolean());
        Term value;
        pure(locals, [&] { value = bits(eval(at[0], width), width, at[0].range); });
        return value;
    };
    const std::array<Variable*, 3> rights{&tables.fetch, &tables.load, &tables.store};
    tables.table = entry(item[3], tables.table_at, {});
    tables.page = entry(item[4], tables.page_at, rights);
    return tables;
}

// One statement sees what those before it have assigned, in this block or an earlier one.
void Elaborator::vm_registers(const Ast& item, const std::vector<Frame::Local>& constants, VmMap& defined) {
    Terms& t = spec_.terms;
    std::vector<Write> registers;
    Meaning m = pure(constants, [&] {
        for (Write& write : defined.map) {
            if (write.index.valid())
                meaning_.writes.push_back(write);
            else
                path_.elements[write.element.index] = write.value;
        }
        block(item[0]);
        for (std::uint32_t e = 0; e < path_.elements.size(); ++e)
            if (path_.elements[e].valid())
                registers.push_back({{e}, {}, path_.elements[e], t.boolean(true), item.range});
    });
    if (!m.traps.empty() || !m.choices.empty()) fail(Code::E0331, item.range);
    for (Write& write : m.writes) {
        if (!write.index.valid()) continue;
        if (!t.is_constant(write.index)) fail(Code::E0331, write.where);
        const auto same = [&](const Write& other) {
            return other.element == write.element && other.index == write.index;
        };
        const auto before = std::find_if(registers.begin(), registers.end(), same);
        const Term old = before != registers.end()
                             ? before->value
                             : t.select(t.variable(spec_[write.element].variable), write.index);
        write.value = t.ite(write.guard, write.value, old);
        write.guard = t.boolean(true);
        if (before == registers.end())
            registers.push_back(write);
        else
            *before = write;
    }
    defined.map = std::move(registers);
}

void Elaborator::define_vm_map(const Ast& ast) {
    Terms& t = spec_.terms;
    for (const VmMap& other : spec_.vm_maps)
        if (other.name == ast.text) fail(Code::E0202, ast.range, ast.text);
    VmMap result;
    result.name = ast.text;
    result.range = ast.range;
    result.context = {0};
    result.where = t.boolean(true);
    std::vector<Frame::Local> constants;
    for (const Ast& formal : ast[0].children) {
        const Type of = type(formal[0]);
        if (of.kind != Type::Kind::bits || of.width > 64)
            fail(Code::E0206, formal.range, "bits(n), n at most 64", formal[0].text);
        result.constants.push_back(t.declare(ast.text + "." + formal.text, Sort::bits(of.width)));
        constants.push_back({formal.text, Value::of(t.variable(result.constants.back())), of.enumeration});
    }
    const auto mode = [&](const Ast& at, const std::string& name) {
        const ModeId id = spec_.find_mode(name);
        if (!id.valid()) fail(Code::E0317, at.range, name);
        return id;
    };
    const auto interrupt = [&](const Ast& at, const std::string& name) {
        const Symbol* symbol = find(name);
        if (symbol == nullptr) fail(Code::E0201, at.range, name);
        if (symbol->kind != Symbol::Kind::interrupt) fail(Code::E0206, at.range, "an interrupt", name);
        return symbol->index;
    };
    for (std::size_t i = 1; i < ast.size(); ++i) {
        const Ast& item = ast[i];
        if (item.is(Syntax::vmm_context)) {
            result.context = spec_.find_context(item.text);
            if (!result.context.valid()) fail(Code::E0330, item.range, item.text);
        } else if (item.is(Syntax::vmm_mode)) {
            result.modes.emplace_back(mode(item, item.text), mode(item[0], item[0].text));
        } else if (item.is(Syntax::where)) {
            pure(constants, [&] { result.where = t.and_(result.where, condition(item[0])); });
        } else if (item.is(Syntax::vmm_map)) {
            vm_registers(item, constants, result);
        } else if (item.is(Syntax::vmm_monitor)) {
            result.monitor = pure(constants, [&] { block(item[0]); });
            if (!result.monitor.traps.empty() || !result.monitor.choices.empty()) fail(Code::E0331, item.range);
        } else if (item.is(Syntax::vmm_tables)) {
            result.tables = vm_tables(item, ast, result);
        } else if (item.is(Syntax::vmm_memory)) {
            const bool tables = std::any_of(ast.children.begin(), ast.children.end(),
                                            [](const Ast& other) { return other.is(Syntax::vmm_tables); });
            if (!spec_.translation.loads.empty() && !tables) fail(Code::E0333, item.range);
            result.address = t.declare(ast.text + "." + item.text, Sort::bits(spec_.physical_width));
            pure(constants, [&] {
                frames_.back().locals.push_back({item.text, Value::of(t.variable(result.address)), nullptr});
                result.memory = bits(eval(item[0], spec_.physical_width), spec_.physical_width, item[0].range);
                result.exists = condition(item[1]);
            });
        } else if (item.is(Syntax::synthesize) || item.is(Syntax::vmm_guest)) {
            const bool found = item.is(Syntax::synthesize);
            for (const ElementId id : listed_elements(item)) {
                if (found && spec_[id].is_file()) fail(Code::E0316, item.range);
                (found ? result.synthesized : result.guest).push_back(id);
            }
        } else if (item.is(Syntax::vmm_interrupt)) {
            result.interrupts.emplace_back(interrupt(item, item.text), interrupt(item[0], item[0].text));
        }
    }
    const Context& context = spec_[result.context];
    if (result.modes.empty()) result.modes = {{context.supervisor, context.user}};
    for (const Write& write : result.map) {
        const auto listed = [&](const std::vector<ElementId>& guest) {
            return std::find(guest.begin(), guest.end(), write.element) != guest.end();
        };
        if (!write.index.valid()) continue;
        if (spec_[write.element].role == Role::data || listed(context.guest) || listed(result.guest))
            fail(Code::E0331, write.where);
    }
    for (const ElementId id : result.synthesized)
        for (const Write& write : result.map)
            if (write.element == id) fail(Code::E0332, ast.range, spec_[id].name);
    spec_.vm_maps.push_back(std::move(result));
}

}  // namespace pogo::isa
