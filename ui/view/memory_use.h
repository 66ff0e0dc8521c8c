#pragma once

#include <QtGlobal>

namespace ui {

/// Bytes of main memory; zeros where the system does not say.
struct MemoryUse {
    qint64 total = 0;
    qint64 available = 0;  // without swapping
    qint64 own = 0;        // this program's resident pages
};

MemoryUse memoryUse();

}  // namespace ui
