#pragma once

#include "inference/memory_plan.h"

#include <QList>
#include <QString>

#include <functional>

namespace ui {

/// inference::planMemory(), or a test's. Reads headers; throws inference::Error.
using MemoryPlanner = std::function<inference::MemoryPlan(const inference::LoadOptions&)>;
MemoryPlanner memoryPlanner();

/// What a model would take, before it is loaded: as it is asked for, and in each dtype on each of
/// the devices.
struct MemoryTable {
    inference::MemoryPlan asked;
    QList<inference::MemoryPlan> others;  // without the one that is asked for
    QString failure;  // why `asked` can't be planned: a device that is not there
};

/// Blocks; for the pool. `devices` are those of this machine.
MemoryTable planTable(const MemoryPlanner& planner, const inference::LoadOptions& asked,
                      const std::vector<inference::DeviceMemory>& devices);

/// Bytes that one device must have free: what planMemory() holds against its free memory, with
/// room for the least context that a model is loaded for.
qint64 neededBytes(const inference::DevicePlan& plan);

/// "needs 29.4 GB on cpu in bf16; 12.1 GB free: does not fit"
QString planSentence(const inference::MemoryPlan& plan);

}  // namespace ui
