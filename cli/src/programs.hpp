// Programs and registers from the command line, for whatever runs them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cosim/peer.hpp"
#include "model/image.hpp"
#include "session.hpp"
#include "states.hpp"

namespace pogo::cli {

struct ProgramArguments {
    std::vector<std::string> elf;
    std::vector<std::string> raw;        ///< ADDRESS=FILE
    std::vector<std::string> assembly;   ///< files
    std::vector<std::string> registers;  ///< NAME=VALUE
    std::string input;
    void add_to(CLI::App& command, bool with_registers = true);
    [[nodiscard]] bool any() const { return !elf.empty() || !raw.empty() || !assembly.empty(); }
};

struct Programs {
    std::optional<std::uint64_t> entry;   ///< of the first that has one
    std::optional<std::uint64_t> tohost;  ///< symbols of the first ELF file that has them
    std::optional<std::uint64_t> fromhost;
    std::vector<cosim::Peer::Range> ranges;
};

/// What is loaded, and the place of each of its segments in the user's text, if it has one.
struct Loaded {
    model::Image image;
    std::string path;
    std::vector<isa::SourceRange> where;
};

/// Leaves with diagnostics when something cannot be read.
std::vector<Loaded> read_programs(Session& session, const ProgramArguments& arguments, const isa::Spec& spec,
                                  Programs& programs);

/// Leaves with diagnostics when something cannot be read or does not fit where `load` puts it.
Programs load_programs(Session& session, const ProgramArguments& arguments, const isa::Spec& spec,
                       const std::function<std::optional<model::LoadError>(const model::Image&)>& load);

/// The entry into the pc, unless a reset has said where to begin; then what --set says.
void set_registers(Session& session, const ProgramArguments& arguments, const isa::Spec& spec,
                   const StateFormat& format, std::optional<std::uint64_t> entry, bool reset, isa::State& state);

/// `text` as NAME=VALUE, of the option `what`.
std::pair<std::string, std::string> split(Session& session, const std::string& text, const char* what);

}  // namespace pogo::cli
