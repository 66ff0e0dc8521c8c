// cancel MODEL [DTYPE] [STOPS]
// How long a stop request takes to be honoured while a picture is seen, a long text is read and an
// answer is written: stops spread evenly over each, one JSON object a line. 200 ms is what engine.h
// promises. Milliseconds are by the clock, in which all else the machine does counts, and of the
// processors, in which only this program counts; with OMP_NUM_THREADS=1 the latter are what one
// idle processor would take.
#include "inference/engine.h"
#include "support/seeded_image.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>
#include <thread>
#include <vector>

using namespace inference;

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Request seeing(int number)
{
    Request request;
    // another picture each time, because a known one is not seen again
    request.messages.push_back(
        {Role::User, "What is this?", {test::seededImage(448, 448, std::uint32_t(number) + 1)}});
    request.maxNewTokens = 1;
    return request;
}

Request reading(int number)
{
    Request request;
    std::string text = std::to_string(number);
    for (int i = 0; i < 100; ++i) {
        text += " What is to be seen on this radiograph of the chest?";
    }
    request.messages.push_back({Role::User, text, {}});
    request.maxNewTokens = 1;
    return request;
}

Request writing(int number)
{
    Request request;
    request.messages.push_back({Role::User, "Go on " + std::to_string(number), {}});
    request.maxNewTokens = 12;
    return request;
}

void measure(Engine& engine, const char* phase, Request (*request)(int), int stops)
{
    Clock::time_point start = Clock::now();
    const Answer whole = engine.generate(request(0), {}, {});
    const double seconds = since(start);
    std::vector<double> took, worked;
    for (int i = 0; i < stops; ++i) {
        std::stop_source stop;
        Clock::time_point asked;
        std::clock_t workBefore = 0;
        const Request next = request(i + 1);
        std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::duration<double>(seconds * (i + 0.5) / stops));
            asked = Clock::now();
            workBefore = std::clock();
            stop.request_stop();
        });
        const Answer answer = engine.generate(next, {}, stop.get_token());
        const Clock::time_point ended = Clock::now();
        const std::clock_t workAfter = std::clock();
        stopper.join();
        if (answer.stop == StopReason::Cancelled) {
            took.push_back(std::chrono::duration<double>(ended - asked).count());
            worked.push_back(double(workAfter - workBefore) / CLOCKS_PER_SEC);
        }
    }
    std::sort(took.begin(), took.end());
    std::sort(worked.begin(), worked.end());
    if (took.empty()) {
        return;
    }
    std::printf(
        "{\"bench\": \"cancel\", \"phase\": \"%s\", \"dtype\": \"%s\", \"prompt_tokens\": %zu, "
        "\"whole_seconds\": %.2f, \"stops\": %zu, \"median_ms\": %.0f, \"most_ms\": %.0f, "
        "\"median_processor_ms\": %.0f, \"most_processor_ms\": %.0f}\n",
        phase, engine.info().dtype.c_str(), whole.promptIds.size(), seconds, took.size(),
        1e3 * took[took.size() / 2], 1e3 * took.back(), 1e3 * worked[worked.size() / 2],
        1e3 * worked.back());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2) {
        std::fprintf(stderr, "cancel MODEL [DTYPE] [STOPS]\n");
        return 2;
    }
    const int stops = argc > 3 ? std::atoi(argv[3]) : 12;
    try {
        const auto engine = loadEngine({argv[1], "cpu", argc > 2 ? argv[2] : "auto"});
        measure(*engine, "see", seeing, stops);
        measure(*engine, "read", reading, stops);
        measure(*engine, "write", writing, stops);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
