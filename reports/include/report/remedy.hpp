// The reports on remedies: trap sets, patch lists, translation tables. docs/remedies.md lists the keys of the JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "check/remedy.hpp"
#include "isa/source.hpp"

namespace pogo::report {

/// A trap set as an edit of the spec.
struct TrapRemedy {
    check::TrapSet set;
    /// By element: what its instruction begins with, or, with an extension, a rule of what leaves.
    std::vector<std::string> statements;
    bool exits = false;                   ///< they are rules
    std::optional<check::Verdict> after;  ///< the verdict on the edited spec, once it was decided
};

/// `extension` is that of the spec before it was applied, if it has one; then elements must be whole instructions.
[[nodiscard]] TrapRemedy trap_remedy(const isa::Spec& spec, check::TrapSet set, const isa::Extension* extension);

/// The text of the buffer that holds the machine (of rules: the extension) with the statements; all else is as it was.
/// Nothing if it does not declare what they are about.
[[nodiscard]] std::optional<std::string> edited(const isa::Spec& spec, const TrapRemedy& remedy,
                                                const isa::SourceManager& sources, std::uint32_t buffer);

[[nodiscard]] std::string to_text(const isa::Spec& spec, const TrapRemedy& remedy);
[[nodiscard]] std::string to_json(const isa::Spec& spec, const TrapRemedy& remedy);

[[nodiscard]] std::string to_text(const isa::Spec& spec, const check::PatchList& list);
[[nodiscard]] std::string to_json(const isa::Spec& spec, const check::PatchList& list);

[[nodiscard]] std::string to_text(const isa::Spec& spec, const check::TranslationTable& table);
[[nodiscard]] std::string to_json(const isa::Spec& spec, const check::TranslationTable& table);

}  // namespace pogo::report
