// Any words as a command line of the commands that read text only; zero bytes separate words.
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "session.hpp"
#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo;
    static const bool quiet = std::freopen("/dev/null", "w", stdout) != nullptr;
    (void)quiet;
    std::vector<std::string> words{"pogo"};
    std::string word;
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] != 0) {
            word += static_cast<char>(data[i]);
            continue;
        }
        words.push_back(word);
        word.clear();
    }
    words.push_back(word);
    for (const auto& each : words)
        if (each.starts_with("-o") || each.starts_with("--output") || each.starts_with("--o"))
            return 0;  // would write files
    std::vector<const char*> argv;
    for (const auto& each : words) argv.push_back(each.c_str());
    CLI::App app;
    cli::Session session;
    cli::add_assembly(app, session);
    cli::add_show(app, session);
    cli::add_explain(app, session);
    try {
        app.parse(static_cast<int>(argv.size()), argv.data());
    } catch (const CLI::ParseError&) {
    } catch (const cli::Leave& leave) {
        if (leave.code == cli::internal) std::abort();
    }
    return 0;
}
