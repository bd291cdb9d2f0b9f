// Source buffers and positions.
// SPDX-License-Identifier: Apache-2.0
#include "isa/source.hpp"

#include <algorithm>

#include "isa/require.hpp"

namespace pogo::isa {

SourceRange cover(SourceRange first, SourceRange last) {
    if (!first.valid()) return last;
    if (!last.valid()) return first;
    POGO_REQUIRE(first.buffer == last.buffer);
    return {first.buffer, std::min(first.begin, last.begin), std::max(first.end, last.end)};
}

std::size_t SourceManager::Buffer::line_of(std::uint32_t offset) const {
    return static_cast<std::size_t>(std::upper_bound(line_starts.begin(), line_starts.end(), offset) -
                                    line_starts.begin() - 1);
}

std::uint32_t SourceManager::add(std::string name, std::string text, unsigned first_line) {
    Buffer buffer{std::move(name), std::move(text), {0}, first_line};
    for (std::uint32_t i = 0; i < buffer.text.size(); ++i)
        if (buffer.text[i] == '\n') buffer.line_starts.push_back(i + 1);
    buffers_.push_back(std::move(buffer));
    return static_cast<std::uint32_t>(buffers_.size() - 1);
}

std::optional<std::uint32_t> SourceManager::find(std::string_view name) const {
    for (auto buffer = static_cast<std::uint32_t>(buffers_.size()); buffer-- > 0;)
        if (buffers_[buffer].name == name) return buffer;
    return std::nullopt;
}

std::string_view SourceManager::name(std::uint32_t buffer) const { return buffers_.at(buffer).name; }

std::string_view SourceManager::text(std::uint32_t buffer) const { return buffers_.at(buffer).text; }

std::string_view SourceManager::text(SourceRange range) const {
    return text(range.buffer).substr(range.begin, range.end - range.begin);
}

Place SourceManager::place(SourceRange range) const {
    if (!range.valid()) return {"<none>", 0, 0};
    const auto& buffer = buffers_.at(range.buffer);
    const auto line = buffer.line_of(range.begin);
    return {buffer.name, buffer.first_line + static_cast<unsigned>(line), range.begin - buffer.line_starts[line] + 1};
}

std::string_view SourceManager::line(SourceRange range) const {
    const auto& buffer = buffers_.at(range.buffer);
    const auto start = buffer.line_starts[buffer.line_of(range.begin)];
    const auto end = buffer.text.find('\n', start);
    auto line = std::string_view(buffer.text).substr(start, end == std::string::npos ? end : end - start);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

}  // namespace pogo::isa
