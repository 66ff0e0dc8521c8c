#pragma once

#include "inference/error.h"

#include <c10/util/Exception.h>

#include <functional>
#include <new>
#include <string>
#include <utility>

namespace inference {

/// What `work` gives, libtorch's exceptions turned into sentences. `tooLarge` makes the one for a
/// lack of memory, when what `work` held is free again.
template <typename F>
auto inSentences(const std::function<std::string()>& tooLarge, F&& work)
{
    try {
        return work();
    } catch (const std::bad_alloc&) {
        throw OutOfMemory(tooLarge());
    } catch (const c10::OutOfMemoryError&) {
        throw OutOfMemory(tooLarge());
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        if (what.find("DefaultCPUAllocator") != std::string::npos ||
            what.find("out of memory") != std::string::npos) {
            throw OutOfMemory(tooLarge());
        }
        throw Error("libtorch could not compute this: " + what.substr(0, what.find('\n')));
    }
}

/// The same, where nothing is known of what would fit.
template <typename F>
auto inSentences(const char* tooLarge, F&& work)
{
    return inSentences([&] { return std::string(tooLarge); }, std::forward<F>(work));
}

}  // namespace inference
