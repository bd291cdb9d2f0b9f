// The SystemC library asks for sc_main; no fuzz target starts its kernel.
// SPDX-License-Identifier: Apache-2.0
extern "C" int sc_main(int, char**) { return 0; }
