// The translation of addresses.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "elaborator.hpp"

namespace pogo::isa {

// A machine's own kinds of access come after those that every machine has.
void Elaborator::declare_access(const Ast& ast) {
    const auto value_of = [&](const Ast& enumeration, const std::string& name) {
        for (const Ast& enumerator : enumeration.children)
            if (enumerator.is(Syntax::enumerator) && enumerator.text == name) return number(enumerator[0]);
        return Number{-1};
    };
    for (std::size_t i = 1; i < access_.size(); ++i)
        if (value_of(ast, access_[i].text) != value_of(access_, access_[i].text)) fail(Code::E0326, ast.range);
    if (type(ast[0]).width > 8) fail(Code::E0302, ast[0].range, "the width", "1 to 8");
    Symbol& symbol = *find("Access");
    symbol.ast = &ast;
    symbol.where = ast.range;
}

Translation Elaborator::translation_template(const Ast& ast, unsigned from_width) {
    Terms& t = spec_.terms;
    Translation translation;
    const std::string prefix = in_extension_ ? "second." : "translate.";
    translation.address = t.declare(prefix + ast[0].text, Sort::bits(from_width));
    translation.access = t.declare(prefix + ast[1].text, Sort::bits(access_width()));
    translation.units = t.declare(prefix + ast[2].text, Sort::bits(8));
    next_value_ = {};
    load_name_ = prefix + "load";
    Meaning m = meaning(pc_value_, [&] {
        Frame& frame = frames_.back();
        frame.result_type = {Type::Kind::bits, spec_.physical_width, nullptr};
        frame.locals.push_back({ast[0].text, Value::of(t.variable(translation.address)), nullptr});
        frame.locals.push_back({ast[1].text, Value::of(t.variable(translation.access)), nullptr});
        frame.locals.push_back({ast[2].text, Value::of(t.variable(translation.units)), nullptr});
        block(ast[4]);
        if (!frames_.back().has_result) fail(Code::E0212, ast.range, "translate");
        translation.physical = frames_.back().result->term;
    });
    load_name_ = "load";
    if (!m.writes.empty() || !m.stores.empty()) fail(Code::E0318, ast.range);
    translation.faults = std::move(m.traps);
    translation.loads = std::move(m.loads);
    if (!ast[5].is(Syntax::none)) translation.page = positive(ast[5], std::min(from_width, spec_.physical_width) - 1);
    std::vector<Term> roots{translation.physical};
    for (const auto& load : translation.loads) roots.insert(roots.end(), {load.guard, load.physical});
    for (const auto& fault : translation.faults) {
        roots.push_back(fault.guard);
        roots.insert(roots.end(), fault.arguments.begin(), fault.arguments.end());
    }
    const auto support = t.support(roots);
    for (std::uint32_t i = 0; i < spec_.elements.size(); ++i)
        if (std::binary_search(support.begin(), support.end(), spec_.elements[i].variable))
            translation.reads.push_back({i});
    define_tlb(ast, translation);
    if (ast[3].size() > 0) {
        const std::vector<ElementId> declared = listed_elements(ast[3]);
        for (const ElementId id : translation.reads)
            if (std::find(declared.begin(), declared.end(), id) == declared.end())
                fail(Code::E0319, ast.range, spec_[id].name);
    }
    return translation;
}

void Elaborator::define_tlb(const Ast& ast, Translation& translation) {
    std::vector<const Ast*> items;
    flatten(ast[6].children, items);
    for (const Ast* item : items) {
        if (item->is(Syntax::stale)) {
            for (const ElementId id : whole_elements((*item)[0])) {
                if (std::find(translation.reads.begin(), translation.reads.end(), id) == translation.reads.end())
                    fail(Code::E0329, item->range, spec_[id].name);
                translation.stale.push_back(id);
            }
            continue;
        }
        Term value;
        accesses_allowed_ = false;
        const Meaning none = meaning(pc_value_, [&] {
            frames_.back().locals.push_back(
                {ast[1].text, Value::of(spec_.terms.variable(translation.access)), nullptr});
            value = any_bits(eval((*item)[0]), (*item)[0].range);
        });
        accesses_allowed_ = true;
        const unsigned width = spec_.terms.sort(value).width;
        if (width > 64 || !none.traps.empty()) fail(Code::E0206, item->range, "bits(n), n at most 64", item->text);
        translation.tags.push_back({item->text, value});
    }
}

void Elaborator::define_translation(const Ast& ast) {
    if (&ast != translate_) fail(Code::E0202, ast.range, "translate");
    // The template is elaborated without itself in force.
    calls_.push_back(translate_);
    spec_.translation = translation_template(ast, spec_.address_width);
    calls_.pop_back();
    Terms& t = spec_.terms;
    Translation& translation = spec_.translation;
    const auto of_access = [&](const Trap& fault) {
        const auto support = t.support(std::span(&fault.guard, 1));
        return fault.loads_before == 0 && std::all_of(support.begin(), support.end(), [&](Variable variable) {
                   return variable == translation.address || variable == translation.access ||
                          variable == translation.units;
               });
    };
    if (translation.loads.empty()) return;
    const Term fetch =
        t.eq(t.variable(translation.access), t.constant(access_width(), static_cast<unsigned>(Access::fetch)));
    for (Trap& fault : translation.faults) {
        if (!of_access(fault)) break;
        translation.of_access.push_back(fault);
        fault.guard = t.and_(fetch, fault.guard);
    }
}

}  // namespace pogo::isa
