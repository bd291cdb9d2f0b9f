// Diagnostics: what is wrong with the user's input, where, and the way out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/source.hpp"

namespace pogo::isa {

enum class Severity : std::uint8_t { error, warning, note };

/// One code a row of diagnostics.def.
enum class Code : std::uint16_t {
#define X(code, severity, message, help, explanation, example) code,
#include "isa/diagnostics.def"
};

struct CodeInfo {
    std::string_view name;  ///< "E0101"
    Severity severity;
    std::string_view message;      ///< {0}, {1}, … are the arguments
    std::string_view help;         ///< the way out, one line
    std::string_view explanation;  ///< what `pogo explain` prints
    std::string_view example;      ///< a minimal offending spec; empty when the input is not a spec
};
[[nodiscard]] const CodeInfo& info(Code code);
[[nodiscard]] std::optional<Code> find_code(std::string_view name);
[[nodiscard]] std::vector<Code> all_codes();

struct Diagnostic {
    struct Note {
        SourceRange where;
        std::string text;
    };
    Code code;
    SourceRange where;
    std::vector<std::string> arguments;
    std::vector<Note> notes;
    /// Whether both say the same of the same place.
    [[nodiscard]] bool repeats(const Diagnostic& other) const {
        return where.valid() && code == other.code && where == other.where && arguments == other.arguments;
    }
};

/// Collects diagnostics, each once: a body is elaborated at every place of use and may be found wrong at all of them.
/// After `limit` errors the rest are counted, not kept.
class Diagnostics {
  public:
    static constexpr std::size_t limit = 50;

    template <class... Args>
    Diagnostic& report(Code code, SourceRange where, Args&&... arguments) {
        return add({code, where, {std::string(std::forward<Args>(arguments))...}, {}});
    }
    Diagnostic& add(Diagnostic diagnostic);

    [[nodiscard]] bool has_errors() const { return errors_ > 0; }
    [[nodiscard]] std::size_t errors() const { return errors_; }
    [[nodiscard]] const std::vector<Diagnostic>& all() const { return list_; }

  private:
    std::vector<Diagnostic> list_;
    Diagnostic spare_{};
    std::size_t errors_ = 0;
};

/// The sentence alone.
[[nodiscard]] std::string message(const Diagnostic& diagnostic);
/// file:line:column: severity[code]: sentence, the source line, a caret line, notes and the help line.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, const SourceManager& sources);
/// All of them, and a closing count when some were not kept.
[[nodiscard]] std::string render(const Diagnostics& diagnostics, const SourceManager& sources);
/// The long text of a code.
[[nodiscard]] std::string explain(Code code);

}  // namespace pogo::isa
