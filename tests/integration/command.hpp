// Running the pogo executable and other programs in tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "../replaced.hpp"

namespace pogo::integration {

struct Result {
    int code = -1;
    std::string out;
};

inline Result shell(const std::string& line) {
    std::FILE* pipe = popen(line.c_str(), "r");
    Result result;
    std::array<char, 4096> buffer{};
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        result.out.append(buffer.data(), n);
    const int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

inline Result pogo(const std::string& arguments) {
    return shell(std::string(POGO_COMMAND) + " " + arguments + " 2>&1");
}

inline bool installed(const std::string& program) { return shell("command -v " + program + " 2>&1").code == 0; }

inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}
using test::replaced;

/// A folder of its own for each test, gone afterwards.
class FolderTest : public ::testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return (folder_ / name).string();
    }
    std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("pogo-test-" + std::to_string(getpid()));
};

class CommandTest : public FolderTest {
  protected:
    const std::string lecture_ = POGO_SPECS "/lecture.isa";
    const std::string m68k_ = POGO_SPECS "/m68k.isa";
};

}  // namespace pogo::integration
