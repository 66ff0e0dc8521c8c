#pragma once

#include "inference/error.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace inference {

/// What `work` gives, libtorch's exceptions turned into sentences. `tooLarge` is the one for a lack
/// of memory.
template <typename F>
auto inSentences(const char* tooLarge, F&& work)
{
    try {
        return work();
    } catch (const std::bad_alloc&) {
        throw OutOfMemory(tooLarge);
    } catch (const c10::OutOfMemoryError&) {
        throw OutOfMemory(tooLarge);
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        if (what.find("DefaultCPUAllocator") != std::string::npos ||
            what.find("out of memory") != std::string::npos) {
            throw OutOfMemory(tooLarge);
        }
        throw Error("libtorch could not compute this: " + what.substr(0, what.find('\n')));
    }
}

}  // namespace inference
