// Any bytes as what a GDB stub says.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/gdb.hpp"
#include "support.hpp"

namespace {

class Said final : public pogo::cosim::Stream {
  public:
    explicit Said(std::string_view bytes) : bytes_(bytes) {}
    void send(std::string_view) override {}
    bool receive(std::string& into, std::chrono::milliseconds) override {
        const auto part = bytes_.substr(0, 7);
        bytes_.remove_prefix(part.size());
        into += part;
        return !part.empty();
    }

  private:
    std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo::cosim;
    try {
        Gdb gdb(std::make_unique<Said>(std::string_view(reinterpret_cast<const char*>(data), size)), "it",
                size % 2 == 0);
        std::vector<std::size_t> all(gdb.registers().size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
        gdb.watch(all);
        const Peer::Range range{0, 4};
        for (;;) {
            gdb.step();
            static_cast<void>(gdb.look(true, {&range, 1}));
            gdb.set(0, 1);
        }
    } catch (const PeerError&) {
    }
    return 0;
}
