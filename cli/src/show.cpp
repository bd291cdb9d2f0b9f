// pogo show: syntax tree, typed spec, meanings, SMT-LIB, encodings.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "isa/assembly.hpp"
#include "isa/parser.hpp"
#include "isa/refusals.hpp"
#include "session.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

std::string element_text(const Element& element) {
    return element.is_file() ? fmt::format("{}[{}]", element.name, element.entries) : element.name;
}

void show_spec(const Spec& spec) {
    fmt::print("machine {}{}\n", spec.name, spec.title.empty() ? "" : " — " + spec.title);
    for (const auto& parameter : spec.parameters) fmt::print("  parameter {} = {}\n", parameter.name, parameter.value);
    fmt::print("  {} endian, units of {} bits, addresses of {} bits ({} physical), parcels of {} bits\n\n",
               spec.big_endian ? "big" : "little", spec.unit_bits, spec.address_width, spec.physical_width,
               spec.parcel_bits());
    fmt::print("{:<16} {:>5}  {}\n", "element", "bits", "role");
    for (const auto& element : spec.elements)
        fmt::print("{:<16} {:>5}  {}{}\n", element_text(element), element.width, name(element.role),
                   element.input ? " (input)" : "");
    for (const auto& bank : spec.banks) {
        fmt::print("bank {} by {}:", bank.name, spec.terms.print(bank.selector));
        for (const auto& member : bank.members)
            fmt::print(" {} => {}", static_cast<std::uint64_t>(member.value), spec[member.element].name);
        fmt::print("\n");
    }
    fmt::print("\n");
    for (const auto& mode : spec.modes) {
        fmt::print("mode {}:", mode.name);
        for (const auto& part : mode.cube)
            fmt::print(" {} = {}", spec[part.element].name, static_cast<std::uint64_t>(part.value));
        fmt::print("\n");
    }
    for (const auto& context : spec.contexts) {
        fmt::print("context {}: supervisor {}, user {}", context.name, spec[context.supervisor].name,
                   spec[context.user].name);
        for (std::size_t i = 0; i < context.guest.size(); ++i)
            fmt::print("{} {}", i == 0 ? ", guest" : ",", spec[context.guest[i]].name);
        fmt::print("\n");
    }
    for (const auto& map : spec.vm_maps) {
        fmt::print("vmm {}: context {}", map.name, spec[map.context].name);
        for (const auto& [machine, real] : map.modes) fmt::print(", {} => {}", spec[machine].name, spec[real].name);
        fmt::print("\n");
    }
    fmt::print("\n");
    for (const auto& region : spec.regions)
        fmt::print("region {}: {:#x} to {:#x}, {}\n", region.name, static_cast<std::uint64_t>(region.first),
                   static_cast<std::uint64_t>(region.last), name(region.role));
    for (const auto& cause : spec.causes)
        fmt::print("trap {} ({}), {} parameter(s)\n", cause.name, name(cause.kind), cause.parameters.size());
    for (const auto& interrupt : spec.interrupts)
        fmt::print("interrupt {} when {}\n", interrupt.name, spec.terms.print(interrupt.condition));
    for (const auto& invariant : spec.invariants)
        fmt::print("invariant {}: {}\n", invariant.name, spec.terms.print(invariant.holds));
    fmt::print("\n{} instructions in {} forms\n", spec.instructions.size(), spec.forms.size());
    for (const auto& row : spec.instructions)
        fmt::print("{:<24} {:<36} {}{}\n", row.name, row.assembly, row.encoding,
                   row.form_count > 1 ? fmt::format("  ({} forms)", row.form_count) : "");
}

// Whether all of a mode is within another (all), some of it (some) or nothing (none).
enum class Part { none, some, all };
Part within(const Mode& mode, const Mode& other) {
    Part result = Part::all;
    for (const auto& there : other.cube) {
        const auto here = std::find_if(mode.cube.begin(), mode.cube.end(),
                                       [&](const auto& part) { return part.element == there.element; });
        if (here == mode.cube.end())
            result = Part::some;
        else if (here->value != there.value)
            return Part::none;
    }
    return result;
}

