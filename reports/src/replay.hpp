// Replay of witnesses on the model, and what the pipeline showed of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/confirm.hpp"

namespace pogo::report {

/// Follows the first instruction fetched after clear() through the pipeline.
class Recorder final : public model::Observer {
  public:
    void clear() { *this = Recorder(); }
    void on_cycle(const model::CycleEvent& event) override;
    [[nodiscard]] std::vector<Trace::Stage> stages(const isa::Timing& timing) const;

  private:
    struct Seen {
        unsigned stage = 0;
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    bool started_ = false;
    std::uint64_t sequence_ = 0;
    std::uint64_t start_ = 0;
    std::vector<Seen> seen_;
};

/// Attached as long as it lives.
class Attached {
  public:
    Attached(model::Simulator& simulator, model::Observer& observer) : simulator_(simulator), observer_(observer) {
        simulator_.attach(observer_);
    }
    ~Attached() { simulator_.detach(observer_); }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

  private:
    model::Simulator& simulator_;
    model::Observer& observer_;
};

/// No replay of any row failed.
[[nodiscard]] bool none_failed(const std::vector<std::vector<Replay>>& replays);

/// The recorder must be attached to the simulator, which has the spec loaded. Leaves memory cleared.
[[nodiscard]] Replay replay(const isa::Spec& spec, const check::Witness& witness, model::Simulator& simulator,
                            Recorder& recorder);

}  // namespace pogo::report
