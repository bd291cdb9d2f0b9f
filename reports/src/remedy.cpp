// The reports on remedies.
// SPDX-License-Identifier: Apache-2.0
#include "report/remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "isa/assembly.hpp"
#include "isa/edit.hpp"
#include "report/report.hpp"

namespace pogo::report {

using check::MustTrap;
using check::PatchList;
using check::TranslationTable;
using check::TrapSet;
using check::Verdict;
using Json = nlohmann::ordered_json;

namespace {

/// As the spec declares it: a row of `rows by` is a part of it.
std::string declared(const isa::Instruction& row) { return row.identifier.substr(0, row.identifier.find('.')); }

std::string subject(const isa::Spec& spec, const TrapSet& set) {
    return set.map.empty() ? "Theorem 1 in context " + spec[set.context].name : "VM map " + set.map;
}

std::string names(const std::vector<std::string>& list) {
    std::string result;
    for (const auto& one : isa::grouped(list)) result += " " + one;
    return result;
}

/// "3 of 8 forms: Dn AnInd …", or nothing for all.
std::string forms_text(const isa::Spec& spec, const MustTrap& element) {
    const isa::Instruction& row = spec[element.instruction];
    if (element.forms.size() == row.form_count) return {};
    std::string result = fmt::format("{} of {} forms:", element.forms.size(), row.form_count);
    for (const isa::FormId form : element.forms) result += " " + spec[form].variant;
    return result;
}

std::string head_text(const isa::Spec& spec, const TrapSet& set) {
    std::string out = fmt::format("Remedy for {}, {}: ", spec.name, subject(spec, set));
    std::vector<isa::InstructionId> rows;
    for (const auto& element : set.elements)
        if (rows.empty() || rows.back() != element.instruction) rows.push_back(element.instruction);
    if (rows.empty())
        out += set.already == Verdict::yes        ? "nothing is needed\n"
               : set.exists() == Verdict::unknown ? "undecided\n"
                                                  : "no instruction's trap helps\n";
    else
        out += fmt::format("{} of {} instructions\n", rows.size(), spec.instructions.size());
    if (set.configuration)
        out += fmt::format("Configuration: {}\n", set.configuration->empty() ? "any" : text(spec, *set.configuration));
    if (!set.beyond.empty()) out += fmt::format("Not mended by traps of instructions:{}\n", names(set.beyond));
    if (!set.undecided.empty()) out += fmt::format("Undecided:{}\n", names(set.undecided));
    return out;
}

std::string minimal_text(Verdict minimal) {
    switch (minimal) {
        case Verdict::yes:
            return "proved: without any one of them it is refuted";
        case Verdict::no:
            return "no";
        case Verdict::unknown:
            return "unknown: some element may be left out, the solver gave up";
    }
    return {};
}

std::string digits(std::uint64_t parcel, unsigned bits) { return fmt::format("{:0{}x}", parcel, (bits + 3) / 4); }

std::string parcels_text(const isa::Spec& spec, const std::vector<std::uint64_t>& parcels) {
    std::string result;
    for (const auto parcel : parcels) result += (result.empty() ? "" : " ") + digits(parcel, spec.parcel_bits());
    return result;
}

/// Fixed bits as digits, a nibble with a free bit as "?".
std::string pattern(const isa::Spec& spec, const isa::Form& form) {
    std::string result;
    for (const auto& parcel : form.encoding.parcels) {
        std::string one = digits(parcel.value, spec.parcel_bits());
        for (std::size_t i = 0; i < one.size(); ++i)
            if ((parcel.mask >> (4 * (one.size() - 1 - i)) & 0xf) !=
                (isa::ones(spec.parcel_bits()) >> (4 * (one.size() - 1 - i)) & 0xf))
                one[i] = '?';
        result += (result.empty() ? "" : " ") + one;
    }
    return result;
}

std::string what_it_is(const isa::Spec& spec, const check::Replacement& replacement) {
    if (!replacement.form) return fmt::format("no instruction: {}", spec[spec.illegal.cause].name);
    return spec[spec[*replacement.form].instruction].name;
}

std::string title(const isa::Spec& spec, isa::FormId form) {
    const isa::Instruction& row = spec[spec[form].instruction];
    return spec[form].variant.empty() ? row.name : fmt::format("{} ({})", row.name, spec[form].variant);
}

Json replacement_json(const isa::Spec& spec, const check::Replacement& replacement) {
    Json words = Json::array();
    for (const auto parcel : replacement.parcels) words.push_back(fmt::format("{:#x}", parcel));
    return {{"parcels", words},
            {"decodes_to", replacement.form ? Json(title(spec, *replacement.form)) : Json()},
            {"raises", replacement.form ? Json() : Json(spec[spec.illegal.cause].name)},
            {"leaves", check::name(replacement.leaves)}};
}

Json head_json(const isa::Spec& spec, const TrapSet& set, std::string_view kind) {
    Json document;
    document["schema"] = "pogo-remedy-1";
    document["kind"] = kind;
    document["machine"] = spec.name;
    document["map"] = set.map.empty() ? Json() : Json(set.map);
    document["context"] = spec[set.context].name;
    document["needed"] = set.already != Verdict::yes;
    document["configuration"] = set.configuration ? Json(text(spec, *set.configuration)) : Json();
    document["exists"] = check::name(set.exists());
    document["minimal"] = check::name(set.minimal());
    document["beyond"] = set.beyond;
    document["undecided"] = set.undecided;
    document["elements"] = Json::array();
    for (const MustTrap& element : set.elements) {
        const isa::Instruction& row = spec[element.instruction];
        Json modes = Json::array();
        for (const isa::ModeId mode : element.modes) modes.push_back(spec[mode].name);
        Json forms = Json::array();
        for (const isa::FormId form : element.forms) forms.push_back(spec[form].variant);
        Json spared = Json::array();
        for (const auto& one : element.spared) spared.push_back({{"field", one.name}, {"values", one.values}});
        document["elements"].push_back({{"instruction", row.identifier},
                                        {"name", row.name},
                                        {"all_forms", element.forms.size() == row.form_count},
                                        {"forms", forms},
                                        {"modes", modes},
                                        {"spared", spared},
                                        {"when", condition(spec, element)},
                                        {"needed", check::name(element.needed)},
                                        {"rechecks", element.rechecks}});
    }
    return document;
}

}  // namespace

TrapRemedy trap_remedy(const isa::Spec& spec, TrapSet set, const isa::Extension* extension) {
    TrapRemedy result;
    result.exits = extension != nullptr;
    for (const MustTrap& element : set.elements) {
        const std::string when = condition(spec, element);
        result.statements.push_back(extension == nullptr
                                        ? statement(spec, set.cause, element)
                                        : fmt::format("exits on instruction \"{}\"{};", spec[element.instruction].name,
                                                      when == extension->active_text ? "" : " when " + when));
    }
    result.set = std::move(set);
    return result;
}

std::optional<std::string> edited(const isa::Spec& spec, const TrapRemedy& remedy, const isa::SourceManager& sources,
                                  std::uint32_t buffer) {
    if (remedy.exits) return isa::with_exits(sources, buffer, remedy.statements);
    std::vector<isa::Prefix> prefixes;
    for (std::size_t i = 0; i < remedy.statements.size(); ++i)
        prefixes.push_back({declared(spec[remedy.set.elements[i].instruction]), remedy.statements[i]});
    return isa::begin_with(sources, buffer, prefixes);
}

std::string to_text(const isa::Spec& spec, const TrapRemedy& remedy) {
    const TrapSet& set = remedy.set;
    std::string out = head_text(spec, set);
    for (std::size_t i = 0; i < set.elements.size(); ++i) {
        const MustTrap& element = set.elements[i];
        out += fmt::format("\n{} must trap where {}\n", spec[element.instruction].name, condition(spec, element));
        if (const auto forms = forms_text(spec, element); !forms.empty()) out += "  " + forms + "\n";
        out += fmt::format("  {}\n  needed: {} (decided anew {} time{})\n", remedy.statements[i],
                           check::name(element.needed), element.rechecks, element.rechecks == 1 ? "" : "s");
    }
    if (!set.elements.empty()) out += fmt::format("\nMinimal: {}\n", minimal_text(set.minimal()));
    if (remedy.after)
        out += fmt::format("{}, of the new spec: {}\n", subject(spec, set), name(decision(*remedy.after)));
    return out;
}

std::string to_json(const isa::Spec& spec, const TrapRemedy& remedy) {
    Json document = head_json(spec, remedy.set, "trap");
    for (std::size_t i = 0; i < remedy.statements.size(); ++i)
        document["elements"][i]["statement"] = remedy.statements[i];
    document["after"] = remedy.after ? Json(name(decision(*remedy.after))) : Json();
    return document.dump(2) + "\n";
}

std::string to_text(const isa::Spec& spec, const PatchList& list) {
    std::string out = head_text(spec, list.set);
    if (list.patches.empty()) return out;
    out += "\nIn their place, and then carried out by the monitor on the virtual machine:\n";
    for (const auto& patch : list.patches) {
        const auto spared = fields_condition(spec, list.set.elements[patch.element]);
        out += fmt::format("  {:<24} {}  =>  {}{}\n", pattern(spec, spec[patch.form]), title(spec, patch.form),
                           patch.possible() ? parcels_text(spec, list.replacements[patch.replacement].parcels)
                                            : "nothing as short leaves the guest whatever the state",
                           spared.empty() ? "" : ", where " + spared);
    }
    for (const auto& replacement : list.replacements)
        out += fmt::format("\n{} ({}) leaves the guest from every state: {}\n", parcels_text(spec, replacement.parcels),
                           what_it_is(spec, replacement), name(decision(replacement.leaves)));
    return out;
}

std::string to_json(const isa::Spec& spec, const PatchList& list) {
    Json document = head_json(spec, list.set, "paravirt");
    document["complete"] = check::name(list.complete());
    document["patches"] = Json::array();
    for (const auto& patch : list.patches) {
        const isa::Form& form = spec[patch.form];
        const isa::Instruction& row = spec[form.instruction];
        Json parcels = Json::array();
        for (const auto& parcel : form.encoding.parcels)
            parcels.push_back(
                {{"mask", fmt::format("{:#x}", parcel.mask)}, {"value", fmt::format("{:#x}", parcel.value)}});
        Json entry = {{"instruction", row.identifier},
                      {"form", form.variant},
                      {"assembly", row.assembly},
                      {"units", form.encoding.parcels.size() * spec.parcel_units},
                      {"parcels", parcels},
                      {"element", patch.element},
                      {"replacement", nullptr}};
        if (patch.possible()) entry["replacement"] = replacement_json(spec, list.replacements[patch.replacement]);
        document["patches"].push_back(std::move(entry));
    }
    return document.dump(2) + "\n";
}

std::string to_text(const isa::Spec& spec, const TranslationTable& table) {
    std::string out = head_text(spec, table.set);
    std::map<check::Translated::Why, std::vector<std::string>> groups;
    for (const auto& row : spec.instructions) {
        std::map<check::Translated::Why, std::uint32_t> counts;
        for (std::uint32_t i = 0; i < row.form_count; ++i) ++counts[table.forms[row.first_form + i].why];
        for (const auto& [why, count] : counts)
            groups[why].push_back(count == row.form_count
                                      ? row.identifier
                                      : fmt::format("{}({}/{})", row.identifier, count, row.form_count));
    }
    for (const auto& [why, rows] : groups)
        out += fmt::format("\n{}: {}\n {}\n", why == check::Translated::Why::same ? "Copy" : "Call out", text(why),
                           names(rows));
    out += table.exit ? fmt::format("\nThe way out: {} ({}) leaves the guest from every state: {}\n",
                                    parcels_text(spec, table.exit->parcels), what_it_is(spec, *table.exit),
                                    name(decision(table.exit->leaves)))
                      : "\nThe way out: none, nothing leaves the guest whatever the state\n";
    if (!table.delivered.empty()) {
        out += "\nTo be kept from the guest, which would see addresses of the cache:\n";
        for (const auto& one : table.delivered) out += "  " + one + "\n";
    }
    return out;
}

std::string to_json(const isa::Spec& spec, const TranslationTable& table) {
    Json document = head_json(spec, table.set, "translate");
    document["complete"] = check::name(table.complete);
    document["exit"] = table.exit ? replacement_json(spec, *table.exit) : Json();
    document["delivered"] = table.delivered;
    document["forms"] = Json::array();
    for (std::size_t i = 0; i < table.forms.size(); ++i) {
        const isa::Form& form = spec.forms[i];
        Json parcels = Json::array();
        for (const auto& parcel : form.encoding.parcels)
            parcels.push_back(
                {{"mask", fmt::format("{:#x}", parcel.mask)}, {"value", fmt::format("{:#x}", parcel.value)}});
        document["forms"].push_back({{"instruction", spec[form.instruction].identifier},
                                     {"form", form.variant},
                                     {"parcels", parcels},
                                     {"treatment", table.forms[i].copied() ? "copy" : "call out"},
                                     {"why", text(table.forms[i].why)}});
    }
    return document.dump(2) + "\n";
}

}  // namespace pogo::report
