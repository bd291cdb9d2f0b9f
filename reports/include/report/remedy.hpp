// The reports on remedies: trap sets, patch lists, translation tables. docs/remedies.md lists the keys of the JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "check/remedy.hpp"
#include "isa/source.hpp"

namespace pogo::report {

/// The text of the machine with the set's statements, or of its extension with rules of what leaves; the rest of it is
/// as it was. Nothing if an instruction of the set is not declared in this buffer.
[[nodiscard]] std::optional<std::string> with_traps(const isa::Spec& spec, const check::TrapSet& set,
                                                    const isa::SourceManager& sources, std::uint32_t machine);
/// `extension` is that of the spec before it was applied. Elements must be whole instructions.
[[nodiscard]] std::optional<std::string> with_exits(const isa::Spec& spec, const isa::Extension& extension,
                                                    const check::TrapSet& set, const isa::SourceManager& sources,
                                                    std::uint32_t policy);

/// `after`: the verdict on the machine that `with_traps` gives.
[[nodiscard]] std::string to_text(const isa::Spec& spec, const check::TrapSet& set,
                                  std::optional<check::Verdict> after);
[[nodiscard]] std::string to_json(const isa::Spec& spec, const check::TrapSet& set,
                                  std::optional<check::Verdict> after);

[[nodiscard]] std::string to_text(const isa::Spec& spec, const check::PatchList& list);
[[nodiscard]] std::string to_json(const isa::Spec& spec, const check::PatchList& list);

[[nodiscard]] std::string to_text(const isa::Spec& spec, const check::TranslationTable& table);
[[nodiscard]] std::string to_json(const isa::Spec& spec, const check::TranslationTable& table);

}  // namespace pogo::report
