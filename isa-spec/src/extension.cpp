// VT extensions.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "elaborator.hpp"

namespace pogo::isa {

// What the policy puts in its place takes and gives what the machine's function does.
void Elaborator::declare_virtual(const Ast& ast) {
    const Ast& text = ast[0];
    const auto same_type = [](const Ast& a, const Ast& b) { return a[0] == b[0]; };
    Symbol* symbol = find(ast.text);
    const bool machines = symbol != nullptr &&
                          std::find(declarations_.begin(), declarations_.end(), symbol->ast) != declarations_.end() &&
                          symbol->ast->is(text.kind) && (*symbol->ast)[1] == text[1] &&
                          std::equal(text[0].children.begin(), text[0].children.end(),
                                     (*symbol->ast)[0].children.begin(), (*symbol->ast)[0].children.end(), same_type);
    if (!machines) fail(Code::E0608, ast.range, name(text.kind), ast.text);
    if (symbol->in_virtual_state != nullptr) fail(Code::E0202, ast.range, ast.text);
    symbol->in_virtual_state = &text;
}

void Elaborator::define_extension(const Ast& ast) {
    Terms& t = spec_.terms;
    Extension extension;
    extension.name = ast.text;
    extension.where = ast.range;
    extension.active = active_.valid() ? active_ : t.boolean(false);
    extension.supervisor = t.boolean(false);
    for (const Ast* item : extension_declarations_) {
        if (item->is(Syntax::translate) || item->is(Syntax::timing) || item->is(Syntax::platform)) continue;
        attempt([&] { define(*item); });
    }
    const auto state = [&](const Ast& expression) {
        Term result;
        pure({}, [&] { result = condition(expression); });
        return result;
    };
    bool supervisor = false;
    for (const Ast* item : extension_declarations_) {
        attempt([&] {
            switch (item->kind) {
                case Syntax::active:
                    extension.active_text = print((*item)[0]);
                    break;
                case Syntax::supervisor:
                    extension.supervisor = state((*item)[0]);
                    extension.supervisor_text = print((*item)[0]);
                    supervisor = true;
                    break;
                case Syntax::exit_: {
                    const Symbol* symbol = find(item->text);
                    if (symbol == nullptr) unknown_name(*item);
                    if (symbol->kind != Symbol::Kind::cause || spec_[symbol->cause].kind != TrapKind::exit)
                        fail(Code::E0602, item->range, item->text);
                    extension.exit = symbol->cause;
                    break;
                }
                case Syntax::translate:
                    extension.second = translation_template(*item, spec_.physical_width);
                    if (!extension.second->loads.empty()) fail(Code::E0607, item->range);
                    break;
                case Syntax::exits: {
                    ExitRule rule;
                    rule.where = item->range;
                    std::size_t next = 0;
                    if (item->text == "instruction") {
                        const Ast& which = (*item)[next++];
                        rule.select = ExitRule::Select::instruction;
                        rule.instruction = spec_.find_instruction(which.text);
                        if (!rule.instruction.valid()) fail(Code::E0603, which.range, which.text);
                    } else if (item->text == "interrupt") {
                        const Ast& which = (*item)[next++];
                        const Symbol* symbol = find(which.text);
                        if (symbol == nullptr) unknown_name(which);
                        if (symbol->kind != Symbol::Kind::interrupt)
                            fail(Code::E0206, which.range, "an interrupt", which.text);
                        extension.interrupts.push_back(symbol->index);
                        break;
                    }
                    rule.when = t.boolean(true);
                    if (next < item->size()) {
                        rule.when = state((*item)[next]);
                        rule.condition = print((*item)[next]);
                    }
                    extension.rules.push_back(rule);
                    break;
                }
                default:
                    break;
            }
        });
    }
    if (!active_.valid()) diagnostics_.report(Code::E0604, ast.range, "active CONDITION;");
    if (!supervisor) diagnostics_.report(Code::E0604, ast.range, "supervisor CONDITION;");
    if (!extension.exit.valid()) diagnostics_.report(Code::E0604, ast.range, "exit TRAP;");
    if (extension.exit.valid()) {
        const auto& parameters = spec_[extension.exit].parameters;
        if (parameters.size() != 1) diagnostics_.report(Code::E0605, spec_[extension.exit].where);
    }
    spec_.extension = std::move(extension);
}

}  // namespace pogo::isa
