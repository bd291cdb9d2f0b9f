// Reading programs: ELF files, bytes, assembly.
// SPDX-License-Identifier: Apache-2.0
#include "programs.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <variant>

#include "isa/assembly.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace

void ProgramArguments::add_to(CLI::App& command, bool with_registers) {
    command.add_option("--elf", elf, "load an ELF file (repeatable)")->type_name("FILE")->allow_extra_args(false);
    command.add_option("--raw", raw, "load bytes at an address (repeatable)")
        ->type_name("ADDRESS=FILE")
        ->allow_extra_args(false);
    command.add_option("--asm", assembly, "assemble and load (repeatable)")->type_name("FILE")->allow_extra_args(false);
    if (with_registers)
        command.add_option("--set", registers, "set a register before the start (repeatable)")
            ->type_name("NAME=VALUE")
            ->allow_extra_args(false);
    command.add_option("--input", input, "characters that the first UART receives");
}

std::pair<std::string, std::string> split(Session& session, const std::string& text, const char* what) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        session.fail(usage, Code::E0901, {}, fmt::format("{} takes the form NAME=VALUE, not `{}`", what, text));
    return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<Loaded> read_programs(Session& session, const ProgramArguments& arguments, const Spec& spec,
                                  Programs& programs) {
    std::vector<Loaded> result;
    const auto add = [&](std::variant<model::Image, model::LoadError> image, const std::string& path) {
        if (const auto* bad = std::get_if<model::LoadError>(&image))
            session.fail(bad_input, Code::E0804, {}, fmt::format("{}: byte {}: {}", path, bad->offset, bad->message));
        result.push_back({std::get<model::Image>(std::move(image)), path, {}});
        if (!programs.entry) programs.entry = result.back().image.entry;
    };
    for (const auto& path : arguments.elf) {
        const auto text = read_file(path, session.diagnostics);
        if (!text) session.leave(bad_input);
        add(model::load_elf(bytes_of(*text), spec), path);
        if (!programs.fromhost) {
            programs.fromhost = model::find_symbol(bytes_of(*text), "fromhost");
            if (programs.fromhost) programs.tohost = model::find_symbol(bytes_of(*text), "tohost");
        }
    }
    for (const auto& argument : arguments.raw) {
        const auto [where, path] = split(session, argument, "--raw");
        const auto address = parse_number(where);
        if (!address) session.fail(usage, Code::E0901, {}, fmt::format("`{}` is not an address", where));
        const auto text = read_file(path, session.diagnostics);
        if (!text) session.leave(bad_input);
        add(model::load_raw(bytes_of(*text), *address, spec), path);
    }
    for (const auto& path : arguments.assembly) {
        const auto program = assemble(spec, session.sources, session.read(path), session.diagnostics);
        if (!program) session.leave(bad_input);
        Loaded loaded{{}, path, {}};
        loaded.image.entry = program->entry;
        for (const auto& line : program->lines) {
            loaded.image.segments.push_back({line.address, line.units, 0, 0, line.code});
            loaded.where.push_back(line.where);
        }
        if (!programs.entry) programs.entry = program->entry;
        result.push_back(std::move(loaded));
    }
    for (const auto& loaded : result)
        for (const auto& segment : loaded.image.segments)
            programs.ranges.push_back({segment.address, segment.units.size() + segment.zeros});
    return result;
}

Programs load_programs(Session& session, const ProgramArguments& arguments, const Spec& spec,
                       const std::function<std::optional<model::LoadError>(const model::Image&)>& load) {
    Programs programs;
    for (const Loaded& program : read_programs(session, arguments, spec, programs)) {
        if (program.where.empty()) {
            if (const auto error = load(program.image))
                session.fail(bad_input, Code::E0804, {},
                             fmt::format("{}: byte {}: {}", program.path, error->offset, error->message));
            continue;
        }
        for (std::size_t i = 0; i < program.where.size(); ++i) {
            const model::Image line{{program.image.segments[i]}, std::nullopt};
            if (const auto error = load(line))
                session.fail(bad_input, Code::E0702, program.where[i], error->message + "; this");
        }
    }
    return programs;
}

void set_registers(Session& session, const ProgramArguments& arguments, const Spec& spec, const StateFormat& format,
                   std::optional<std::uint64_t> entry, bool reset, State& state) {
    bool sets_pc = false;
    for (const auto& write : spec.reset.writes) sets_pc = sets_pc || write.element == spec.pc;
    if (entry && (!sets_pc || !reset)) state.set(spec[spec.pc], *entry);
    for (const auto& argument : arguments.registers) {
        const auto [name, text] = split(session, argument, "--set");
        const auto value = parse_number(text);
        if (!value) session.fail(usage, Code::E0901, {}, fmt::format("`{}` is not a number", text));
        if (const auto problem = format.set(state, name, *value)) session.fail(usage, Code::E0901, {}, *problem);
    }
}

}  // namespace pogo::cli
