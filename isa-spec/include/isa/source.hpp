// Source buffers and positions: a position is (buffer, offset); line and column exist only when printed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pogo::isa {

/// A half-open range of bytes [begin, end) in one buffer of a SourceManager. The default value means "no source".
struct SourceRange {
    std::uint32_t buffer = none;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    static constexpr std::uint32_t none = 0xffffffff;
    [[nodiscard]] bool valid() const { return buffer != none; }
    friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

/// The smallest range that covers both (they must lie in the same buffer).
[[nodiscard]] SourceRange cover(SourceRange first, SourceRange last);

/// A place as people write it. Lines and columns count from 1; columns count bytes.
struct Place {
    std::string_view file;
    unsigned line = 0;
    unsigned column = 0;
};

/// Owns the text of every file read in one run. Names are kept as given on the command line, never made absolute.
class SourceManager {
  public:
    /// Registers a text under a display name and returns its buffer number. Part of a longer text begins at
    /// `first_line`.
    std::uint32_t add(std::string name, std::string text, unsigned first_line = 1);

    /// The buffer registered under a name, the last of several.
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;
    [[nodiscard]] std::string_view name(std::uint32_t buffer) const;
    [[nodiscard]] std::string_view text(std::uint32_t buffer) const;
    [[nodiscard]] std::string_view text(SourceRange range) const;
    [[nodiscard]] Place place(SourceRange range) const;
    /// The line of text that holds the first byte of the range, without its newline.
    [[nodiscard]] std::string_view line(SourceRange range) const;

  private:
    struct Buffer {
        std::string name;
        std::string text;
        std::vector<std::uint32_t> line_starts;
        unsigned first_line = 1;
        /// Index into line_starts of the line that holds the offset.
        [[nodiscard]] std::size_t line_of(std::uint32_t offset) const;
    };
    std::vector<Buffer> buffers_;
};

}  // namespace pogo::isa
