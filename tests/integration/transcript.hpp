// What programs print, line by line and word by word.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pogo::integration {

inline std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
}
inline std::vector<std::string> words(const std::string& line) {
    std::istringstream stream(line);
    return {std::istream_iterator<std::string>(stream), {}};
}
inline std::uint64_t number(std::string_view hex) {
    std::uint64_t value = 0;
    std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    return value;
}
inline bool matches(const std::string& line, const char* pattern) {
    return std::regex_search(line, std::regex(pattern, std::regex::optimize), std::regex_constants::match_continuous);
}
/// A line in what is tried and what came of it.
inline std::pair<std::string, std::string> parts(const std::string& line) {
    const auto colon = line.find(": ");
    return colon == std::string::npos ? std::pair(line, std::string())
                                      : std::pair(line.substr(0, colon), line.substr(colon + 2));
}

}  // namespace pogo::integration
