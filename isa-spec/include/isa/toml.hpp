// TOML files as values that know their places, and tables whose every key has to be asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/diagnostic.hpp"
#include "isa/source.hpp"

namespace pogo::isa {

/// A value of a TOML file (toml.io, version 1.0.0).
struct Toml {
    enum class Kind : std::uint8_t { string, integer, boolean, array, table, other };
    struct Entry;

    Kind kind = Kind::table;
    SourceRange where;
    std::string text;            ///< a string; of `other` what it is: "a float"
    std::int64_t integer = 0;    ///< an integer
    bool boolean = false;        ///< a boolean
    std::vector<Toml> items;     ///< an array's
    std::vector<Entry> entries;  ///< a table's, in the order of the file
};
struct Toml::Entry {
    std::string key;
    SourceRange where;  ///< of the key
    Toml value;
};
/// "a string", "an integer", …: how messages call it.
[[nodiscard]] std::string_view name(Toml::Kind kind);

/// The table that a text registered with `sources` is. Nothing, and a diagnostic, where it is no TOML.
[[nodiscard]] std::optional<Toml> parse_toml(const SourceManager& sources, std::uint32_t buffer,
                                             Diagnostics& diagnostics);

/// A table as its user reads it: what is asked for is known, and `finish` reports the keys that nobody asked for.
/// Values of other types than expected are reported and count as absent.
class TomlTable {
  public:
    TomlTable(const Toml& table, Diagnostics& diagnostics);

    [[nodiscard]] const Toml* find(std::string_view key, Toml::Kind kind);
    [[nodiscard]] std::optional<std::string> string(std::string_view key);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    [[nodiscard]] std::vector<std::string> strings(std::string_view key);
    [[nodiscard]] const Toml* table(std::string_view key) { return find(key, Toml::Kind::table); }
    [[nodiscard]] const Toml* array(std::string_view key) { return find(key, Toml::Kind::array); }
    /// The same of a string that must be there: its absence is reported at the table.
    [[nodiscard]] std::optional<std::string> required_string(std::string_view key);

    /// Reports keys that were not asked for.
    void finish();

  private:
    const Toml* table_;
    Diagnostics* diagnostics_;
    std::vector<std::string> known_;
};

/// Whether the value is of this kind; reports it otherwise.
[[nodiscard]] bool is(const Toml& value, Toml::Kind kind, Diagnostics& diagnostics);
/// The strings of an array of strings; others are reported and left out.
[[nodiscard]] std::vector<std::string> strings_of(const Toml& array, Diagnostics& diagnostics);

/// Whether the name is one that the pattern stands for: `*` is any text, `?` any character.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view name);

}  // namespace pogo::isa