// Of a machine without a table of its own: where an instruction traps for want of privilege.
void show_refusals(const Spec& spec) {
    fmt::print("machine {} declares no permissions; traps for want of privilege, as instructions mean them:\n",
               spec.name);
    const auto all = refusals(spec);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].any()) continue;
        fmt::print("{}:\n", spec.instructions[i].name);
        for (std::size_t mode = 0; mode < spec.modes.size(); ++mode)
            fmt::print("  {:<20} {}\n", spec.modes[mode].name, all[i].when[mode].empty() ? "never" : all[i].when[mode]);
    }
}

// Who may do what: for each permission a line for each mode.
void show_permissions(const Spec& spec) {
    if (spec.permissions.empty()) show_refusals(spec);
    for (const auto& permission : spec.permissions) {
        std::vector<std::string> users;
        for (const auto id : permission.instructions) users.push_back(spec[id].identifier);
        fmt::print("{}:", permission.name);
        for (const auto& name : grouped(users)) fmt::print(" {}", name);
        fmt::print("\n");
        for (std::uint32_t i = 0; i < spec.modes.size(); ++i) {
            std::string cell;
            const bool named = std::any_of(permission.lines.begin(), permission.lines.end(),
                                           [&](const auto& line) { return line.mode == ModeId{i}; });
            for (const auto& line : permission.lines) {
                if (named && line.mode.valid() && line.mode != ModeId{i}) continue;
                const Part part = line.mode.valid() ? within(spec.modes[i], spec[line.mode]) : Part::all;
                if (part == Part::none) continue;
                cell += cell.empty() ? "" : "; ";
                cell += line.cause.valid() ? spec[line.cause].name : "execute";
                if (part == Part::some) cell += " in " + spec[line.mode].name;
                if (!line.condition.empty()) cell += " when " + line.condition;
                if (part == Part::all && line.condition.empty()) break;
            }
            fmt::print("  {:<20} {}\n", spec.modes[i].name, cell);
        }
    }
}

std::string form_title(const Spec& spec, const Form& form) {
    const auto& row = spec[form.instruction];
    return form.variant.empty() ? row.name : fmt::format("{} {}", row.name, form.variant);
}

void show_meaning(const Spec& spec, const Meaning& meaning) {
    const auto text = [&](Term term) { return spec.terms.print(term); };
    const auto guard = [&](Term term) { return spec.terms.is_true(term) ? "" : " when " + text(term); };
    const auto kind = [](unsigned access) { return access > 2 ? fmt::format(", Access({})", access) : ""; };
    unsigned loads = 0;
    const auto traps_before = [&](unsigned count) {
        for (const auto& trap : meaning.traps) {
            if (trap.loads_before != count) continue;
            std::string arguments;
            for (const Term argument : trap.arguments) arguments += (arguments.empty() ? "" : ", ") + text(argument);
            fmt::print("  trap {}({}){}\n", spec[trap.cause].name, arguments, guard(trap.guard));
        }
    };
    for (const auto& load : meaning.loads) {
        traps_before(loads++);
        fmt::print("  {} := {}[{}, {}{}]{}\n", spec.terms.name(load.result), load.direct ? "physical" : "mem",
                   text(load.address), load.units, kind(load.access), guard(load.guard));
    }
    traps_before(loads);
    for (const auto& store : meaning.stores)
        fmt::print("  {}[{}, {}{}] := {}{}\n", store.direct ? "physical" : "mem", text(store.address), store.units,
                   kind(store.access), text(store.data), guard(store.guard));
    for (const auto& write : meaning.writes)
        fmt::print("  {}{} := {}{}\n", spec[write.element].name,
                   write.index.valid() ? "[" + text(write.index) + "]" : "", text(write.value), guard(write.guard));
}

std::vector<std::uint32_t> forms_of(Session& session, const Spec& spec, const std::string& wanted) {
    std::vector<std::uint32_t> result;
    if (wanted.empty()) {
        for (std::uint32_t i = 0; i < spec.forms.size(); ++i) result.push_back(i);
        return result;
    }
    const InstructionId id = spec.find_instruction(wanted);
    if (!id.valid())
        session.fail(usage, Code::E0901, {},
                     fmt::format("there is no instruction `{}`; `pogo show spec` lists them", wanted));
    for (std::uint32_t i = 0; i < spec[id].form_count; ++i) result.push_back(spec[id].first_form + i);
    return result;
}

