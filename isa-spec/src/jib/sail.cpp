// Reads a Sail model with its mapping file and elaborates the machine that they make.
// SPDX-License-Identifier: Apache-2.0
#include "isa/sail.hpp"

#include <algorithm>

#include "isa/parser.hpp"
#include "jib/import.hpp"
#include "jib/registers.hpp"

namespace pogo::isa {

namespace {

std::string beside(const std::string& file, const std::string& name) {
    const auto slash = file.rfind('/');
    return slash == std::string::npos || name.starts_with('/') ? name : file.substr(0, slash + 1) + name;
}

}  // namespace

std::optional<Spec> load_sail_file(SourceManager& sources, const std::string& model_file,
                                   const std::string& mapping_file, const Arguments& arguments,
                                   Diagnostics& diagnostics) {
    const auto read = [&](const std::string& path) { return add_file(sources, path, diagnostics); };
    const auto map_buffer = read(mapping_file);
    if (!map_buffer) return std::nullopt;
    const auto mapping = jib::read_mapping(sources, *map_buffer, diagnostics);
    if (!mapping) return std::nullopt;
    const auto model_buffer = read(model_file);
    const auto spec_buffer = read(beside(mapping_file, mapping->spec.text));
    const auto code_buffer = mapping->code ? read(beside(mapping_file, mapping->code->text)) : std::nullopt;
    if (diagnostics.has_errors()) return std::nullopt;

    jib::Model model;
    jib::parse(sources, *model_buffer, model, false, diagnostics);
    if (code_buffer) jib::parse(sources, *code_buffer, model, true, diagnostics);
    Ast machine = parse(sources, *spec_buffer, diagnostics);
    if (diagnostics.has_errors()) return std::nullopt;
    if (!machine.is(Syntax::machine)) {
        diagnostics.report(Code::E0112, machine.range, "an extension");
        return std::nullopt;
    }

    // What the machine does not declare of the model's state, the mapping's roles do.
    std::vector<std::string> declared;
    for (const Ast& ast : machine.children)
        if (ast.is(Syntax::register_) || ast.is(Syntax::regfile) || ast.is(Syntax::input)) declared.push_back(ast.text);
    const std::string text = jib::declarations(model, *mapping, declared, diagnostics);
    const std::uint32_t rest = sources.add(model_file + " (registers)", "machine rest { unit 8; }\n" + text);
    Ast registers = parse(sources, rest, diagnostics);
    if (diagnostics.has_errors()) return std::nullopt;
    const auto properties = std::find_if(machine.children.begin() + 1, machine.children.end(),
                                         [](const Ast& ast) { return !ast.is(Syntax::property); });
    std::vector<Ast> added;
    for (Ast& ast : registers.children)
        if (ast.is(Syntax::register_)) added.push_back(std::move(ast));
    machine.children.insert(properties, std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
    return elaborate(machine, nullptr, arguments, diagnostics,
                     [&](Spec& spec) { jib::import(model, *mapping, spec, diagnostics); });
}

}  // namespace pogo::isa
