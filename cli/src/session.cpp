// What every command needs.
// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "isa/sail.hpp"
#include "vt/extend.hpp"

namespace pogo::cli {

void SpecArguments::add_to(CLI::App& command, bool extension_option) {
    command.add_option("SPEC", file, "the machine's .isa file");
    auto* model = command.add_option("--sail", sail, "a Sail model as Jib IR, in place of SPEC")->type_name("FILE");
    command.add_option("--map", map, "the Sail model's mapping file")->type_name("FILE")->needs(model);
    command.add_option("--param", parameters, "a machine parameter, NAME=VALUE (repeatable)")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    if (extension_option)
        command.add_option("--extension", extension, "a policy file; the machine is extended by it")->type_name("FILE");
}

std::vector<std::string> SpecArguments::behind(std::vector<std::string> given) {
    if (!sail.empty() && !file.empty()) given.insert(given.begin(), std::exchange(file, {}));
    return given;
}

std::string Session::behind(SpecArguments& arguments, const std::string& given, std::string_view name) {
    const auto words = arguments.behind(given.empty() ? std::vector<std::string>{} : std::vector{given});
    if (words.size() != 1)
        fail(usage, isa::Code::E0901, {},
             words.empty() ? fmt::format("{} is required", name) : "--sail takes the place of SPEC");
    return words[0];
}

isa::Arguments Session::parameters(const SpecArguments& arguments) {
    isa::Arguments result;
    for (const auto& text : arguments.parameters) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            fail(usage, isa::Code::E0901, {}, fmt::format("--param takes NAME=VALUE, not `{}`", text));
        result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return result;
}

isa::Spec Session::load_unapplied(const SpecArguments& arguments, const std::optional<std::string>& timing,
                                  std::span<const std::uint32_t> conditions) {
    const isa::Arguments given = parameters(arguments);
    if (arguments.file.empty() == arguments.sail.empty())
        fail(usage, isa::Code::E0901, {}, "a machine is wanted: SPEC, or --sail with --map");
    if (!arguments.sail.empty()) {
        if (arguments.map.empty()) fail(usage, isa::Code::E0901, {}, "--sail needs the model's mapping file: --map");
        if (!conditions.empty())
            fail(usage, isa::Code::E0901, {}, "conditions are in the language, and a Sail model is not");
        if (arguments.extension) fail(usage, isa::Code::E0901, {}, "Sail models are not extended");
        if (timing)
            fail(usage, isa::Code::E0901, {}, "a Sail model's timing stands in the file that its mapping calls `spec`");
        auto model = isa::load_sail_file(sources, arguments.sail, arguments.map, given, diagnostics);
        if (!model) leave(bad_input);
        return std::move(*model);
    }
    auto spec =
        isa::load_spec_file(sources, arguments.file, arguments.extension, given, diagnostics, timing, conditions);
    if (!spec) leave(bad_input);
    return std::move(*spec);
}

isa::Spec Session::load(const SpecArguments& arguments, const std::optional<std::string>& timing,
                        std::span<const std::uint32_t> conditions) {
    isa::Spec spec = load_unapplied(arguments, timing, conditions);
    return spec.extension ? vt::extend(spec) : spec;
}

std::uint32_t Session::read(const std::string& path) {
    const auto buffer = isa::add_file(sources, path, diagnostics);
    if (!buffer) leave(bad_input);
    return *buffer;
}

void Session::leave(int code) const {
    std::fflush(stdout);
    std::fputs(isa::render(diagnostics, sources).c_str(), stderr);
    throw Leave{code};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
    if (text.starts_with("0b") || text.starts_with("0B")) base = 2;
    if (base != 10) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

std::vector<const isa::VmMap*> vm_maps_of(Session& session, const isa::Spec& spec,
                                          const std::vector<std::string>& names) {
    std::vector<const isa::VmMap*> maps;
    for (const auto& map : spec.vm_maps)
        if (names.empty() || std::find(names.begin(), names.end(), map.name) != names.end()) maps.push_back(&map);
    if (!maps.empty() && maps.size() >= names.size()) return maps;
    std::string known;
    for (const auto& map : spec.vm_maps) known += (known.empty() ? "" : ", ") + map.name;
    session.fail(usage, isa::Code::E0901, {},
                 known.empty() ? "the spec declares no VM map; `vmm NAME { … }` does"
                               : fmt::format("there is no such VM map; the spec has {}", known));
}

model::DeviceTreeNode device_tree_of(Session& session, const isa::Spec& spec, const std::string& boot_arguments) {
    auto tree = model::device_tree(spec, boot_arguments);
    if (const auto* reason = std::get_if<std::string>(&tree))
        session.fail(bad_input, isa::Code::E0902, {}, spec.name, *reason);
    return std::get<model::DeviceTreeNode>(std::move(tree));
}

bool each_line(const std::string& path, std::size_t limit, const std::function<void(std::string_view, unsigned)>& line,
               const std::function<void()>& idle, isa::Diagnostics& diagnostics) {
    struct File {
        int descriptor;
        explicit File(const std::string& path) : descriptor(path == "-" ? 0 : ::open(path.c_str(), O_RDONLY)) {}
        ~File() {
            if (descriptor > 0) ::close(descriptor);
        }
        File(const File&) = delete;
        File& operator=(const File&) = delete;
    } const file(path);
    std::string text;  // lines not yet handed out, the last perhaps incomplete
    std::vector<char> buffer(1 << 16);
    unsigned number = 1;
    for (;;) {
        const auto count = file.descriptor < 0 ? -1 : ::read(file.descriptor, buffer.data(), buffer.size());
        if (count < 0) {
            diagnostics.report(isa::Code::E0801, isa::SourceRange{}, path);
            return false;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (count == 0 && !text.empty()) text += '\n';
        std::size_t at = 0;
        for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
            line(std::string_view(text).substr(at, end - at), number++);
        text.erase(0, at);
        idle();
        if (count == 0) return true;
        if (text.size() > limit) {
            diagnostics.report(isa::Code::E0807, isa::SourceRange{}, fmt::format("{}", number), path,
                               fmt::format("{}", limit >> 20));
            return false;
        }
    }
}

void write_file(Session& session, const std::string& path, std::string_view text) {
    if (path == "-") {
        std::fwrite(text.data(), 1, text.size(), stdout);
        return;
    }
    std::FILE* file = std::fopen(path.c_str(), "wb");
    const bool good = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file == nullptr || std::fclose(file) != 0 || !good) session.fail(bad_input, isa::Code::E0803, {}, path);
}

}  // namespace pogo::cli
