// Rendering of diagnostics.
// SPDX-License-Identifier: Apache-2.0
#include "isa/diagnostic.hpp"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pogo::isa {

namespace {

constexpr std::array code_table = {
#define X(code, severity, message, help, explanation, example) \
    CodeInfo{#code, Severity::severity, message, help, explanation, example},
#include "isa/diagnostics.def"
};

std::string_view word(Severity severity) {
    switch (severity) {
        case Severity::error:
            return "error";
        case Severity::warning:
            return "warning";
        case Severity::note:
            return "note";
    }
    return "";
}

// The source line and a caret line under it; tabs are kept so that the caret stands where it should.
std::string excerpt(SourceRange where, const SourceManager& sources) {
    const auto line = sources.line(where);
    const auto column = sources.place(where).column;
    std::string padding;
    for (const char c : line.substr(0, std::min<std::size_t>(column - 1, line.size())))
        padding += c == '\t' ? '\t' : ' ';
    const std::size_t room = line.size() > padding.size() ? line.size() - padding.size() : 1;
    const std::size_t length = std::clamp<std::size_t>(where.end > where.begin ? where.end - where.begin : 1, 1, room);
    return fmt::format("  {}\n  {}^{}\n", line, padding, std::string(length - 1, '~'));
}

}  // namespace

const CodeInfo& info(Code code) { return code_table[static_cast<std::size_t>(code)]; }

std::optional<Code> find_code(std::string_view name) {
    for (const Code code : all_codes())
        if (info(code).name == name) return code;
    return std::nullopt;
}

std::vector<Code> all_codes() {
    std::vector<Code> codes(code_table.size());
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<Code>(i);
    return codes;
}

Diagnostic& Diagnostics::add(Diagnostic diagnostic) {
    const bool error = info(diagnostic.code).severity == Severity::error;
    const auto said = [&](const Diagnostic& other) { return diagnostic.repeats(other); };
    if (std::any_of(list_.begin(), list_.end(), said)) return spare_ = std::move(diagnostic);
    if (error) ++errors_;
    if (error && errors_ > limit) return spare_ = std::move(diagnostic);
    return list_.emplace_back(std::move(diagnostic));
}

namespace {

std::string fill(std::string_view pattern, const std::vector<std::string>& arguments) {
    fmt::dynamic_format_arg_store<fmt::format_context> store;
    for (const auto& argument : arguments) store.push_back(argument);
    return fmt::vformat(pattern, store);
}

// The pattern itself, for people.
std::string plain(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        out += pattern[i];
        if ((pattern[i] == '{' || pattern[i] == '}') && i + 1 < pattern.size() && pattern[i + 1] == pattern[i]) ++i;
    }
    return out;
}

}  // namespace

std::string message(const Diagnostic& diagnostic) { return fill(info(diagnostic.code).message, diagnostic.arguments); }

std::string render(const Diagnostic& diagnostic, const SourceManager& sources) {
    const auto& code = info(diagnostic.code);
    std::string out;
    if (diagnostic.where.valid()) {
        const auto place = sources.place(diagnostic.where);
        out += fmt::format("{}:{}:{}: ", place.file, place.line, place.column);
    } else {
        out += "pogo: ";
    }
    out += fmt::format("{}[{}]: {}\n", word(code.severity), code.name, message(diagnostic));
    if (diagnostic.where.valid()) out += excerpt(diagnostic.where, sources);
    for (const auto& note : diagnostic.notes) {
        if (note.where.valid()) {
            const auto place = sources.place(note.where);
            out += fmt::format("{}:{}:{}: note: {}\n{}", place.file, place.line, place.column, note.text,
                               excerpt(note.where, sources));
        } else {
            out += fmt::format("  note: {}\n", note.text);
        }
    }
    if (!code.help.empty()) out += fmt::format("  help: {}\n", fill(code.help, diagnostic.arguments));
    return out;
}

std::string render(const Diagnostics& diagnostics, const SourceManager& sources) {
    std::string out;
    for (const auto& diagnostic : diagnostics.all()) out += render(diagnostic, sources);
    if (diagnostics.errors() > Diagnostics::limit)
        out += fmt::format("pogo: {} more errors are not shown\n", diagnostics.errors() - Diagnostics::limit);
    return out;
}

std::string explain(Code code) {
    const auto& row = info(code);
    std::string out =
        fmt::format("{} ({}): {}\n\n{}\n", row.name, word(row.severity), plain(row.message), row.explanation);
    if (!row.help.empty()) out += fmt::format("\nWay out: {}\n", plain(row.help));
    if (!row.example.empty()) out += fmt::format("\nThe smallest spec that shows it:\n\n{}\n", row.example);
    return out;
}

}  // namespace pogo::isa
