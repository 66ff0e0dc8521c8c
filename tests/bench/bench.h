#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bench {

inline double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// The best of some runs: what the machine can do, least disturbed by its neighbours.
template <typename Run>
double best(int runs, Run&& run)
{
    double least = 1e30;
    for (int i = 0; i < runs; ++i) {
        const double start = now();
        run();
        least = std::min(least, now() - start);
    }
    return least;
}

/// The measurements of load.cpp by name: each takes a checkpoint's folder and a dtype, and returns
/// the exit status.
std::vector<std::pair<std::string, int (*)(const std::string&, const std::string&)>> loads();

/// `bench tokenize FOLDER TEXTS`
int tokenize(const std::string& folder, const std::string& texts);

/// `bench answer MODEL [DTYPE]`
int answer(const std::string& model, const std::string& dtype);
/// `bench full-size [DTYPE]…`
int fullSize(const std::vector<std::string>& dtypes);

/// Runs the program again with other words; its standard output, a line.
std::string again(const std::string& words);
/// A field of /proc/self/status in bytes: "VmRSS", "VmHWM".
std::int64_t statusBytes(const std::string& name);

}  // namespace bench
