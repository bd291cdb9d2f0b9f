// pogo: the command line.
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "session.hpp"

namespace {

using namespace pogo;

int run(int argc, char** argv) {
    CLI::App app{
        "Pogo decides whether a virtual machine monitor can be built for a machine, with a proof or a counterexample,\n"
        "and shows it on a running cycle-level model.",
        "pogo"};
    app.set_version_flag("--version", "pogo " POGO_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 what was asked holds, 1 refuted, 2 unknown, 64 usage, 65 bad input, 70 internal error.");
    cli::Session session;
    cli::add_verification(app, session);
    cli::add_diff(app, session);
    cli::add_simulation(app, session);
    cli::add_monitor(app, session);
    cli::add_assembly(app, session);
    cli::add_show(app, session);
    cli::add_explain(app, session);
    try {
        app.parse(argc, argv);
        return cli::holds;
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? cli::holds : cli::usage;
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const cli::Leave& leave) {
        return leave.code;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "pogo: internal error: %s\n", error.what());
        return cli::internal;
    }
}