void show_dag(Session& session, const Spec& spec, const std::string& wanted) {
    for (const auto number : forms_of(session, spec, wanted)) {
        fmt::print("{}\n", form_title(spec, spec.forms[number]));
        show_meaning(spec, spec.forms[number].meaning);
    }
}

std::string smt_sort(Sort sort) {
    if (sort.is_bool()) return "Bool";
    if (sort.is_bits()) return fmt::format("(_ BitVec {})", sort.width);
    return fmt::format("(Array (_ BitVec {}) (_ BitVec {}))", sort.index, sort.width);
}

// Every form's transition as functions of the state before it: one definition for each trap guard and write.
void show_smt2(Session& session, const Spec& spec, const std::string& wanted) {
    fmt::print(
        "; {}: what each form traps on, accesses and writes, as functions of the state before it\n"
        "(set-logic QF_ABV)\n",
        spec.name);
    const auto numbers = forms_of(session, spec, wanted);
    std::vector<Term> roots;
    for (const auto number : numbers) {
        const Meaning& m = spec.forms[number].meaning;
        for (const auto& trap : m.traps) roots.push_back(trap.guard);
        for (const auto& load : m.loads) roots.insert(roots.end(), {load.guard, load.physical});
        for (const auto& store : m.stores) roots.insert(roots.end(), {store.guard, store.physical, store.data});
        for (const auto& write : m.writes) {
            roots.insert(roots.end(), {write.value, write.guard});
            if (write.index.valid()) roots.push_back(write.index);
        }
    }
    for (const Variable variable : spec.terms.support(roots))
        fmt::print("(declare-const |{}/{}| {})\n", spec.terms.name(variable), variable.id,
                   smt_sort(spec.terms.sort(variable)));
    for (const auto number : numbers) {
        const Form& form = spec.forms[number];
        fmt::print("; {}\n", form_title(spec, form));
        const auto define = [&](const std::string& what, Term term) {
            fmt::print("(define-fun |{}: {}| () {} {})\n", form_title(spec, form), what,
                       smt_sort(spec.terms.sort(term)), spec.terms.print(term, true));
        };
        const Meaning& m = form.meaning;
        for (std::size_t i = 0; i < m.traps.size(); ++i)
            define(fmt::format("trap {} {}", i, spec[m.traps[i].cause].name), m.traps[i].guard);
        for (std::size_t i = 0; i < m.loads.size(); ++i) {
            define(fmt::format("load {} guard", i), m.loads[i].guard);
            define(fmt::format("load {} physical", i), m.loads[i].physical);
        }
        for (std::size_t i = 0; i < m.stores.size(); ++i) {
            define(fmt::format("store {} guard", i), m.stores[i].guard);
            define(fmt::format("store {} physical", i), m.stores[i].physical);
            define(fmt::format("store {} data", i), m.stores[i].data);
        }
        for (std::size_t i = 0; i < m.writes.size(); ++i) {
            const std::string& element = spec[m.writes[i].element].name;
            define(fmt::format("write {} {} guard", i, element), m.writes[i].guard);
            if (m.writes[i].index.valid()) define(fmt::format("write {} {} index", i, element), m.writes[i].index);
            define(fmt::format("write {} {}", i, element), m.writes[i].value);
        }
    }
}

