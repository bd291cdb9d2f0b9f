// Specs from files and texts.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "isa/elaborate.hpp"
#include "isa/parser.hpp"

namespace pogo::isa {

namespace {

// Timing sections may stand on one side of a `when`, too.
void remove_timing(Ast& ast) {
    std::erase_if(ast.children, [](const Ast& item) { return item.is(Syntax::timing); });
    for (Ast& item : ast.children)
        if (item.is(Syntax::when))
            for (std::size_t side = 1; side < item.size(); ++side) remove_timing(item.children[side]);
}

}  // namespace

std::optional<Spec> load_spec(const SourceManager& sources, std::uint32_t machine,
                              std::optional<std::uint32_t> extension, const Arguments& arguments,
                              Diagnostics& diagnostics, std::optional<std::uint32_t> timing,
                              std::span<const std::uint32_t> conditions) {
    Ast tree = parse(sources, machine, diagnostics);
    std::optional<Ast> policy;
    if (extension) policy = parse(sources, *extension, diagnostics);
    std::optional<Ast> section;
    if (timing) section = parse(sources, *timing, diagnostics);
    if (diagnostics.has_errors()) return std::nullopt;
    if (!tree.is(Syntax::machine)) {
        diagnostics.report(Code::E0112, tree.range, tree.is(Syntax::timing) ? "a timing section" : "an extension");
        return std::nullopt;
    }
    if (section) {
        if (!section->is(Syntax::timing)) {
            diagnostics.report(Code::E0905, section->range);
            return std::nullopt;
        }
        remove_timing(tree);
        if (policy) remove_timing(*policy);
        tree.children.push_back(std::move(*section));
    }
    if (policy && !policy->is(Syntax::extension)) {
        diagnostics.report(Code::E0606, policy->range);
        return std::nullopt;
    }
    for (const auto buffer : conditions) {
        Ast condition = parse(sources, buffer, diagnostics);
        if (diagnostics.has_errors()) return std::nullopt;
        Ast& invariant = condition.children.back();
        if (std::count_if(condition.children.begin(), condition.children.end(),
                          [](const Ast& item) { return item.is(Syntax::invariant); }) != 1 ||
            !invariant.is(Syntax::invariant)) {
            diagnostics.report(Code::E0110, invariant.range, "one condition", "declarations");
            return std::nullopt;
        }
        tree.children.push_back(std::move(invariant));
    }
    return elaborate(tree, policy ? &*policy : nullptr, arguments, diagnostics);
}

std::uint32_t add_condition(SourceManager& sources, std::string_view text, SourceRange where) {
    // On a line of its own, as far to the right as behind the quote.
    const Place place = sources.place(where);
    return sources.add(
        std::string(place.file),
        fmt::format("machine m {{ }} invariant condition =\n{}{};", std::string(place.column, ' '), text),
        place.line > 1 ? place.line - 1 : 1);
}

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics) {
    constexpr std::streamoff limit = 64 << 20;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        diagnostics.report(Code::E0801, SourceRange{}, path);
        return std::nullopt;
    }
    std::string text;
    std::array<char, 65536> buffer{};
    while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
        if (static_cast<std::streamoff>(text.size()) > limit) {
            diagnostics.report(Code::E0802, SourceRange{}, path);
            return std::nullopt;
        }
    }
    if (file.bad()) {
        diagnostics.report(Code::E0801, SourceRange{}, path);
        return std::nullopt;
    }
    return text;
}

std::optional<std::uint32_t> add_file(SourceManager& sources, const std::string& path, Diagnostics& diagnostics) {
    auto text = read_file(path, diagnostics);
    if (!text) return std::nullopt;
    return sources.add(path, std::move(*text));
}

std::optional<Spec> load_spec_file(SourceManager& sources, const std::string& machine,
                                   const std::optional<std::string>& extension, const Arguments& arguments,
                                   Diagnostics& diagnostics, const std::optional<std::string>& timing,
                                   std::span<const std::uint32_t> conditions) {
    const auto buffer = add_file(sources, machine, diagnostics);
    if (!buffer) return std::nullopt;
    const auto policy = extension ? add_file(sources, *extension, diagnostics) : std::nullopt;
    if (extension && !policy) return std::nullopt;
    const auto section = timing ? add_file(sources, *timing, diagnostics) : std::nullopt;
    if (timing && !section) return std::nullopt;
    return load_spec(sources, *buffer, policy, arguments, diagnostics, section, conditions);
}

}  // namespace pogo::isa
