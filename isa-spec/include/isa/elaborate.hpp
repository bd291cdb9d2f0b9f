// From syntax trees to a typed Spec: names resolved, parameters chosen, widths checked, meanings built.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isa/ast.hpp"
#include "isa/diagnostic.hpp"
#include "isa/spec.hpp"

namespace pogo::isa {

/// Values given to machine parameters, as written on the command line: {"model", "68010"}.
using Arguments = std::vector<std::pair<std::string, std::string>>;

/// What an importer adds to a machine whose state is declared: causes, the translation, instructions and what is none.
using Contribution = std::function<void(Spec&)>;

/// Elaborates a machine, with an extension's declarations when one is given. Nothing when there were errors.
/// The work is bounded: more than 8 million expanded expressions are an error.
[[nodiscard]] std::optional<Spec> elaborate(const Ast& machine, const Ast* extension, const Arguments& arguments,
                                            Diagnostics& diagnostics, const Contribution& contribution = {});

/// Parses and elaborates texts already registered with `sources`. A text that is a timing section takes the place of
/// the machine's.
[[nodiscard]] std::optional<Spec> load_spec(const SourceManager& sources, std::uint32_t machine,
                                            std::optional<std::uint32_t> extension, const Arguments& arguments,
                                            Diagnostics& diagnostics,
                                            std::optional<std::uint32_t> timing = std::nullopt,
                                            std::span<const std::uint32_t> conditions = {});

/// Conditions over a machine's state, written in the language, that stand in other files, such as in texts in quotes.
/// Each is a buffer of `sources` whose places are those of the text.
[[nodiscard]] std::uint32_t add_condition(SourceManager& sources, std::string_view text, SourceRange where);

/// Reads the files and does the same. The conditions, in their order, are the last invariants of the Spec. A file that
/// cannot be read is a diagnostic.
[[nodiscard]] std::optional<Spec> load_spec_file(SourceManager& sources, const std::string& machine,
                                                 const std::optional<std::string>& extension,
                                                 const Arguments& arguments, Diagnostics& diagnostics,
                                                 const std::optional<std::string>& timing = std::nullopt,
                                                 std::span<const std::uint32_t> conditions = {});

/// The text of a file, or a diagnostic. Files over 64 MiB are refused.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics);
/// The same, registered with the sources: its buffer.
[[nodiscard]] std::optional<std::uint32_t> add_file(SourceManager& sources, const std::string& path,
                                                    Diagnostics& diagnostics);

}  // namespace pogo::isa
