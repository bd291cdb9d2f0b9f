// Independent pieces of work on threads.
// SPDX-License-Identifier: Apache-2.0
#include "parallel.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace pogo::check {

void in_parallel(std::size_t total, unsigned jobs, const std::function<void(std::size_t, std::size_t)>& progress,
                 const std::function<void(std::size_t)>& piece) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;  // guards what follows
    std::size_t done = 0;
    std::exception_ptr failure;
    const auto work = [&] {
        for (std::size_t i = next++; i < total; i = next++) {
            try {
                piece(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) failure = std::current_exception();
                next = total;
                return;
            }
            const std::lock_guard lock(mutex);
            ++done;
            if (progress) progress(done, total);
        }
    };
    if (jobs <= 1)
        work();
    else {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < jobs; ++i) threads.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace pogo::check
