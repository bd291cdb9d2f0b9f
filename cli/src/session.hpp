// What every command needs: the spec named on the command line, diagnostics, exit codes, files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/elaborate.hpp"
#include "model/device_tree.hpp"

namespace CLI {
class App;
}

namespace pogo::cli {

/// As fixed in docs/semantics.md.
enum Exit : int { holds = 0, refuted = 1, unknown = 2, usage = 64, bad_input = 65, internal = 70 };

/// Unwinds to main with an exit code; what there was to say has been said.
struct Leave {
    int code;
};

/// The arguments that say which machine is meant.
struct SpecArguments {
    std::string file;
    std::vector<std::string> parameters;  ///< NAME=VALUE
    std::optional<std::string> extension;
    std::string sail;  ///< a Sail model in place of SPEC,
    std::string map;   ///< and its mapping file
    void add_to(CLI::App& command, bool extension_option = true);
    /// The positional arguments behind SPEC, which are the first where a Sail model stands in its place.
    [[nodiscard]] std::vector<std::string> behind(std::vector<std::string> given);
};

class Session {
  public:
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;

    /// Reads the spec, with the extension applied when one is named, and a file's timing instead of its own. Leaves
    /// with bad_input after printing diagnostics.
    isa::Spec load(const SpecArguments& arguments, const std::optional<std::string>& timing = std::nullopt,
                   std::span<const std::uint32_t> conditions = {});
    /// The same with the extension declared but not applied.
    isa::Spec load_unapplied(const SpecArguments& arguments, const std::optional<std::string>& timing = std::nullopt,
                             std::span<const std::uint32_t> conditions = {});
    /// The machine's parameters as given. Leaves with usage if they are no NAME=VALUE.
    isa::Arguments parameters(const SpecArguments& arguments);
    /// The one positional argument behind SPEC. Leaves with usage where it is missing.
    [[nodiscard]] std::string behind(SpecArguments& arguments, const std::string& given, std::string_view name);
    /// The text of a file, registered with `sources`; its buffer.
    std::uint32_t read(const std::string& path);

    template <class... Args>
    [[noreturn]] void fail(int code, isa::Code diagnostic, isa::SourceRange where, Args&&... arguments) {
        diagnostics.report(diagnostic, where, std::forward<Args>(arguments)...);
        leave(code);
    }
    /// Prints all diagnostics to standard error and leaves.
    [[noreturn]] void leave(int code) const;
};

/// "0x10", "16", "0b10000"; nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

/// Calls `line(text, number)` for every line of a file, or of standard input for "-", and `idle()` whenever more must
/// be waited for and at the end. False, with a diagnostic, if it cannot be read or a line is longer than `limit` bytes.
bool each_line(const std::string& path, std::size_t limit, const std::function<void(std::string_view, unsigned)>& line,
               const std::function<void()>& idle, isa::Diagnostics& diagnostics);
constexpr std::size_t line_limit = std::size_t{16} << 20;

/// The VM maps of these names, all of the spec's for none. Leaves with usage where there is no such map, or none at
/// all.
[[nodiscard]] std::vector<const isa::VmMap*> vm_maps_of(Session& session, const isa::Spec& spec,
                                                        const std::vector<std::string>& names);

/// The machine's device tree. Leaves with bad_input where there is none.
[[nodiscard]] model::DeviceTreeNode device_tree_of(Session& session, const isa::Spec& spec,
                                                   const std::string& boot_arguments = "");

/// Writes text to a path, or to standard output for "-".
void write_file(Session& session, const std::string& path, std::string_view text);

// The commands, each adding itself to the application. Their callbacks run inside CLI11's parse.
void add_show(CLI::App& app, Session& session);
void add_assembly(CLI::App& app, Session& session);
void add_simulation(CLI::App& app, Session& session);
void add_monitor(CLI::App& app, Session& session);
void add_verification(CLI::App& app, Session& session);
void add_diff(CLI::App& app, Session& session);
void add_explain(CLI::App& app, Session& session);

}  // namespace pogo::cli