void show_decode(Session& session, const Spec& spec, const std::vector<std::string>& words) {
    const auto digits = static_cast<int>((spec.parcel_bits() + 3) / 4);
    if (!words.empty()) {
        std::vector<std::uint64_t> parcels;
        for (const auto& word : words) {
            const auto value = parse_number(word.starts_with("0x") ? word : "0x" + word);
            if (!value || (*value & ~static_cast<std::uint64_t>(ones(spec.parcel_bits()))) != 0)
                session.fail(usage, Code::E0901, {},
                             fmt::format("`{}` is not a parcel of {} bits in hexadecimal", word, spec.parcel_bits()));
            parcels.push_back(*value);
        }
        unsigned wanted = 0;
        const auto decoded = Decoder(spec).decode(parcels, wanted);
        if (!decoded && wanted > parcels.size()) {
            fmt::print("incomplete: {} parcels are needed\n", wanted);
        } else if (!decoded) {
            fmt::print("no instruction\n");
            throw Leave{refuted};
        } else {
            const Form& form = spec[decoded->form];
            fmt::print("{}\n  {}\n", disassemble(spec, *decoded, 0), form_title(spec, form));
            for (std::size_t i = 0; i < form.fields.size(); ++i)
                fmt::print("  {} = {:#x}\n", form.fields[i].name, decoded->fields[i]);
        }
        return;
    }
    for (const Form& form : spec.forms) {
        std::string bits;
        for (const auto& parcel : form.encoding.parcels)
            bits += fmt::format(" {:0{}x}/{:0{}x}", parcel.value, digits, parcel.mask, digits);
        fmt::print("{:<36}{}\n", form_title(spec, form), bits);
    }
    // Gaps: first parcels that begin no instruction, exactly where they can be enumerated.
    const Decoder decoder(spec);
    const bool all = spec.parcel_bits() <= 16;
    const std::uint64_t count = all ? std::uint64_t{1} << spec.parcel_bits() : 65536;
    std::uint64_t state = 0x9e3779b97f4a7c15;
    std::uint64_t gaps = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        const std::uint64_t parcel =
            all ? i : (state ^ state >> 32) & static_cast<std::uint64_t>(ones(spec.parcel_bits()));
        unsigned wanted = 0;
        if (!decoder.decode(std::span(&parcel, 1), wanted) && wanted <= 1) ++gaps;
    }
    fmt::print("\n{} of {} first parcels{} begin no instruction: they raise {}\n", gaps, count,
               all ? "" : " (a sample)", spec[spec.illegal.cause].name);
}

}  // namespace

void add_show(CLI::App& app, Session& session) {
    auto* show = app.add_subcommand("show", "Show what Pogo reads in a spec");
    show->require_subcommand(1);

    auto ast_file = std::make_shared<std::string>();
    auto text = std::make_shared<bool>(false);
    auto* ast = show->add_subcommand("ast", "The syntax tree");
    ast->add_option("SPEC", *ast_file, "a machine or policy")->required();
    ast->add_flag("--text", *text, "as .isa text in the standard layout");
    ast->callback([=, &session] {
        const auto buffer = session.read(*ast_file);
        const Ast tree = parse(session.sources, buffer, session.diagnostics);
        if (session.diagnostics.has_errors()) session.leave(bad_input);
        fmt::print("{}", *text ? print(tree) : dump(tree));
    });

    const auto add = [&](const char* word, const char* help, auto action, const char* extra, const char* extra_help) {
        auto arguments = std::make_shared<SpecArguments>();
        auto words = std::make_shared<std::vector<std::string>>();
        auto* command = show->add_subcommand(word, help);
        arguments->add_to(*command);
        if (extra != nullptr) command->add_option(extra, *words, extra_help);
        command->callback([=, &session] {
            const auto all = arguments->behind(*words);
            const Spec spec = session.load(*arguments);
            action(spec, all);
        });
    };
    const auto first = [](const std::vector<std::string>& words) { return words.empty() ? std::string() : words[0]; };
    add(
        "spec", "The typed machine", [](const Spec& spec, const auto&) { show_spec(spec); }, nullptr, nullptr);
    add(
        "permissions", "Which instruction may execute in which mode, under which condition",
        [](const Spec& spec, const auto&) { show_permissions(spec); }, nullptr, nullptr);
    add(
        "dag", "What instructions mean",
        [&session, first](const Spec& spec, const auto& words) { show_dag(session, spec, first(words)); },
        "INSTRUCTION", "only this one");
    add(
        "smt2", "What instructions mean, as SMT-LIB 2",
        [&session, first](const Spec& spec, const auto& words) { show_smt2(session, spec, first(words)); },
        "INSTRUCTION", "only this one");
    add(
        "decode", "The encodings and their gaps, or one instruction decoded",
        [&session](const Spec& spec, const auto& words) { show_decode(session, spec, words); }, "PARCELS",
        "in hexadecimal");
    add(
        "dts", "The platform's device tree, as source",
        [&session](const Spec& spec, const auto&) { fmt::print("{}", print(device_tree_of(session, spec))); }, nullptr,
        nullptr);
}

}  // namespace pogo::cli
